/**
 * A program that runs on after the command that started it, in a folder that remembers its process id. Ids are used again: one
 * counts only while its command line names the folder.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { commandLine, send } from './processes.ts';
import type { Command, Runner, Running } from './runner.ts';

/** From SIGTERM to SIGKILL. */
const STOP_MS = 30_000;

export class Detached implements Runner {
  readonly folder: string;
  readonly #pidFile: string;

  constructor(folder: string) {
    this.folder = folder;
    this.#pidFile = join(folder, 'pid');
    mkdirSync(folder, { recursive: true });
  }

  async start({ program, args, log }: Command): Promise<Running> {
    const out = openSync(log, 'a');
    const child = spawn(program, args, { cwd: this.folder, detached: true, stdio: ['ignore', out, out] });
    closeSync(out);
    const ended = Promise.withResolvers<number | string>();
    child.on('exit', (code, signal) => ended.resolve(code ?? signal ?? 'unknown'));
    await once(child, 'spawn');
    child.unref();
    const pid = child.pid as number;
    await writeFile(this.#pidFile, String(pid));
    return { pid, ended: ended.promise };
  }

  /** Whether a program runs here, whoever started it. */
  runs(): boolean {
    return this.#pid() !== undefined;
  }

  async stop(): Promise<void> {
    for (const from = Date.now(); ; await sleep(100)) {
      const pid = this.#pid();
      if (pid === undefined) return;
      send(pid, Date.now() - from > STOP_MS ? 'SIGKILL' : 'SIGTERM');
    }
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  #pid(): number | undefined {
    try {
      const pid = Number(readFileSync(this.#pidFile, 'utf8'));
      return commandLine(pid).includes(this.folder) ? pid : undefined;
    } catch {
      return undefined; // nothing was started here
    }
  }
}
