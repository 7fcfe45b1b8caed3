/**
 * How a partition becomes ours: fence, then read the committed offset, then begin there. The order is the whole safety of it: read
 * first, and a commit of the former owner may still come between; trust a position of one's own, and its records come twice.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Kafka } from 'kafkajs';
import type { Observer } from '../../core/facts.ts';
import type { TopicPartition } from '../../core/record.ts';
import { StreamError } from '../stream-error.ts';
import type { AdminConnection } from './admin-connection.ts';
import type { KafkaSettings } from './client.ts';
import { committedOffsets, topicBounds } from './offsets.ts';
import type { Placement } from './placement.ts';
import { TransactionalProducer } from './transactional-producer.ts';

export interface Cluster {
  readonly settings: KafkaSettings;
  readonly kafka: Kafka;
  readonly admin: AdminConnection;
  readonly placement: Placement;
}

const END_MS = 10_000;

export interface TakenOver {
  readonly producer: TransactionalProducer;
  readonly position: bigint;
  readonly high: bigint;
}

/** One id a partition: whoever opens it next fences whoever had it. */
export function transactionalIdOf(group: string, { topic, partition }: TopicPartition): string {
  return `${group}-${topic}-${partition}`;
}

/** @throws StreamError OFFSET_OUT_OF_RANGE, and whatever the broker refuses. */
export async function takeOver(
  cluster: Cluster,
  group: string,
  { topic, partition }: TopicPartition,
  observe: Observer,
): Promise<TakenOver> {
  const { kafka, admin, placement } = cluster;
  const { transactionMs } = cluster.settings;
  const producer = await TransactionalProducer.open({
    kafka,
    placement,
    transactionMs,
    transactionalId: transactionalIdOf(group, { topic, partition }),
    onPhase: phase => observe({ kind: 'partition.phase', group, topic, partition, phase }),
  });
  try {
    const committed = (await committedOffsets(admin, group, topic))[partition];
    let { low, high } = (await topicBounds(admin, topic))[partition] ?? { low: 0n, high: 0n };
    // a new leader may know of the end a moment later
    for (const until = performance.now() + END_MS; committed !== undefined && committed > high; ) {
      if (performance.now() > until) break;
      await sleep(100);
      ({ low, high } = (await topicBounds(admin, topic))[partition] ?? { low, high });
    }
    if (committed !== undefined && committed > high) {
      throw new StreamError(
        'OFFSET_OUT_OF_RANGE',
        `${topic}/${partition} ends at ${high}, but group ${group} has committed ${committed}: the topic was made anew or lost records; reset the group's offsets on purpose, or name another group`,
      );
    }
    if (committed !== undefined && committed < low) {
      observe({ kind: 'partition.truncated', group, topic, partition, records: low - committed });
    }
    const position = committed === undefined || committed < low ? low : committed;
    return { producer, position, high };
  } catch (error) {
    await producer.close();
    throw error;
  }
}
