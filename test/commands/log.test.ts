/** If this fails, the way of a note over the embedded log would break, or a wrong command would not say so. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { consume } from '../../src/commands/consume.ts';
import { produce } from '../../src/commands/produce.ts';
import { Interrupted } from '../../src/commands/signals.ts';
import { loadConfig } from '../../src/config.ts';
import { cleanEnvironment, clinstream, readyUrl, rows } from '../support/cli.ts';
import { ROOT } from '../support/model.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { note, noteIds, type Place, wayOfANote } from './way-of-a-note.ts';

const folder = temporaryFolder('cli-log');
let logs = 0;

/** A fresh log with its topics, and the commands on it. */
async function freshLog(): Promise<Place & { readonly data: string }> {
  const data = join(folder, String(logs++));
  const call = (args: readonly string[], input = '') => clinstream([...args, '--data', data], { input });
  assert.equal((await call(['topics', 'create'])).code, 0);
  const names = {
    notes: 'clinical.notes',
    entities: 'clinical.entities',
    deadLetters: 'clinical.dead-letters',
    group: 'clinstream-tagger',
  };
  return { data, call, names };
}

wayOfANote('the embedded log', freshLog);

describe('a log', () => {
  it('keeps what it is told to, with names and without', async () => {
    const data = join(folder, String(logs++));
    const kept = ['--retention-hours', '24', '--retention-bytes', '1000', '--data', data];
    assert.equal((await clinstream(['topics', 'create', 'of-ours', ...kept])).code, 0);
    assert.equal((await clinstream(['topics', 'create', ...kept])).code, 0);
    const listed = await clinstream(['topics', 'list', '--format', 'jsonl', '--data', data]);
    const topics = rows<{ topic: string; retention: object }>(listed.stdout);
    assert.equal(topics.length, 6);
    for (const { topic, retention } of topics) assert.deepEqual(retention, { ms: 86_400_000, bytes: 1000 }, topic);
    const again = await clinstream(['topics', 'create', '--retention-hours', '1', '--data', data]);
    assert.deepEqual([again.code, again.stdout], [0, '']);
    assert.match(again.stderr, /^clinical\.notes is there already: its 4 partitions and its retention stay$/m);
  });

  it('refuses what is not there, already there, or already running, with exit code 5', async () => {
    const { data, call } = await freshLog();
    assert.match((await clinstream(['run', '--data', join(folder, 'absent')])).stderr, /LOG_MISSING/);
    const again = await call(['topics', 'create', 'clinical.notes']);
    assert.deepEqual([again.code, /TOPIC_EXISTS/.test(again.stderr)], [5, true]);
    const unknown = await call(['consume', 'nowhere', '--until-end']);
    assert.deepEqual([unknown.code, /TOPIC_UNKNOWN/.test(unknown.stderr)], [5, true]);
    const running = spawn(process.execPath, [join(ROOT, 'src/main.ts'), 'run', '--data', data, '--metrics-port', '0'], {
      cwd: ROOT,
      env: cleanEnvironment({ CLINSTREAM_TELEMETRY_LEVEL: 'info' }),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const url = await readyUrl(running.stderr);
    const second = await call(['run', '--until-drained']);
    assert.deepEqual([second.code, /runs group clinstream-tagger/.test(second.stderr)], [5, true]);
    assert.equal((await fetch(`${url}/readyz`)).status, 200);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    assert.match(metrics, /clinstream_/);
    assert.equal((await fetch(`${url}/healthz`)).status, 200);
    running.kill('SIGTERM');
    const [code] = await once(running, 'exit');
    assert.equal(code, 0, 'SIGTERM drains, commits and ends well');
    assert.equal((await call(['run', '--until-drained', '--quiet'])).code, 0, 'and frees the group');
  });

  it('says with exit code 130 that a signal came before the log was drained, and goes on there', async () => {
    const { data, call } = await freshLog();
    const text = 'Takes aspirin for a headache, no fever, no cough. '.repeat(3);
    const notes = Array.from({ length: 400 }, (_, i) => note(`n-${i}`, text));
    assert.equal((await call(['produce', '--quiet'], notes.join('\n'))).code, 0);
    const running = spawn(
      process.execPath,
      [join(ROOT, 'src/main.ts'), 'run', '--until-drained', '--quiet', '--data', data, '--metrics-port', '0'],
      { cwd: ROOT, env: cleanEnvironment({ CLINSTREAM_TELEMETRY_LEVEL: 'info' }), stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let said = '';
    running.stderr.on('data', text => {
      said += String(text);
    });
    await readyUrl(running.stderr);
    running.kill('SIGTERM');
    assert.deepEqual([(await once(running, 'close'))[0], /"state":"failed"/.test(said)], [130, false]);
    const lag = async (): Promise<number> => {
      const topics = rows<{ topic: string; lag: Record<string, number> }>(
        (await call(['topics', 'list', '--format', 'jsonl'])).stdout,
      );
      return topics.find(each => each.topic === 'clinical.notes')?.lag['clinstream-tagger'] ?? -1;
    };
    assert.ok((await lag()) > 0);
    assert.equal((await call(['run', '--until-drained', '--quiet'])).code, 0);
    assert.equal(await lag(), 0);
    assert.deepEqual(
      await noteIds(call, 'clinical.entities'),
      notes.map((_, i) => `n-${i}`),
    );
  });

  it('says with exit code 130 that a signal came before a topic was read to its end', async () => {
    const { data, call } = await freshLog();
    const notes = Array.from({ length: 600 }, (_, i) => note(`n-${i}`, 'Fever. '.repeat(300)));
    assert.equal((await call(['produce', '--quiet'], notes.join('\n'))).code, 0);
    const args = ['consume', 'clinical.notes', '--data', data];
    for (const [until, expected] of [
      [['--until-end'], 130],
      [[], 0],
    ] as const) {
      const reading = spawn(process.execPath, [join(ROOT, 'src/main.ts'), ...args, ...until], {
        cwd: ROOT,
        env: cleanEnvironment(),
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const ended = once(reading, 'close');
      let lines = 0;
      reading.stdout.on('data', chunk => {
        lines += String(chunk).split('\n').length - 1;
      });
      await once(reading.stdout, 'data');
      reading.stdout.pause();
      reading.kill('SIGTERM');
      await sleep(300); // it hears of that while nobody takes what it writes
      reading.stdout.resume();
      assert.deepEqual(await ended, [expected, null], until.join());
      assert.ok(lines > 0 && lines < notes.length, `${lines} lines`);
    }
  });

  it('hears a signal while a topic is written to a file, which never makes it wait', async () => {
    const { data, call } = await freshLog();
    // over all partitions, each of which is fetched at once
    const notes = Array.from({ length: 600 }, (_, i) => note(`n-${i}`, 'Fever.', { patientId: `p-${i}` }));
    assert.equal((await call(['produce', '--quiet'], notes.join('\n'))).code, 0);
    let lines = 0;
    const file = new Writable({
      write(_chunk, _encoding, done) {
        if (++lines === 1) process.kill(process.pid, 'SIGTERM');
        done();
      },
    });
    const { stdin, stderr } = process;
    const io = { stdin, stdout: file as NodeJS.WriteStream, stderr, env: {}, now: Date.now };
    const config = loadConfig({ env: {}, overrides: { data } });
    const options = { topic: 'clinical.notes', from: 'beginning', untilEnd: true } as const;
    await assert.rejects(consume(config, options, io), Interrupted);
    assert.ok(lines <= 200, `${lines} lines`);
  });

  it('takes all notes but those that are refused, a line that is too long too', async () => {
    const { call } = await freshLog();
    const lines = [
      note('n-1', 'a'),
      note('n-2', 'b'),
      note('n-3', 'c'),
      'x'.repeat(65 * 1024 * 1024),
      note('n-5', 'd'),
    ];
    const { code, stderr } = await call(['produce', '--quiet'], lines.join('\n'));
    assert.equal(code, 3);
    assert.match(stderr, /^clinstream: stdin:4 is longer than 67108864 bytes \[LINE_TOO_LONG\]\n$/);
    assert.deepEqual(await noteIds(call, 'clinical.notes'), ['n-1', 'n-2', 'n-3', 'n-5']);
  });

  it('takes the notes that came before the input of `produce` fails', async () => {
    const { data, call } = await freshLog();
    async function* failing(): AsyncIterable<Buffer> {
      yield Buffer.from(`${note('n-1', 'a')}\n${note('n-2', 'b')}\n{"noteId": "n-`);
      throw Object.assign(new Error('read'), { code: 'EIO' });
    }
    const { stdout, stderr } = process;
    const stdin = Readable.from(failing()) as unknown as NodeJS.ReadStream;
    const config = loadConfig({ env: {}, overrides: { data } });
    const producing = produce(config, { path: '-', quiet: true }, { stdin, stdout, stderr, env: {}, now: Date.now });
    await assert.rejects(producing, { code: 'FILE_UNREADABLE', message: 'cannot read standard input (EIO)' });
    assert.deepEqual(await noteIds(call, 'clinical.notes'), ['n-1', 'n-2']);
  });
});
