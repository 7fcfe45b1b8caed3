/**
 * A program of its own that holds one temporary folder and the process that works in it. When the channel to its owner closes,
 * because the owner let go or exited or crashed or was killed, the process is killed, the folder removed, and the guard ends.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Said } from './guarded.ts';
import type { Command } from './runner.ts';

const [name = ''] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), `clinstream-${name}-`));
let child: ChildProcess | undefined;
let ending = false;

const tell = (said: Said): void => {
  if (process.connected) process.send?.(said, () => {}); // an owner that is gone needs no word
};

process.on('message', (command: Command) => {
  const log = openSync(command.log, 'a');
  const started = spawn(command.program, command.args, {
    cwd: folder,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  child = started;
  started.on('spawn', () => tell({ started: started.pid as number }));
  started.on('error', error => tell({ ended: `could not start: ${error.message}` }));
  started.on('exit', (code, signal) => tell({ ended: code ?? signal ?? 'unknown' }));
});

async function end(): Promise<void> {
  if (ending) return;
  ending = true;
  if (child !== undefined && child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) {
    await once(child, 'exit');
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  process.exit();
}

process.on('disconnect', () => void end());
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end());

if (process.connected) tell({ folder });
else void end(); // the owner is gone already
