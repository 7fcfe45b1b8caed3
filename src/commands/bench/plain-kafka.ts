/** Consume, copy, produce, commit, with kafkajs as its documentation shows it: at least once, no transactions. */
import type { Kafka } from 'kafkajs';
import { interruption } from '../signals.ts';

/** @returns milliseconds from joining the group to the last record copied and committed. @throws Interrupted */
export async function copyPlainly(
  kafka: Kafka,
  route: { group: string; from: string; to: string },
  interrupted: AbortSignal,
): Promise<number> {
  const { group, from, to } = route;
  const admin = kafka.admin();
  const producer = kafka.producer();
  const consumer = kafka.consumer({ groupId: group, maxWaitTimeInMs: 250 });
  await Promise.all([admin.connect(), producer.connect(), consumer.connect()]);
  try {
    const ends = await admin.fetchTopicOffsets(from);
    const open = new Map(
      ends.filter(({ high }) => Number(high) > 0).map(({ partition, high }) => [partition, BigInt(high)]),
    );
    const done = Promise.withResolvers<void>();
    let began = 0;
    consumer.on(consumer.events.GROUP_JOIN, () => {
      began ||= performance.now();
    });
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { partition, lastOffset } }) => {
      if (BigInt(lastOffset) + 1n >= (open.get(partition) ?? 0n)) open.delete(partition);
      if (open.size === 0) done.resolve();
    });
    await consumer.subscribe({ topic: from, fromBeginning: true });
    await consumer.run({
      partitionsConsumedConcurrently: ends.length,
      eachBatch: async ({ batch }) => {
        const messages = batch.messages.map(({ key, value, headers }) => ({ key, value, headers: headers ?? {} }));
        await producer.send({ topic: to, acks: -1, messages });
      },
    });
    await Promise.race([done.promise, interruption(interrupted)]);
    return performance.now() - began;
  } finally {
    await Promise.all([admin.disconnect(), producer.disconnect(), consumer.disconnect()]);
  }
}
