/** If this fails, a worker would stay "not ready", or end, over a partition that another worker has by now. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { unobserved } from '../../../src/core/facts.ts';
import { HeldPartition } from '../../../src/streams/kafka/held-partition.ts';
import type { Cluster } from '../../../src/streams/kafka/take-over.ts';
import { settingsFor } from './settings.ts';

/** A cluster that refuses a take-over when it is told to, for a reason of the protocol. */
function refusing(): { cluster: Cluster; began: Promise<void>; refuse: (type: string) => void } {
  const began = Promise.withResolvers<void>();
  const refusal = Promise.withResolvers<never>();
  const producer = {
    connect: () => {
      began.resolve();
      return refusal.promise;
    },
    disconnect: async () => {},
  };
  const cluster = { kafka: { producer: () => producer }, settings: settingsFor('127.0.0.1:1') };
  return {
    cluster: cluster as unknown as Cluster,
    began: began.promise,
    refuse: type => refusal.reject(Object.assign(new Error(type), { name: 'KafkaJSProtocolError', type })),
  };
}

describe('a partition that is given away while it is being taken over', () => {
  for (const type of ['INVALID_PRODUCER_EPOCH', 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED']) {
    it(`says nothing of a take-over that then fails with ${type}`, async () => {
      const told: string[] = [];
      const { cluster, began, refuse } = refusing();
      const held = new HeldPartition({
        cluster,
        group: 'g',
        topic: 'in',
        partition: 0,
        member: { current: true, pause: () => {}, resume: () => {}, seek: () => {} },
        handler: { onBatch: async () => {}, onRelease: async () => {} },
        begin: undefined,
        observe: unobserved,
        events: {
          onTaken: () => void told.push('taken'),
          onUnsettled: code => void told.push(code),
          onFailed: ({ code }) => void told.push(code),
        },
        paused: false,
        before: Promise.resolve(),
      });
      await began;
      held.giveUp();
      refuse(type);
      await held.settled;
      assert.deepEqual(told, []);
    });
  }
});
