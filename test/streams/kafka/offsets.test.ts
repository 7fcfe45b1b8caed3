/** If this fails, whoever asks where a topic ends would be refused for as long as a leader moves, and a reader would end. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Admin, Kafka } from 'kafkajs';
import { AdminConnection } from '../../../src/streams/kafka/admin-connection.ts';
import { topicBounds } from '../../../src/streams/kafka/offsets.ts';

describe('where a topic begins and ends', () => {
  const asking = async (failures: string[]): Promise<{ admin: AdminConnection; asked: () => number }> => {
    let asked = 0;
    const stub: Partial<Admin> = {
      connect: async () => {},
      describeCluster: async () => ({ brokers: [], controller: null, clusterId: '' }),
      disconnect: async () => {},
      fetchTopicOffsets: async () => {
        asked++;
        const type = failures.shift();
        if (type !== undefined) throw Object.assign(new Error(type), { type });
        return [{ partition: 0, offset: '7', high: '7', low: '2' }];
      },
    };
    const admin = await AdminConnection.open({ admin: () => stub } as unknown as Kafka);
    return { admin, asked: () => asked };
  };

  it('is asked again while a partition has no leader', async () => {
    const { admin, asked } = await asking(['NOT_LEADER_FOR_PARTITION', 'LEADER_NOT_AVAILABLE']);
    assert.deepEqual(await topicBounds(admin, 'in'), [{ low: 2n, high: 7n }]);
    assert.equal(asked(), 3);
  });

  it('is not asked again after any other failure', async () => {
    const { admin, asked } = await asking(['TOPIC_AUTHORIZATION_FAILED']);
    await assert.rejects(topicBounds(admin, 'in'), { type: 'TOPIC_AUTHORIZATION_FAILED' });
    assert.equal(asked(), 1);
  });

  it('is asked no more after a while', async () => {
    const { admin } = await asking(Array(99).fill('NOT_LEADER_FOR_PARTITION'));
    await assert.rejects(topicBounds(admin, 'in'), { type: 'NOT_LEADER_FOR_PARTITION' });
  });
});
