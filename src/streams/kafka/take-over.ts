/**
 * How a partition becomes ours: fence, then read the committed offset, then begin there. The order is the whole safety of it: read
 * first, and a commit of the former owner may still come between; trust a position of one's own, and its records come twice. Only the
 * group's coordinator knows the offset, and only a write proves that it still is.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Kafka } from 'kafkajs';
import type { Observer } from '../../core/facts.ts';
import type { TopicPartition } from '../../core/record.ts';
import { StreamError } from '../stream-error.ts';
import type { AdminConnection } from './admin-connection.ts';
import type { KafkaSettings } from './client.ts';
import { type Bounds, storedOffsets, topicBounds, untilVisible, VISIBLE_MS } from './offsets.ts';
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

/** One id a partition: whoever opens it next fences whoever had it. No group or topic of ours has a colon in its name, so no two share one. */
export function transactionalIdOf(group: string, { topic, partition }: TopicPartition): string {
  return `${group}:${topic}:${partition}`;
}

/**
 * @param known what this process itself committed last, should the stored offset be gone.
 * @param begin where a group that never committed begins, and writes down that it does; at the oldest record when absent.
 * @throws StreamError OFFSET_OUT_OF_RANGE, and whatever the broker refuses.
 */
export async function takeOver(
  cluster: Cluster,
  group: string,
  { topic, partition }: TopicPartition,
  observe: Observer,
  { known, begin }: { known?: bigint | undefined; begin?: 'beginning' | 'end' | undefined } = {},
): Promise<TakenOver> {
  const { kafka, admin, placement } = cluster;
  const { transactionMs } = cluster.settings;
  const boundsOf = async (): Promise<Bounds> => (await topicBounds(admin, topic))[partition] as Bounds;
  const producer = await TransactionalProducer.open({
    kafka,
    placement,
    transactionMs,
    transactionalId: transactionalIdOf(group, { topic, partition }),
    onPhase: phase => observe({ kind: 'partition.phase', group, topic, partition, phase }),
  });
  try {
    const coordinator = await producer.findCoordinator(group, { topic, partition });
    const found = (await storedOffsets(admin, group, topic, coordinator))[partition];
    if (found === undefined) {
      await admin.renew();
      throw new StreamError('BROKER_FAILED', `${topic} has no partition ${partition} yet`, { retryable: true });
    }
    const { next: stored, written } = found;
    const open = written && (await untilVisible(admin, written, VISIBLE_MS).catch(() => written));
    producer.inherit(written, open);
    const committed = stored === 'reset' ? (known ?? 'reset') : stored;
    let { low, high } = await boundsOf();
    // a new leader may know of the end a moment later
    for (const until = performance.now() + END_MS; typeof committed === 'bigint' && committed > high; ) {
      if (performance.now() > until) break;
      await sleep(100);
      ({ low, high } = await boundsOf());
    }
    if (committed === 'reset' || (typeof committed === 'bigint' && committed > high)) {
      throw new StreamError(
        'OFFSET_OUT_OF_RANGE',
        `${topic}/${partition} ends at ${high}, and no record has the offset that group ${group} committed${typeof committed === 'bigint' ? ` (${committed})` : ''}: the topic was made anew, lost records, or let them expire before they were read; set the group's offsets on purpose, or name another group`,
      );
    }
    const first = begin === 'end' ? high : low;
    const position = committed === 'none' ? first : committed < low ? low : committed;
    observe({ kind: 'partition.phase', group, topic, partition, phase: 'positioned' });
    const expired = committed !== 'none' && committed < low;
    if (expired) {
      observe({ kind: 'partition.truncated', group, topic, partition, records: low - committed });
    }
    // kafkajs's placeholder must not outlive this process: the next one could not know what was read. What expired is told once
    if (stored === 'reset' || expired || (stored === 'none' && begin !== undefined))
      await producer.publish([], { group, topic, partition, next: position });
    return { producer, position, high };
  } catch (error) {
    await producer.close();
    throw error;
  }
}
