/** If this fails, a patient's notes would change partition on the way to Kafka, and lose their order. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { murmur2, partitionOf } from '../../src/streams/partitioner.ts';

/** From org.apache.kafka.common.utils.UtilsTest.testMurmur2. */
const PUBLISHED: readonly (readonly [string, number])[] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
];

describe('partitioner', () => {
  for (const [key, hash] of PUBLISHED) {
    it(`hashes ${key} as Kafka does`, () => assert.equal(murmur2(Buffer.from(key)), hash));
  }

  it('gives every key one of the partitions, always the same', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.integer({ min: 1, max: 100 }), (bytes, partitions) => {
        const key = Buffer.from(bytes);
        const partition = partitionOf(key, partitions);
        assert.ok(Number.isInteger(partition) && partition >= 0 && partition < partitions);
        assert.equal(partitionOf(Buffer.from(bytes), partitions), partition);
      }),
    );
  });
});
