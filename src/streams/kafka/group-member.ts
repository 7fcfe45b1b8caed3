/**
 * A kafkajs consumer as a member of a group, reduced to what is needed of it: it fetches, heartbeats and rebalances; it commits
 * nothing, and it moves on only past what was taken over. Its fetch loop is never held up: who cannot take more pauses.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Batch, Consumer } from 'kafkajs';
import type { StreamRecord, TopicPartition } from '../../core/record.ts';
import type { StreamError } from '../stream-error.ts';
import { askForGroup, explain } from './coordinator.ts';
import { isFatal, toStreamError } from './kafka-error.ts';
import { FRESH_MS } from './placement.ts';
import type { Cluster } from './take-over.ts';

/** What one fetch brought of one partition. */
export interface Fetched extends TopicPartition {
  /** The offset that was asked for. */
  readonly from: bigint;
  /** The offset that will be asked for next. */
  readonly end: bigint;
  readonly high: bigint;
  /** Committed records in [from, end), in order; never empty. */
  readonly records: readonly StreamRecord[];
}

export interface MemberEvents {
  /** The group has settled, and these are this member's partitions. */
  onJoin(assigned: readonly TopicPartition[]): void;
  /** The member is out of the group for now and will join again by itself; `code` says why. */
  onUnsettled(code: string): void;
  /** @returns whether it was taken over; if not, it will be fetched again. */
  onFetched(fetched: Fetched): boolean;
  /** A stretch [from, end) that holds no committed record was passed over. */
  onSkipped(place: TopicPartition, from: bigint, end: bigint): void;
  /** The member has ended and will not come back: something must be changed first. */
  onEnded(error: StreamError): void;
}

export interface MemberOptions {
  readonly cluster: Cluster;
  readonly group: string;
  readonly topics: readonly string[];
  /** Bytes of one partition in one fetch; a larger record comes alone. */
  readonly fetchBytes: number;
  readonly events: MemberEvents;
}

/** How long the broker may hold a fetch that finds nothing; bounds how long stopping takes. */
const MAX_WAIT_MS = 250;
/** Partitions of one fetch that are handed over at once; none of them waits. */
const CONCURRENT = 64;
const BACKOFF_MS = { first: 500, most: 10_000 };

export class GroupMember {
  readonly #options: MemberOptions;
  readonly #consumer: Consumer;
  #heard = 0;
  #stopping = false;
  #stopped: Promise<void> | undefined;

