/**
 * If this fails, a transaction larger than a topic's max.message.bytes would stop its worker for good or reorder a
 * partition, and one over several leaders would lose or double records where leaders move.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { KafkaTransport } from '../../../src/streams/kafka/kafka-transport.ts';
import { inRequests, sendOffset } from '../../../src/streams/kafka/transactional-producer.ts';
import { drain, echo, keyed, remember, texts } from '../../contract/harness.ts';
import { scoped } from '../../contract/scoped.ts';
import { kafkaNeeds } from '../../kafka/needs.ts';
import { sharedKafka } from '../../kafka/shared.ts';
import { settingsFor } from './settings.ts';

describe('requests of a transaction', () => {
  it('are for one partition each, hold every record once and in order, and no more bytes than they may', () => {
    const records = fc.array(fc.record({ topic: fc.constantFrom('a', 'b'), partition: fc.nat(2), size: fc.nat(900) }), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(records, all => {
        const numbered = all.map(({ topic, partition, size }, i) => ({
          topic,
          message: { key: String(i), value: Buffer.alloc(size), partition },
        }));
        const topics = ['a', 'b'].map(topic => ({
          topic,
          messages: numbered.filter(each => each.topic === topic).map(each => each.message),
        }));
        const places = (lists: typeof topics): string[][] =>
          ['a/0', 'a/1', 'a/2', 'b/0', 'b/1', 'b/2'].map(place =>
            lists.flatMap(({ topic, messages }) =>
              messages.filter(({ partition }) => `${topic}/${partition}` === place).map(({ key }) => key),
            ),
          );
        const partitions = inRequests(topics, 1_000) as (typeof topics)[];
        assert.deepEqual(places(partitions.flat()), places(topics));
        for (const requests of partitions) {
          const targets = requests.flatMap(({ topic, messages }) => messages.map(each => `${topic}/${each.partition}`));
          assert.equal(new Set(targets).size, 1, 'one partition');
          for (const { messages } of requests) {
            const bytes = messages.reduce((sum, { value }) => sum + value.length, 0);
            assert.ok(messages.length === 1 || bytes <= 1_000);
          }
        }
      }),
    );
  });
});

describe('the offset of a transaction', () => {
  const input = { group: 'g', topic: 'in', partition: 0, next: 7n };
  const failing = (failures: string[]): { sendOffsets(): Promise<void>; readonly asked: number } => ({
    asked: 0,
    async sendOffsets() {
      (this as { asked: number }).asked++;
      const type = failures.shift();
      if (type !== undefined) throw Object.assign(new Error(type), { type });
    },
  });

  it('is sent again where the coordinator moved, or its markers are on their way', async () => {
    const moving = ['NOT_COORDINATOR_FOR_GROUP', 'GROUP_COORDINATOR_NOT_AVAILABLE', 'GROUP_LOAD_IN_PROGRESS'];
    const transaction = failing([...moving, 'CONCURRENT_TRANSACTIONS']);
    await sendOffset(transaction, input);
    assert.equal(transaction.asked, 5);
  });

  it('is not sent again by who was fenced', async () => {
    const transaction = failing(['INVALID_PRODUCER_EPOCH', 'CONCURRENT_TRANSACTIONS']);
    await assert.rejects(sendOffset(transaction, input), { type: 'INVALID_PRODUCER_EPOCH' });
    assert.equal(transaction.asked, 1);
  });
});

const { skip } = kafkaNeeds();

describe('a transaction larger than max.message.bytes', { skip, timeout: 120_000 }, () => {
  it('passes through topics with the default of brokers, in order', async () => {
    const { bootstrap } = await sharedKafka();
    const settings = settingsFor(bootstrap, { recordBytes: 1_048_588 });
    const transport = scoped(await KafkaTransport.open(settings, Date.now), `large-${process.pid}`);
    for (const topic of ['in', 'out']) {
      await transport.createTopic(topic, { partitions: 1, retention: { ms: null, bytes: null } });
    }
    const values = Array.from({ length: 40 }, (_, i) => `${i} ${'x'.repeat(100_000)}`);
    await transport.append(values.map(value => keyed('a', value)));
    const { facts, observe } = remember();
    await drain(transport, echo, { transactionRecords: 100, transactionBytes: 8 << 20, transactionMs: 500, observe });
    assert.deepEqual(await texts(transport, 'out'), values);
    const sizes = facts.flatMap(fact => (fact.kind === 'transaction.committed' ? [fact.records] : []));
    assert.ok(Math.max(...sizes) > 10, `one of them held more than 1 MiB: ${sizes}`);
    await transport.close();
  });
});
