/**
 * If this fails, a transaction larger than a topic's max.message.bytes would stop its worker for good or reorder a
 * partition, and one over several leaders would lose or double records where leaders move.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { inRequests } from '../../../src/streams/kafka/transactional-producer.ts';

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
