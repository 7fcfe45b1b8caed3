/** If this fails, the lag of a partition that another process has now would stay among this one's metrics, for days. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AdminConnection } from '../../../src/streams/kafka/admin-connection.ts';
import { KafkaClaim } from '../../../src/streams/kafka/kafka-claim.ts';
import type { TransactionalProducer } from '../../../src/streams/kafka/transactional-producer.ts';
import { remember } from '../../contract/harness.ts';

describe('a claim of a partition', () => {
  it('tells its lag as it commits and as the partition grows, and no more once it is given up', async () => {
    const published: unknown[] = [];
    const producer: Partial<TransactionalProducer> = {
      place: async () => [],
      clear: async () => new Map(),
      publish: async (_, input) => void published.push(input?.next),
    };
    const { facts, observe } = remember();
    const claim = new KafkaClaim({
      group: 'g',
      topic: 'in',
      partition: 0,
      admin: {} as AdminConnection,
      producer: producer as TransactionalProducer,
      transactionMs: 1_000,
      position: 10n,
      high: 12n,
      observe,
      onLost: () => {},
    });
    claim.advance(12n, 11n, 12n);
    await claim.commit([], 11n);
    claim.see(20n);
    claim.see(15n); // an answer that was long on its way
    claim.silence();
    await claim.commit([], 12n);
    claim.see(30n);
    const lags = facts.flatMap(fact => (fact.kind === 'partition.lag' ? [fact.lag] : []));
    assert.deepEqual(lags, [2n, 2n, 1n, 9n]);
    assert.deepEqual(published, [11n, 12n], 'what was in hand is committed all the same');
  });
});
