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
import { MODEL_DIRECTORY, ROOT } from '../support/model.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { inputs } from './corpus.ts';
import { readAll } from './harness.ts';

const NOTES = 5000;
const KILLS = 32;
const KEEP = { ms: null, bytes: null };

function run(directory: string): ChildProcess {
  return spawn(
    process.execPath,
    [join(ROOT, 'src/main.ts'), 'run', '--data', directory, '--until-drained', '--quiet'],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        ...process.env,
        CLINSTREAM_MODEL: MODEL_DIRECTORY,
        CLINSTREAM_TELEMETRY_LEVEL: 'error',
        CLINSTREAM_STREAM_TRANSACTION_RECORDS: '16',
        CLINSTREAM_STREAM_TRANSACTION_MS: '20',
      },
    },
  );
}

describe('killing the tagger', () => {
  it(`leaves every note with exactly one end, in order, over ${KILLS} SIGKILLs`, async () => {
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
    let inWork = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      // progress, not time, decides when: every kill lands somewhere else between two commits
      const enough = (await committed()) + 1 + Math.floor((random() * 1.6 * NOTES) / KILLS);
      const child = run(directory);
      const ended = once(child, 'exit');
      while (child.exitCode === null && (await committed()) < enough) await sleep(1);
      await sleep(random() * 20);
      child.kill('SIGKILL');
      await ended;
      const done = await committed();
      if (child.signalCode === 'SIGKILL' && done > 0 && done < NOTES) inWork++;
    }
    assert.ok(inWork >= 30, `${inWork} kills landed in the middle of the work`);

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
    for (const letter of await readAll(log, 'clinical.dead-letters')) {
      const noteId = String(letter.headers.n);
      end(noteId, deadLetterReason(letter)?.code);
      const { record } = byId.get(noteId) as (typeof all)[number];
      assert.ok(letter.value === null ? record.value === null : record.value?.equals(letter.value), 'bytes untouched');
      assert.deepEqual(letter.key, record.key);
    }
    assert.deepEqual(
      all.map(({ noteId }) => [noteId, ends.has(noteId), ends.get(noteId)]),
      all.map(({ noteId, code: expected }) => [noteId, true, expected]),
    );
    await log.close();
  });
});
