/** If this fails, a crash of the real program would lose a note, tag one twice, or break a patient's order. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { seeded } from '../../src/evaluation/bootstrap.ts';
import { deadLetterReason } from '../../src/events/dead-letter.ts';
import { createEntitiesCodec } from '../../src/events/entities-event.ts';
import { EmbeddedTransport } from '../../src/streams/embedded/embedded-transport.ts';
import { cleanEnvironment } from '../support/cli.ts';
import { ROOT } from '../support/model.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { inputs } from './corpus.ts';
import { readAll } from './harness.ts';

const NOTES = 5000;
/** Every sixth during start-up, the others amid the work. */
const KILLS = 34;
const STARTUP_MS = 700;
const KEEP = { ms: null, bytes: null };

function run(directory: string): ChildProcess {
  return spawn(
    process.execPath,
    [join(ROOT, 'src/main.ts'), 'run', '--data', directory, '--until-drained', '--quiet'],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        ...cleanEnvironment(),
        CLINSTREAM_TELEMETRY_LEVEL: 'error',
        CLINSTREAM_STREAM_TRANSACTION_RECORDS: '16',
        CLINSTREAM_STREAM_TRANSACTION_MS: '20',
      },
    },
  );
}

describe('killing the tagger', () => {
  it(`leaves every note with exactly one end, in order, over ${KILLS} SIGKILLs`, { timeout: 300_000 }, async () => {
    const directory = temporaryFolder('kill');
    const log = new EmbeddedTransport({ directory, create: true, now: Date.now });
    for (const topic of ['clinical.notes', 'clinical.entities', 'clinical.dead-letters']) {
      await log.createTopic(topic, { partitions: 4, retention: KEEP });
    }
    const all = await inputs(NOTES);
    for (let i = 0; i < all.length; i += 500) await log.append(all.slice(i, i + 500).map(each => each.record));

    const committed = async (): Promise<number> => {
      const lags = await log.lags();
      const open = lags.reduce((sum, each) => sum + Number(each.lag), 0);
      return lags.length < 4 ? 0 : NOTES - open;
    };
    const random = seeded(20);
    const alive = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null;
    let inWork = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const before = await committed();
      const child = run(directory);
      const ended = once(child, 'exit');
      if (kill % 6 === 5) {
        await sleep(random() * STARTUP_MS);
      } else {
        // progress, not time, decides when: every kill lands somewhere else between two commits
        const enough = before + 1 + Math.floor((random() * NOTES) / KILLS);
        while (alive(child) && (await committed()) < enough) await sleep(4);
        await sleep(random() * 20);
      }
      child.kill('SIGKILL');
      await ended;
      const done = await committed();
      if (child.signalCode === 'SIGKILL' && done > before && done < NOTES) inWork++;
    }
    assert.ok(inWork >= 25, `${inWork} kills landed after commits of their own and before the end`);

    const [code] = await once(run(directory), 'exit');
    assert.equal(code, 0);

    const codec = createEntitiesCodec();
    const ends = new Map<string, string | undefined>();
    const end = (noteId: string, how: string | undefined): void => {
      assert.ok(!ends.has(noteId), `${noteId} has two ends`);
      ends.set(noteId, how);
    };
    const lastOfPatient = new Map<string, number>();
    for (const { key, value } of await readAll(log, 'clinical.entities')) {
      const event = await codec.decode(value);
      assert.equal(String(key), event.patientId);
      const number = Number(event.noteId.slice('note-'.length));
      assert.ok(number > (lastOfPatient.get(event.patientId) ?? -1), 'a patient’s notes stay in order');
      lastOfPatient.set(event.patientId, number);
      end(event.noteId, undefined);
    }
    const byId = new Map(all.map(each => [each.noteId, each]));
    const sources = new Map((await readAll(log, 'clinical.notes')).map(each => [String(each.headers.n), each]));
    for (const letter of await readAll(log, 'clinical.dead-letters')) {
      const noteId = String(letter.headers.n);
      const reason = deadLetterReason(letter);
      end(noteId, reason?.code);
      const { record } = byId.get(noteId) as (typeof all)[number];
      const source = sources.get(noteId);
      assert.deepEqual(
        [reason?.partition, reason?.offset],
        [source?.partition, source?.offset],
        'it says where it was',
      );
      assert.ok(letter.value === null ? record.value === null : record.value?.equals(letter.value), 'bytes untouched');
      assert.deepEqual(letter.key, record.key);
    }
    assert.deepEqual(
      all.map(({ noteId }) => [noteId, ends.has(noteId), ends.get(noteId)]),
      all.map(({ noteId, code: expected }) => [noteId, true, expected]),
    );
    assert.ok(
      (await log.lags()).every(each => each.lag === 0n),
      'everything is acknowledged',
    );
    await log.close();
  });
});
