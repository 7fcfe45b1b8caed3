/** If this fails, the way of a note over the embedded log would break somewhere between `produce` and `consume`. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { cleanEnvironment, clinstream, rows } from '../support/cli.ts';
import { ROOT } from '../support/model.ts';
import { temporaryFolder } from '../support/temporary.ts';

const folder = temporaryFolder('cli-log');
let logs = 0;

function note(noteId: string, text: string, fields: object = {}): string {
  return JSON.stringify({
    noteId,
    patientId: 'p-1',
    noteType: 'progress',
    authoredAt: '2026-01-02T03:04:05Z',
    text,
    deidentification: { method: 'synthetic', version: '1' },
    ...fields,
  });
}

/** A fresh log with its topics, and the commands on it. */
async function freshLog(): Promise<{
  data: string;
  call: (args: readonly string[], input?: string) => ReturnType<typeof clinstream>;
}> {
  const data = join(folder, String(logs++));
  const call = (args: readonly string[], input = '') => clinstream([...args, '--data', data], { input });
  assert.equal((await call(['topics', 'create'])).code, 0);
  return { data, call };
}

interface Consumed {
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: Record<string, unknown>;
}

interface Letter {
  readonly at: string;
  readonly code: string;
  readonly categories: readonly string[];
  readonly replays: number;
}

describe('clinstream on the embedded log', () => {
  it('takes notes to entities, and shows topics, lag and headers', async () => {
    const { call } = await freshLog();
    const lines = [
      note('n-1', 'Takes aspirin.'),
      note('n-2', 'Fever.', { noteVersion: 2 }),
      '{"noteId": "n-3", "text": "CANARY"}',
      'CANARY',
    ];
    const produced = await call(['produce'], lines.join('\n'));
    assert.equal(produced.code, 3, 'two lines were refused');
    assert.match(produced.stderr, /stdin:3: .*patientId/);
    assert.match(produced.stderr, /stdin:4: not JSON/);
    assert.ok(!produced.stderr.includes('CANARY'));
    assert.equal((await call(['run', '--until-drained', '--quiet'])).code, 0);
    const entities = rows<Consumed>((await call(['consume', 'clinical.entities', '--until-end'])).stdout);
    assert.deepEqual(
      entities.map(each => [each.key, each.value.noteId, each.value.noteVersion, each.value.status]),
      [
        ['p-1', 'n-1', 1, 'FINAL'],
        ['p-1', 'n-2', 2, 'FINAL'],
      ],
    );
    const [first] = entities;
    assert.equal(first?.headers.ce_type, 'clinstream.v1.EntitiesEvent');
    assert.equal(first?.headers.ce_id, first?.value.eventId);
    const [source] = rows<Consumed>((await call(['consume', 'clinical.notes', '--until-end'])).stdout);
    assert.equal(
      source?.headers.traceparent?.split('-')[1],
      first?.headers.traceparent?.split('-')[1],
      'one trace from note to entities',
    );
    const topics = rows<{ topic: string; records: number; lag: Record<string, number> }>(
      (await call(['topics', 'list', '--format', 'jsonl'])).stdout,
    );
    assert.deepEqual(
      topics.map(each => [each.topic, each.records, each.lag]),
      [
        ['clinical.dead-letters', 0, {}],
        ['clinical.entities', 2, {}],
        ['clinical.notes', 2, { 'clinstream-tagger': 0 }],
      ],
    );
  });

  it('lists dead letters without their content, and replays them', async () => {
    const { call } = await freshLog();
    await call(
      ['produce'],
      [note('n-1', 'call CANARY at 555-234-5678'), note('n-2', 'CANARY', { deidentification: null })].join('\n'),
    );
    await call(['run', '--until-drained', '--quiet']);
    const listed = await call(['dead-letters', 'list']);
    assert.ok(!listed.stdout.includes('CANARY') && !listed.stdout.includes('5678'));
    const letters = rows<Letter>(listed.stdout);
    assert.deepEqual(
      letters.map(each => [each.code, each.categories]),
      [
        ['NOTE_LOOKS_IDENTIFIED', ['phone']],
        ['NOTE_NOT_ATTESTED', []],
      ],
    );
    assert.equal((await call(['dead-letters', 'replay', '--code', 'NOTE_NOT_ATTESTED'])).stdout, '1 replayed\n');
    await call(['run', '--until-drained', '--quiet']);
    const after = rows<Letter>((await call(['dead-letters', 'list'])).stdout);
    assert.deepEqual(
      after.map(each => each.replays),
      [0, 0, 1],
      'still not attested: back again, and counted',
    );
    assert.equal((await call(['dead-letters', 'replay', '--at', after[0]?.at ?? ''])).stdout, '1 replayed\n');
    assert.equal((await call(['dead-letters', 'replay', '--at', 'nonsense'])).code, 3);
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
});

/** The address that `run` prints, once it says that it is ready. */
function readyUrl(stderr: NodeJS.ReadableStream): Promise<string> {
  let seen = '';
  return new Promise((done, fail) => {
    stderr.on('data', text => {
      seen += String(text);
      const url = /health and metrics: (\S+)/.exec(seen)?.[1];
      if (url !== undefined && seen.includes('"state":"ready"')) done(url);
    });
    stderr.on('end', () => fail(new Error('the process ended before it was ready')));
  });
}
