/** Which partition each record goes to, by the same murmur2 as the embedded log and every Kafka client's default. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { IHeaders, Message, TopicMessages } from 'kafkajs';
import type { OutgoingRecord } from '../../core/record.ts';
import { partitionOf } from '../partitioner.ts';
import { StreamError } from '../stream-error.ts';
import type { AdminConnection } from './admin-connection.ts';
import { toStreamError } from './kafka-error.ts';

/** A topic that grows is noticed within so long, as by other clients (metadata.max.age). */
export const FRESH_MS = 60_000;
/** How often a topic that was there must be said to be gone. */
const DISBELIEF = { attempts: 5, everyMs: 500 };

export class Placement {
  readonly #admin: AdminConnection;
  readonly #now: () => number;
  readonly #counts = new Map<string, { readonly partitions: number; readonly at: number }>();

  constructor(admin: AdminConnection, now: () => number) {
    this.#admin = admin;
    this.#now = now;
  }

  /** @throws StreamError TOPIC_UNKNOWN, TOPIC_DENIED */
  async partitions(topic: string): Promise<number> {
    const known = this.#counts.get(topic);
    if (known !== undefined && this.#now() - known.at < FRESH_MS) return known.partitions;
    for (let attempt = 1; ; attempt++) {
      try {
        const { topics } = await this.#admin.ask(admin => admin.fetchTopicMetadata({ topics: [topic] }));
        const partitions = topics[0]?.partitions.length ?? 0;
        if (known !== undefined && partitions > known.partitions) await this.#admin.renew();
        this.#counts.set(topic, { partitions, at: this.#now() });
        return partitions;
      } catch (error) {
        const failure = toStreamError(error, `cannot use topic ${topic}`);
        // what is known stays true while the broker is away, and a broker that has just started may know less than it will
        if (known !== undefined && failure.retryable) return known.partitions;
        if (known === undefined || failure.code !== 'TOPIC_UNKNOWN' || attempt === DISBELIEF.attempts) throw failure;
        await sleep(DISBELIEF.everyMs);
      }
    }
  }

  /** @throws StreamError TOPIC_UNKNOWN, TOPIC_DENIED, PARTITION_UNKNOWN */
  async place(records: readonly OutgoingRecord[]): Promise<TopicMessages[]> {
    const byTopic = new Map<string, Message[]>();
    for (const record of records) {
      const partitions = await this.partitions(record.topic);
      const partition = record.partition ?? (record.key === null ? 0 : partitionOf(record.key, partitions));
      if (partition >= partitions) {
        throw new StreamError('PARTITION_UNKNOWN', `topic ${record.topic} has no partition ${partition}`);
      }
      const messages = byTopic.get(record.topic) ?? [];
      byTopic.set(record.topic, messages);
      messages.push({
        key: record.key,
        value: record.value,
        headers: record.headers as IHeaders,
        partition,
        ...(record.timestamp === undefined ? {} : { timestamp: String(record.timestamp) }),
      });
    }
    return [...byTopic].map(([topic, messages]) => ({ topic, messages }));
  }
}
