/** If this fails, notes of a live pipe lie in a process's memory, and a signal loses them. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT } from '../../src/commands/exit.ts';
import { cleanEnvironment, clinstream } from '../support/cli.ts';
import { ROOT } from '../support/model.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { note, noteIds } from './way-of-a-note.ts';

const folder = temporaryFolder('produce');
const data = join(folder, 'log');
const call = (args: readonly string[]) => clinstream([...args, '--data', data]);
const noted = (): Promise<string[]> => noteIds(call, 'clinical.notes');

function produce(path: string) {
  const args = [join(ROOT, 'src/main.ts'), 'produce', path, '--data', data];
  const child = spawn(process.execPath, args, { cwd: ROOT, env: cleanEnvironment(), stdio: 'pipe' });
  let said = '';
  child.stderr.on('data', text => {
    said += String(text);
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, said }));
  return { child, ended };
}

describe('produce', { timeout: 120_000 }, () => {
  before(async () => {
    assert.equal((await call(['topics', 'create'])).code, 0);
  });

  it('puts what a live pipe has given on the topic, and what it holds when a signal ends it', async () => {
    const { child, ended } = produce('-');
    child.stdin.write(`${note('n-1', 'Fever.')}\nno note\n${note('n-2', 'Cough.')}\n`);
    while ((await noted()).length < 2) await sleep(100);
    assert.equal(child.exitCode, null, 'the pipe is still open');
    child.stdin.write(`${note('n-3', 'Chills.')}\n`);
    await sleep(800); // it has read it, and waits for more to go with it
    child.kill('SIGTERM');
    const { code, said } = await ended;
    assert.equal(code, EXIT.interrupted, said);
    assert.match(said, /stdin:2: not JSON[\s\S]*3 notes/);
    assert.deepEqual(await noted(), ['n-1', 'n-2', 'n-3']);
  });

  it('stops between notes of a file, and what it says is on the topic is there', async () => {
    const before = (await noted()).length;
    const path = join(folder, 'endless.jsonl');
    assert.equal(spawnSync('mkfifo', [path]).status, 0);
    const { child, ended } = produce(path);
    const file = createWriteStream(path).on('error', () => {}); // nobody reads it any more
    const write = (i: number): void => {
      file.write(`${note(`many-${i}`, 'Takes aspirin.')}\n`.repeat(10), error => error ?? setTimeout(write, 5, i + 1));
    };
    write(0);
    while ((await noted()).length === before) await sleep(50);
    child.kill('SIGINT');
    const { code, said } = await ended;
    assert.equal(code, EXIT.interrupted, said);
    const produced = (await noted()).length - before;
    assert.match(said.replaceAll(',', ''), new RegExp(`\\b${produced} notes`));
  });
});
