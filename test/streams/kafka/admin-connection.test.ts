/** If this fails, a program that was told to end would go on asking brokers that do not answer, one question after the other. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Admin, Kafka } from 'kafkajs';
import { AdminConnection } from '../../../src/streams/kafka/admin-connection.ts';

describe('the admin connection', () => {
  it('waits at its end for the question that is out, and asks none of those in line', async () => {
    let disconnected = 0;
    const stub: Partial<Admin> = {
      connect: async () => {},
      describeCluster: async () => ({ brokers: [], controller: null, clusterId: '' }),
      disconnect: async () => void disconnected++,
    };
    const admin = await AdminConnection.open({ admin: () => stub } as unknown as Kafka);
    const answer = Promise.withResolvers<string>();
    let asked = 0;
    const ask = (): Promise<string> =>
      admin.ask(() => {
        asked++;
        return answer.promise;
      });
    const first = ask();
    const inLine = Array.from({ length: 50 }, ask);
    const refused = Promise.all(inLine.map(each => assert.rejects(each, { code: 'CLOSED' })));
    await Promise.resolve();
    const closed = admin.close();
    await assert.rejects(ask(), { code: 'CLOSED' });
    assert.equal(disconnected, 0);
    answer.resolve('answered');
    assert.equal(await first, 'answered');
    await refused;
    await closed;
    assert.deepEqual({ asked, disconnected }, { asked: 1, disconnected: 1 });
  });

  it('asks again where kafkajs stumbles over an answer that was taken back', async () => {
    let asked = 0;
    const stumble = async <T>(answer: T): Promise<T> => {
      asked++;
      if (asked % 3 !== 0) throw new TypeError("Cannot read properties of null (reading 'topicMetadata')");
      return answer;
    };
    const stub: Partial<Admin> = {
      connect: async () => {},
      describeCluster: () => stumble({ brokers: [], controller: null, clusterId: '' }),
      listTopics: () => stumble(['in']),
      disconnect: async () => {},
    };
    const admin = await AdminConnection.open({ admin: () => stub } as unknown as Kafka);
    assert.deepEqual(await admin.ask(each => each.listTopics()), ['in']);
    assert.equal(asked, 6);
    await admin.close();
  });
});
