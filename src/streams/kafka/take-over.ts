/**
 * How a partition becomes ours: fence, then read the committed offset, then begin there. The order is the whole safety of it: read
 * first, and a commit of the former owner may still come between; trust a position of one's own, and its records come twice.
 */
import type { Kafka } from 'kafkajs';
import type { Observer } from '../../core/facts.ts';
import type { TopicPartition } from '../../core/record.ts';
import { StreamError } from '../stream-error.ts';
import type { AdminConnection } from './admin-connection.ts';
import { committedOffsets, topicBounds } from './offsets.ts';
import type { Placement } from './placement.ts';
import { TransactionalProducer } from './transactional-producer.ts';

export interface Cluster {
  readonly kafka: Kafka;
  readonly admin: AdminConnection;
  readonly placement: Placement;
  readonly transactionMs: number;
}

export interface TakenOver {
  readonly producer: TransactionalProducer;
  readonly position: bigint;
  readonly high: bigint;
}

/** @throws StreamError OFFSET_OUT_OF_RANGE, and whatever the broker refuses. */
export async function takeOver(
  cluster: Cluster,
  group: string,
  { topic, partition }: TopicPartition,
  observe: Observer,
): Promise<TakenOver> {
  const { kafka, admin, placement, transactionMs } = cluster;
  const producer = await TransactionalProducer.open({
    kafka,
    placement,
    transactionMs,
    transactionalId: `${group}-${topic}-${partition}`,
    onPhase: phase => observe({ kind: 'partition.phase', group, topic, partition, phase }),
  });
  try {
    const committed = (await committedOffsets(admin, group, topic))[partition];
    const { low, high } = (await topicBounds(admin, topic))[partition] ?? { low: 0n, high: 0n };
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
