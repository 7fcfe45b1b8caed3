/** The transport port on one SQLite file: no server to start, the same guarantees as on a cluster. */
import type { DatabaseSync } from 'node:sqlite';
import type { Stop } from '../../core/processor.ts';
import type { OutgoingRecord, StreamRecord } from '../../core/record.ts';
import { StreamError } from '../stream-error.ts';
import type {
  GroupLag,
  NewTopic,
  ReadOptions,
  SubscribeOptions,
  Subscription,
  TopicInfo,
  Transport,
} from '../transport.ts';
import { Arrivals } from './arrivals.ts';
import { openDatabase, transaction } from './database.ts';
import { GroupOwnership } from './group-ownership.ts';
import { RecordStore } from './record-store.ts';
import { applyRetention } from './retention.ts';
import { EmbeddedSubscription } from './subscription.ts';

const READ_LIMITS = { records: 256, bytes: 8 * 1024 * 1024 };
const RETENTION_MS = 60_000;

export interface EmbeddedOptions {
  /** Folder of the log. */
  readonly directory: string;
  /** Make the log where there is none; otherwise that is an error. */
  readonly create: boolean;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

export class EmbeddedTransport implements Transport {
  readonly #directory: string;
  readonly #now: () => number;
  readonly #database: DatabaseSync;
  readonly #store: RecordStore;
  readonly #arrivals: Arrivals;
  readonly #subscriptions = new Set<EmbeddedSubscription>();
  readonly #retention: NodeJS.Timeout;
  #closed: Promise<void> | undefined;

  /** @throws StreamError LOG_MISSING, LOG_UNREADABLE, LOG_VERSION */
  constructor({ directory, create, now }: EmbeddedOptions) {
    this.#directory = directory;
    this.#now = now;
    this.#database = openDatabase(directory, create);
    this.#store = new RecordStore(this.#database);
    this.#arrivals = new Arrivals(this.#database);
    this.#retention = setInterval(() => this.#retain(), RETENTION_MS).unref();
  }

  async createTopic(topic: string, { partitions, retention }: NewTopic): Promise<void> {
    transaction(this.#database, () => this.#store.create(topic, partitions, retention));
  }

  async topics(): Promise<TopicInfo[]> {
    return this.#store.list();
  }

  async lags(): Promise<GroupLag[]> {
    const rows = this.#database
      .prepare(
        `SELECT g.group_name AS "group", t.name AS topic, g.partition, p.high - g.next AS lag
           FROM group_offset g JOIN topic t ON t.id = g.topic_id JOIN partition p ON p.topic_id = g.topic_id AND p.partition = g.partition
          ORDER BY 1, 2, 3`,
      )
      .all() as { group: string; topic: string; partition: number; lag: number }[];
    return rows.map(row => ({ ...row, lag: BigInt(row.lag) }));
  }

  async append(records: readonly OutgoingRecord[]): Promise<void> {
    transaction(this.#database, () => this.#store.append(records, this.#now()));
    this.#arrivals.announce();
  }

  async *read(topic: string, { from, untilEnd, signal }: ReadOptions): AsyncIterable<StreamRecord> {
    const row = this.#store.topic(topic);
    const places = Array.from({ length: row.partitions }, (_, partition) => {
      const { low, high } = this.#store.bounds(row.id, partition);
      return { partition, next: from === 'beginning' ? low : high, end: untilEnd ? high : Number.POSITIVE_INFINITY };
    });
    const over = (): boolean => signal?.aborted === true || this.#closed !== undefined;
    while (!over()) {
      let found = 0;
      for (const place of places) {
        for (const record of this.#store.fetch(row, place.partition, place.next, READ_LIMITS)) {
          if (Number(record.offset) >= place.end) break;
          place.next = Number(record.offset) + 1;
          found++;
          yield record;
          if (over()) return;
        }
      }
      if (found > 0) continue;
      if (untilEnd) return;
      await this.#arrivals.wait(signal);
    }
  }

  async subscribe(options: SubscribeOptions): Promise<Subscription> {
    const rows = options.topics.map(topic => this.#store.topic(topic));
    for (const topic of options.outputs) this.#store.topic(topic);
    const ownership = new GroupOwnership(this.#directory, this.#database, options.group);
    const parts = { database: this.#database, store: this.#store, arrivals: this.#arrivals, ownership, now: this.#now };
    const subscription = new EmbeddedSubscription(parts, options, rows);
    this.#subscriptions.add(subscription);
    return subscription;
  }

  /** @returns how many records were removed. Runs by itself once a minute. */
  applyRetention(): number {
    return transaction(this.#database, () => applyRetention(this.#database, this.#now()));
  }

  /** What cannot be removed now, with the disk full or the log locked, is removed a minute later. */
  #retain(): void {
    try {
      this.applyRetention();
    } catch (error) {
      if (!(error instanceof StreamError && error.retryable)) throw error;
    }
  }

  readonly close: Stop = () => {
    this.#closed ??= (async () => {
      clearInterval(this.#retention);
      await Promise.allSettled([...this.#subscriptions].map(each => each.stop()));
      this.#arrivals.close();
      this.#database.close();
    })();
    return this.#closed;
  };
}
