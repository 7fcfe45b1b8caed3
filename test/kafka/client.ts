/** The few things that tests of the launcher do with a broker, by kafkajs: they wait for what they asked for, and disconnect. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, type KafkaConfig, logLevel } from 'kafkajs';

type Access = Pick<KafkaConfig, 'ssl' | 'sasl' | 'requestTimeout'>;

/** Without retries a refusal is seen at once; a consumer needs some, since a new broker has to make its offsets topic first. */
export function client(bootstrap: string, access: Access = {}, retries = 0): Kafka {
  return new Kafka({ brokers: bootstrap.split(','), logLevel: logLevel.NOTHING, retry: { retries }, ...access });
}

/** Creates a topic of one partition and waits until it has a leader. @param settings the topic's own, by name. */
export async function createTopic(kafka: Kafka, topic: string, settings: Record<string, string> = {}): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
    await admin.createTopics({ topics: [{ topic, numPartitions: 1, configEntries }], waitForLeaders: false });
    await until(`a leader of ${topic}`, async () => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      return (topics[0]?.partitions[0]?.leader ?? 0) > 0;
    });
  } finally {
    await admin.disconnect();
  }
}

/** The nodes that hold a partition: the leader, and who has all of it. @throws where the brokers know no leader. */
export async function replicas(
  kafka: Kafka,
  topic: string,
  partition = 0,
): Promise<{ leader: number; isr: readonly number[] }> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    const found = topics[0]?.partitions.find(each => each.partitionId === partition);
    if (found === undefined || found.leader < 0) throw new Error(`${topic}/${partition} has no leader`);
    return { leader: found.leader, isr: found.isr };
  } finally {
    await admin.disconnect();
  }
}

export const leaderOf = async (kafka: Kafka, topic: string, partition = 0): Promise<number> =>
  (await replicas(kafka, topic, partition)).leader;

/** Its offset. */
export async function produce(kafka: Kafka, topic: string, value: string): Promise<string | undefined> {
  const producer = kafka.producer();
  await producer.connect();
  try {
    const [written] = await producer.send({ topic, messages: [{ value }] });
    return written?.baseOffset;
  } finally {
    await producer.disconnect();
  }
}

/** The first values of a topic, read by a new group. */
export async function consume(kafka: Kafka, topic: string, count: number): Promise<string[]> {
  const consumer = kafka.consumer({ groupId: `reader-${randomUUID()}`, maxWaitTimeInMs: 100 });
  const values: string[] = [];
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }) => {
        values.push(String(message.value));
      },
    });
    await until(`${count} records of ${topic}`, async () => values.length >= count);
  } finally {
    await consumer.disconnect();
  }
  return values;
}

/** Errors of an attempt count as not yet. */
export async function until(what: string, holds: () => Promise<boolean>, ms = 60_000): Promise<void> {
  const end = Date.now() + ms;
  while (!(await holds().catch(() => false))) {
    if (Date.now() > end) throw new Error(`still no ${what} after ${ms} ms`);
    await sleep(50);
  }
}

/**
 * The node that coordinates a group or a transactional id: the leader of the partition of the topic with their state, among four,
 * that Java's hash of the name picks.
 */
export function coordinatorOf(kafka: Kafka, what: 'group' | 'transaction', id: string): Promise<number> {
  let hash = 0;
  for (const unit of id) hash = (Math.imul(31, hash) + (unit.codePointAt(0) ?? 0)) | 0;
  return leaderOf(kafka, what === 'group' ? '__consumer_offsets' : '__transaction_state', Math.abs(hash) % 4);
}

/** Makes another replica the one that should lead, and waits until it does: nobody dies. The cluster must move leaders by itself. */
export async function moveLeader(kafka: Kafka, topic: string, partition: number): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    const found = topics[0]?.partitions.find(each => each.partitionId === partition);
    const [leader, ...others] = found?.replicas ?? [];
    const wanted = [...others, leader as number];
    await admin.alterPartitionReassignments({
      topics: [{ topic, partitionAssignment: [{ partition, replicas: wanted }] }],
    });
    await until('move', async () => (await leaderOf(kafka, topic, partition)) === wanted[0]);
  } finally {
    await admin.disconnect();
  }
}
