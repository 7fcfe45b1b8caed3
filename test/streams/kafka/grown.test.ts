/** If this fails, entities would be lost, with success, where somebody adds partitions to a topic while it is written to. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ConsumerConfig } from 'kafkajs';
import type { StreamRecord } from '../../../src/core/record.ts';
import { createKafka, type KafkaClient } from '../../../src/streams/kafka/client.ts';
import { KafkaTransport } from '../../../src/streams/kafka/kafka-transport.ts';
import { copy, keyed, readAll, start } from '../../contract/harness.ts';
import { client, until } from '../../kafka/client.ts';
import { kafkaNeeds } from '../../kafka/needs.ts';
import { sharedKafka } from '../../kafka/shared.ts';
import { settingsFor } from './settings.ts';

const [IN, OUT] = ['grown-in', 'grown-out'];
/** How long it may take until a topic that grows is noticed. */
const NOTICED_MS = 61_000;
const { skip } = kafkaNeeds();

describe('a topic that grows', { skip, timeout: 120_000 }, () => {
  let now = Date.now();
  let transport: KafkaTransport;
  let bootstrap: string;
  const written: string[] = [];

  before(async () => {
    ({ bootstrap } = await sharedKafka());
    transport = await KafkaTransport.open(settingsFor(bootstrap), () => now);
    for (const topic of [IN, OUT])
      await transport.createTopic(topic, { partitions: 1, retention: { ms: null, bytes: null } });
  });
  after(() => transport?.close());

  const values = (name: string): string[] => Array.from({ length: 40 }, (_, i) => `${name} ${i}`);
  const append = async (names: readonly string[], topic: string): Promise<void> => {
    await transport.append(names.map(name => keyed(name, name, topic)));
    written.push(...names);
  };

  async function grow(topic: string, count: number): Promise<void> {
    const admin = client(bootstrap, {}, 5).admin();
    await admin.connect();
    await admin.createPartitions({ topicPartitions: [{ topic, count }] });
    await until(`leaders of ${topic}`, async () => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      return topics[0]?.partitions.filter(({ leader }) => leader >= 0).length === count;
    });
    await admin.disconnect();
    now += NOTICED_MS;
  }

  /** As another process, which begins with the partitions that there are now; some of it must stand in those that came. */
  async function found(partitions: number): Promise<string[]> {
    const reader = await KafkaTransport.open(settingsFor(bootstrap), Date.now);
    const all = await readAll(reader, OUT);
    await reader.close();
    assert.ok(all.some(({ partition }) => partition >= partitions));
    return all.map(({ value }) => String(value)).sort();
  }

  /** A client whose consumers notice new partitions at once, so that no test need wait for a minute. */
  function attentive(): KafkaClient {
    const kafka = createKafka(settingsFor(bootstrap));
    const { consumer } = kafka;
    kafka.consumer = config => consumer.call(kafka, { ...(config as ConsumerConfig), metadataMaxAge: 500 });
    return kafka;
  }

  it('gets what a worker writes, in the partitions that came', async () => {
    const processor = { process: async (record: StreamRecord) => [copy(record, OUT)] };
    const running = await start(transport, processor, { group: 'grown', topics: [IN], outputs: [OUT] });
    await append(['before'], IN);
    await running.subscription.drained();
    await grow(OUT, 4);
    await append(values('after'), IN);
    await running.subscription.drained();
    await running.stop();
    assert.deepEqual(await found(1), written.toSorted());
  });

  it('is read by a worker in the partitions that came', async () => {
    const worker = await KafkaTransport.open(settingsFor(bootstrap), Date.now, attentive());
    const processor = { process: async (record: StreamRecord) => [copy(record, OUT)] };
    const running = await start(worker, processor, { group: 'grown', topics: [IN], outputs: [OUT] });
    await grow(IN, 2);
    await transport.append([{ ...keyed('second', 'second', IN), partition: 1 }]);
    written.push('second');
    await until('the note of the new partition', async () => (await found(1)).includes('second'));
    await running.subscription.drained();
    await worker.close();
    assert.deepEqual(await found(1), written.toSorted());
  });

  it('gives a reader that follows it what comes in the partitions that came', async () => {
    const follower = await KafkaTransport.open(settingsFor(bootstrap), Date.now, attentive());
    await follower.createTopic('grown-followed', { partitions: 1, retention: { ms: null, bytes: null } });
    const records = follower.read('grown-followed', { from: 'end', untilEnd: false })[Symbol.asyncIterator]();
    const first = records.next();
    await transport.append([{ ...keyed('a', 'first', 'grown-followed'), partition: 0 }]);
    assert.equal(String((await first).value?.value), 'first');
    await grow('grown-followed', 2);
    await transport.append([{ ...keyed('a', 'second', 'grown-followed'), partition: 1 }]);
    assert.equal(String((await records.next()).value?.value), 'second');
    await records.return?.();
    await follower.close();
  });

  it('gets what is appended', async () => {
    await append(['appended before'], OUT);
    await grow(OUT, 8);
    await append(values('appended after'), OUT);
    assert.deepEqual(await found(4), written.toSorted());
  });
});
