/**
 * The independent reader: kafkajs alone, none of our transport (but without the aborted records that kafkajs
 * lets through). What it finds is committed, and in order within each partition,
 * which is all that can be asked.
 */
import { randomUUID } from 'node:crypto';
import type { Kafka, KafkaMessage } from 'kafkajs';
import { hideAbortedRecords } from '../../src/streams/kafka/aborted-transactions.ts';
import { until } from './client.ts';

/** With where it stands, and who wrote it. */
export type Committed = KafkaMessage & {
  readonly partition: number;
  /** kafkajs knows it and does not say so. */
  readonly batchContext?: { readonly producerId: string; readonly producerEpoch: number };
};

/** Every record up to where the topic ends now. */
export async function readCommitted(kafka: Kafka, topic: string): Promise<Committed[]> {
  hideAbortedRecords();
  const open = await endsOf(kafka, topic);
  if (open.size === 0) return [];
  const consumer = kafka.consumer({ groupId: `verify-${randomUUID()}`, readUncommitted: false, maxWaitTimeInMs: 200 });
  const found = new Map<string, Committed>(); // by place: where the group settles anew, kafkajs begins anew
  const done = Promise.withResolvers<void>();
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { partition, lastOffset } }) => {
    const end = open.get(partition);
    if (end !== undefined && BigInt(lastOffset) + 1n >= end) open.delete(partition);
    if (open.size === 0) done.resolve();
  });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachBatch: async ({ batch }) => {
      const { partition } = batch;
      for (const message of batch.messages) found.set(`${partition}/${message.offset}`, { ...message, partition });
    },
  });
  await done.promise;
  await consumer.disconnect();
  return [...found.values()];
}

/** By partition with records, the offset behind the last one. While leaders move, kafkajs gives up at once: then a new admin asks. */
async function endsOf(kafka: Kafka, topic: string): Promise<Map<number, bigint>> {
  const ends = new Map<number, bigint>();
  await until(`answer where ${topic} ends`, async () => {
    const admin = kafka.admin();
    await admin.connect();
    const offsets = await admin.fetchTopicOffsets(topic).finally(() => admin.disconnect());
    for (const { partition, low, high } of offsets) {
      if (BigInt(high) > BigInt(low)) ends.set(partition, BigInt(high));
    }
    return true;
  });
  return ends;
}