  constructor(options: MemberOptions) {
    this.#options = options;
    const { kafka, settings } = options.cluster;
    this.#consumer = kafka.consumer({
      groupId: options.group,
      sessionTimeout: settings.sessionMs,
      heartbeatInterval: settings.heartbeatMs,
      rebalanceTimeout: settings.rebalanceMs,
      maxWaitTimeInMs: MAX_WAIT_MS,
      maxBytesPerPartition: options.fetchBytes,
      allowAutoTopicCreation: false,
      readUncommitted: false,
      metadataMaxAge: FRESH_MS,
      retry: { initialRetryTime: 100, maxRetryTime: 2000, retries: 8, restartOnFailure: async () => !this.#stopping },
    });
  }

  /** Joins the group; events come from now on. @throws StreamError when no broker lets it in. */
  async join(): Promise<void> {
    this.#listen();
    try {
      await this.#run();
    } catch (error) {
      await this.stop();
      throw toStreamError(error, this.#doing);
    }
  }

  #listen(): void {
    const { events } = this.#options;
    const { GROUP_JOIN, HEARTBEAT, REBALANCING, CRASH, END_BATCH_PROCESS } = this.#consumer.events;
    this.#consumer.on(HEARTBEAT, () => this.#hear());
    this.#consumer.on(GROUP_JOIN, ({ payload }) => {
      this.#hear();
      const assigned = Object.entries(payload.memberAssignment).flatMap(([topic, partitions]) =>
        partitions.map(partition => ({ topic, partition })),
      );
      events.onJoin(assigned);
    });
    this.#consumer.on(REBALANCING, () => events.onUnsettled('REBALANCING'));
    this.#consumer.on(CRASH, ({ payload: { error, restart } }) => void this.#crashed(error, restart));
    // kafkajs passes over batches of nothing but markers or aborted records by itself, and tells of it only here
    this.#consumer.on(END_BATCH_PROCESS, ({ payload }) => {
      const { topic, partition, batchSize, lastOffset } = payload;
      // without a single record or marker at or behind the offset asked for, `lastOffset` is that offset
      const from = payload.firstOffset ?? lastOffset;
      if (batchSize === 0) events.onSkipped({ topic, partition }, BigInt(from), BigInt(lastOffset) + 1n);
    });
  }

  async #run(): Promise<void> {
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: [...this.#options.topics], fromBeginning: true });
    await this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: CONCURRENT,
      eachBatch: async ({ batch, resolveOffset, isRunning, isStale }) => {
        if (!isRunning() || isStale()) return;
        if (this.#options.events.onFetched(toFetched(batch))) resolveOffset(batch.lastOffset());
      },
    });
  }

  /** kafkajs restarts by itself after some failures; after the others, of which some pass too, the member does. */
  async #crashed(error: Error, restarts: boolean): Promise<void> {
    const { events, group, cluster } = this.#options;
    const failure = await explain(error, this.#doing, cluster.settings, kafka => askForGroup(kafka, group));
    if (this.#stopping) return;
    if (isFatal(failure)) {
      events.onEnded(failure);
      return;
    }
    events.onUnsettled(failure.code);
    if (restarts) return;
    for (let wait = BACKOFF_MS.first; !this.#stopping; wait = Math.min(2 * wait, BACKOFF_MS.most)) {
      await sleep(wait);
      if (this.#stopping) return;
      try {
        await this.#run();
        // whoever stopped it meanwhile found nothing to stop
        if (this.#stopping) await this.#consumer.disconnect();
        return;
      } catch (again) {
        const why = toStreamError(again, this.#doing);
        if (isFatal(why)) {
          events.onEnded(why);
          return;
        }
        events.onUnsettled(why.code);
      }
    }
  }

  get #doing(): string {
    return `cannot read ${this.#options.topics.join(', ')} as group ${this.#options.group}`;
  }

  /** Whether the group has heard of this member recently enough to still count it in. False after a long freeze. */
  get current(): boolean {
    return Date.now() - this.#heard < this.#options.cluster.settings.sessionMs;
  }

  pause({ topic, partition }: TopicPartition): void {
    this.#ifJoined(() => this.#consumer.pause([{ topic, partitions: [partition] }]));
  }

  resume({ topic, partition }: TopicPartition): void {
    this.#ifJoined(() => this.#consumer.resume([{ topic, partitions: [partition] }]));
  }

  seek({ topic, partition }: TopicPartition, offset: bigint): void {
    this.#ifJoined(() => this.#consumer.seek({ topic, partition, offset: String(offset) }));
  }

  /** Stops fetching and leaves the group, so that others need not wait for the session to run out. */
  stop(): Promise<void> {
    this.#stopping = true;
    this.#stopped ??= this.#consumer.disconnect().catch(() => {}); // the broker will notice by itself
    return this.#stopped;
  }

  /** Between two attempts at joining kafkajs has no group to speak to; the next join sets everything anew. */
  #ifJoined(act: () => void): void {
    try {
      act();
    } catch {
      // see above
    }
  }

  #hear(): void {
    this.#heard = Date.now();
  }
}

function toFetched(batch: Batch): Fetched {
  const { topic, partition } = batch;
  // the offset asked for is a public property of kafkajs's Batch that its types forget
  const { fetchedOffset } = batch as Batch & { readonly fetchedOffset: string };
  return {
    topic,
    partition,
    from: BigInt(fetchedOffset),
    end: BigInt(batch.lastOffset()) + 1n,
    high: BigInt(batch.highWatermark),
    records: batch.messages.map(message => ({
      topic,
      partition,
      offset: BigInt(message.offset),
      timestamp: Number(message.timestamp),
      key: message.key,
      value: message.value,
      headers: toHeaders(message.headers),
    })),
  };
}

/** Where a header comes several times, the last counts, as in Kafka's own `lastHeader`. */
function toHeaders(headers: Batch['messages'][number]['headers']): Record<string, Buffer> {
  const found: Record<string, Buffer> = {};
  for (const [name, value] of Object.entries(headers ?? {})) {
    const last = Array.isArray(value) ? value.at(-1) : value;
    if (last !== undefined && last !== null) found[name] = Buffer.from(last);
  }
  return found;
}
