/** If this fails, a full disk would look like success, or like the end of the work. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { cleanEnvironment, clinstream, rows } from '../support/cli.ts';
import { ROOT } from '../support/model.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { note, noteIds } from './way-of-a-note.ts';

const MAIN = join(ROOT, 'src/main.ts');
const skip = process.platform === 'linux' ? false : 'there is no /dev/full';
const data = join(temporaryFolder('output'), 'log');
const NOTES = 'test/data/notes/notes.jsonl';

interface Told {
  readonly code: number | null;
  /** By the other stream. */
  readonly said: string;
}

/** The command with one of its streams on a full disk. */
async function onFullDisk(stream: 'stdout' | 'stderr', args: readonly string[], input = '', env = {}): Promise<Told> {
  const full = openSync('/dev/full', 'w');
  const stdio = stream === 'stdout' ? (['pipe', full, 'pipe'] as const) : (['pipe', 'pipe', full] as const);
  const child = spawn(process.execPath, [MAIN, ...args], { cwd: ROOT, env: cleanEnvironment(env), stdio: [...stdio] });
  closeSync(full);
  let said = '';
  (stream === 'stdout' ? child.stderr : child.stdout)?.on('data', text => {
    said += String(text);
  });
  child.stdin?.on('error', () => {}).end(input);
  const [code] = await once(child, 'close');
  return { code: code as number | null, said };
}

const call = (args: readonly string[]) => clinstream([...args, '--data', data]);

describe('a full disk', { skip, timeout: 120_000 }, () => {
  before(async () => {
    assert.equal((await call(['topics', 'create'])).code, 0);
  });

  it('under standard error ends no work: every good note is on its topic, and is tagged', async () => {
    const lines = [note('n-1', 'Takes aspirin.'), 'no note', note('n-3', 'Fever.')];
    const produced = await onFullDisk('stderr', ['produce', '--data', data], lines.join('\n'));
    assert.deepEqual(produced, { code: 3, said: '' });
    assert.deepEqual(await noteIds(call, 'clinical.notes'), ['n-1', 'n-3']);
    const env = { CLINSTREAM_TELEMETRY_LEVEL: 'trace' };
    const ran = await onFullDisk('stderr', ['run', '--until-drained', '--data', data], '', env);
    assert.deepEqual(ran, { code: 0, said: '' });
    assert.deepEqual(await noteIds(call, 'clinical.entities'), ['n-1', 'n-3']);
    const tagged = await onFullDisk('stderr', ['tag', '-'], '{"id": "1", "text": 5}\n{"id": "2", "text": "cough"}\n');
    assert.deepEqual([tagged.code, rows(tagged.said).length], [3, 2]);
  });

  it('under standard output is told, with an exit code that is not that of success', async () => {
    const commands = [
      ['tag', NOTES, '--format', 'jsonl', '--quiet'],
      ['tag', NOTES, '--format', 'html', '--quiet'],
      ['consume', 'clinical.notes', '--until-end', '--data', data],
      ['models', 'list'],
      ['--help'],
    ];
    for (const args of commands) {
      const { code, said } = await onFullDisk('stdout', args);
      assert.equal(code, 5, `${args.join(' ')}: ${said}`);
      assert.match(said, /^clinstream: standard output cannot be written \(ENOSPC\)[^\n]* \[OUTPUT_FAILED\]\n$/);
    }
  });

  it('under standard output is told where the last row was taken in part', async () => {
    const file = join(temporaryFolder('output'), 'rows.jsonl');
    const script = 'ulimit -f 8; exec "$0" "$@" > "$FILE"'; // a write over that limit is cut short, as on a disk that fills up
    const args = ['-c', script, process.execPath, MAIN, 'tag', '-', '--input', 'text', '--format', 'jsonl', '--quiet'];
    const child = spawn('sh', args, { cwd: ROOT, env: cleanEnvironment({ FILE: file }), stdio: 'pipe' });
    let said = '';
    child.stderr.on('data', more => {
      said += String(more);
    });
    child.stdin.end('Takes aspirin. '.repeat(500));
    assert.equal((await once(child, 'close'))[0], 5, said);
    assert.match(said, /\(EFBIG\)[^\n]* \[OUTPUT_FAILED\]\n$/);
    assert.ok(statSync(file).size > 0);
  });

  it('does not matter to a command that writes nothing there', async () => {
    const lines = [note('n-4', 'Cough.')];
    const { code, said } = await onFullDisk('stdout', ['produce', '--quiet', '--data', data], lines.join('\n'));
    assert.deepEqual([code, said], [0, '']);
  });
});

describe('a reader that goes away', () => {
  it('ends a command quietly, also where only its last line was not read', async () => {
    for (const args of [['tag', NOTES, '--format', 'jsonl', '--quiet'], ['models', 'list'], ['--help']]) {
      const child = spawn(process.execPath, [MAIN, ...args], { cwd: ROOT, env: cleanEnvironment(), stdio: 'pipe' });
      let stderr = '';
      child.stderr.on('data', text => {
        stderr += String(text);
      });
      child.stdout.destroy();
      child.stdin.end();
      assert.deepEqual([(await once(child, 'close'))[0], stderr], [0, ''], args.join(' '));
    }
  });
});
