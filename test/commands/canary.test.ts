/** If this fails, text of a patient's note would leave the log by a side door: a log line, a metric, a header or an error. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ensureTopics, openCodecs, openTransport } from '../../src/commands/open-transport.ts';
import { loadConfig } from '../../src/config.ts';
import type { OutgoingRecord } from '../../src/core/record.ts';
import { EmbeddedTransport } from '../../src/streams/embedded/embedded-transport.ts';
import { sent } from '../chaos/notes.ts';
import { inputs } from '../contract/corpus.ts';
import { readAll } from '../contract/harness.ts';
import { kafkaNeeds } from '../kafka/needs.ts';
import { sharedKafka } from '../kafka/shared.ts';
import { clinstream } from '../support/cli.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { allThatRunSays, CANARY, type Run, requireCleanHeaders } from './all-that-run-says.ts';

const TOPICS = ['clinical.notes', 'clinical.entities', 'clinical.dead-letters'];

/** Every kind of input and poison, its text full of the canary. */
async function canaries(): Promise<OutgoingRecord[]> {
  const all = await inputs(550);
  return all.map(({ record }, i) => {
    const { value } = record;
    // same length, so that the Avro around it stays what it was
    const text =
      value === null
        ? null
        : Buffer.from(
            value
              .toString('latin1')
              .replace(/Visit \d+: \w+/g, found => CANARY.padEnd(found.length, '!').slice(0, found.length)),
            'latin1',
          );
    return { ...record, value: i % 50 === 25 ? Buffer.from(`${CANARY} `.repeat(30)) : text };
  });
}

/** The tagger's run, whose log and metrics were really read. */
async function allThatTaggerSays(run: Run): Promise<string> {
  const output = await allThatRunSays(run);
  assert.match(output, /clinstream_.*dead/, 'metrics were read');
  assert.match(output, /"fact":"note.tagged"/, 'the log was at its most talkative');
  return output;
}

describe('canary', () => {
  it('is in no log line, metric, header or error of a run over good and bad notes', async () => {
    const data = temporaryFolder('canary');
    const log = new EmbeddedTransport({ directory: data, create: true, now: Date.now });
    for (const topic of TOPICS) await log.createTopic(topic, { partitions: 4, retention: { ms: null, bytes: null } });
    const records = await canaries();
    assert.ok(records.filter(each => each.value?.includes(CANARY)).length > 500, 'the notes are full of it');
    await log.append(records);

    const open = async (): Promise<number> => (await log.lags()).reduce((sum, each) => sum + Number(each.lag), 0);
    const done = async (): Promise<boolean> => (await log.lags()).length === 4 && (await open()) === 0;
    const output = await allThatTaggerSays({ args: ['--data', data], done });
    assert.ok(!output.includes(CANARY), 'logs, metrics and health');

    for (const topic of TOPICS.slice(1)) await requireCleanHeaders(log, topic);
    assert.ok(!(await clinstream(['dead-letters', 'list', '--data', data])).stdout.includes(CANARY));
    await log.close();
  });

  it('is nowhere on the way over Kafka either', { skip: kafkaNeeds().skip, timeout: 120_000 }, async () => {
    const { bootstrap, registryUrl } = await sharedKafka();
    const scope = `canary-${process.pid}`;
    const env = {
      CLINSTREAM_TRANSPORT: 'kafka',
      CLINSTREAM_KAFKA_BROKERS: bootstrap,
      CLINSTREAM_REGISTRY_URL: registryUrl,
      CLINSTREAM_REGISTRY_AUTO_REGISTER: 'true',
      CLINSTREAM_TOPICS_NOTES: `${scope}.notes`,
      CLINSTREAM_TOPICS_ENTITIES: `${scope}.entities`,
      CLINSTREAM_TOPICS_DEAD_LETTERS: `${scope}.dead-letters`,
      CLINSTREAM_TOPICS_ESCALATIONS: `${scope}.escalations`,
      CLINSTREAM_TOPICS_REVIEW: `${scope}.review`,
      CLINSTREAM_STREAM_GROUP: scope,
    };
    const config = loadConfig({ env });
    const kafka = await openTransport(config, { create: true, now: Date.now });
    await ensureTopics(kafka, config);
    const codecs = await openCodecs(config, Date.now);
    const count = 400;
    const fields = { text: `${CANARY} with fever. ${CANARY} takes aspirin.` };
    const records = await Promise.all(
      Array.from({ length: count }, async (_, i) => (await sent(i, codecs, config.topics.notes, fields)).record),
    );
    await kafka.append(records);
    const ends = [config.topics.entities, config.topics.deadLetters];
    const done = async (): Promise<boolean> =>
      (await Promise.all(ends.map(topic => readAll(kafka, topic)))).flat().length >= count;
    const output = await allThatTaggerSays({ env, done });
    assert.ok(!output.includes(CANARY), 'logs, metrics and health');
    for (const topic of ends) await requireCleanHeaders(kafka, topic);
    const list = await clinstream(['dead-letters', 'list'], { env });
    assert.equal(list.code, 0);
    assert.ok(!`${list.stdout}${list.stderr}`.includes(CANARY));
    await kafka.close();
  });

  it('is in no error of a command that cannot read its input', async () => {
    const folder = temporaryFolder('canary-input');
    const lines = [
      `{"id": 1, "text": "${CANARY}`,
      `{"${CANARY}": 1}`,
      `${CANARY}`,
      `{"id": ["${CANARY}"], "text": "x"}`,
      `{"id": 2, "text": "${CANARY}\\ud800"}`,
    ];
    const file = join(folder, 'bad.jsonl');
    writeFileSync(
      file,
      Buffer.concat([Buffer.from(lines.join('\n')), Buffer.from(`\n${CANARY}`), Buffer.from([0xff])]),
    );
    const data = join(folder, 'log');
    await clinstream(['topics', 'create', '--data', data]);
    for (const args of [
      ['tag', file],
      ['produce', file, '--data', data],
    ]) {
      const { code, stdout, stderr } = await clinstream(args);
      assert.equal(code, 3);
      assert.ok(!`${stdout}${stderr}`.includes(CANARY), `${args[0]}: ${stderr}`);
    }
  });
});
