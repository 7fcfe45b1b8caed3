/** A group at work on the embedded log: one reading loop a partition, each claim committing by itself. */
import type { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import type { Stop } from '../../core/processor.ts';
import type { OutgoingRecord, TopicPartition } from '../../core/record.ts';
import { StreamError } from '../stream-error.ts';
import type { Claim, SubscribeOptions, Subscription } from '../transport.ts';
import type { Arrivals } from './arrivals.ts';
import { transaction } from './database.ts';
import type { GroupOwnership } from './group-ownership.ts';
import type { RecordStore, TopicRow } from './record-store.ts';

/** How often the lag is told while nothing is committed. */
const WATCH_MS = 10_000;

interface Parts {
  readonly database: DatabaseSync;
  readonly store: RecordStore;
  readonly arrivals: Arrivals;
  readonly ownership: GroupOwnership;
  readonly now: () => number;
}

/** One partition: where reading stands, and where committing does. */
class EmbeddedClaim implements Claim {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  readonly lost: AbortSignal;
  readonly row: TopicRow;
  readonly #parts: Parts;
  readonly #observe: SubscribeOptions['observe'];
  committed: number;

  constructor(
    parts: Parts,
    row: TopicRow,
    partition: number,
    lost: AbortSignal,
    { observe, begin = 'beginning' }: SubscribeOptions,
  ) {
    this.#parts = parts;
    this.#observe = observe;
    this.group = parts.ownership.group;
    this.row = row;
    this.topic = row.name;
    this.partition = partition;
    this.lost = lost;
    this.committed = claimOffset(parts, row, partition, begin);
  }

  async commit(outputs: readonly OutgoingRecord[], next: bigint): Promise<void> {
    this.lost.throwIfAborted();
    const { database, store, ownership, arrivals, now } = this.#parts;
    const target = Number(next);
    if (target <= this.committed) {
      throw new StreamError(
        'COMMIT_OUT_OF_ORDER',
        `${this.topic}/${this.partition}: offset ${target} is committed already`,
      );
    }
    transaction(database, () => {
      ownership.check();
      store.append(outputs, now());
      database
        .prepare('UPDATE group_offset SET next = ? WHERE group_name = ? AND topic_id = ? AND partition = ?')
        .run(target, this.group, this.row.id, this.partition);
    });
    this.committed = target;
    arrivals.announce();
    this.reportLag();
  }

  reportLag(): void {
    const { group, topic, partition } = this;
    this.#observe({ kind: 'partition.lag', group, topic, partition, lag: BigInt(this.high - this.committed) });
  }

  get high(): number {
    return this.#parts.store.bounds(this.row.id, this.partition).high;
  }
}

/** Where the group stands; a new group begins where it says. Written down at once, so that retention respects it. */
function claimOffset(
  { database, store, ownership }: Parts,
  row: TopicRow,
  partition: number,
  begin: 'beginning' | 'end',
): number {
  return transaction(database, () => {
    ownership.check();
    const stored = database
      .prepare('SELECT next FROM group_offset WHERE group_name = ? AND topic_id = ? AND partition = ?')
      .get(ownership.group, row.id, partition) as { next: number } | undefined;
    if (stored !== undefined) return stored.next;
    const { low, high } = store.bounds(row.id, partition);
    const first = begin === 'end' ? high : low;
    database
      .prepare('INSERT INTO group_offset (group_name, topic_id, partition, next) VALUES (?, ?, ?, ?)')
      .run(ownership.group, row.id, partition, first);
    return first;
  });
}

export class EmbeddedSubscription implements Subscription {
  readonly done: Promise<void>;
  readonly #parts: Parts;
  readonly #options: SubscribeOptions;
  readonly #claims: readonly EmbeddedClaim[];
  readonly #lost = new AbortController();
  readonly #stopping = new AbortController();
  readonly #watch: NodeJS.Timeout;
  #resumed: Promise<void> = Promise.resolve();
  #resume = (): void => {};
  #paused = false;
  #stopped: Promise<void> | undefined;

  /** Reading begins at once. */
  constructor(parts: Parts, options: SubscribeOptions, topics: readonly TopicRow[]) {
    this.#parts = parts;
    this.#options = options;
    this.#claims = topics.flatMap(row =>
      Array.from(
        { length: row.partitions },
        (_, partition) => new EmbeddedClaim(parts, row, partition, this.#lost.signal, options),
      ),
    );
    for (const { group, topic, partition, committed } of this.#claims) {
      options.observe({ kind: 'partition.assigned', group, topic, partition, position: BigInt(committed) });
    }
    this.#reportLags();
    this.#watch = setInterval(() => this.#reportLags(), WATCH_MS).unref();
    this.done = Promise.all(this.#claims.map(claim => this.#read(claim))).then(
      () => {},
      error => {
        // what one partition cannot do, the process must not go on without
        this.#stopping.abort();
        throw error;
      },
    );
    this.done.catch(() => {}); // whoever waits for it hears of it
  }

  assignment(): readonly TopicPartition[] {
    return this.#claims.map(({ topic, partition }) => ({ topic, partition }));
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#resumed = new Promise(resume => {
      this.#resume = resume;
    });
  }

  resume(): void {
    this.#paused = false;
    this.#resume();
  }

  async drained(): Promise<void> {
    const ends = this.#claims.map(claim => ({ claim, end: claim.high }));
    while (!this.#stopping.signal.aborted && ends.some(({ claim, end }) => claim.committed < end)) {
      await this.#parts.arrivals.wait(this.#stopping.signal);
    }
  }

  readonly stop: Stop = () => {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  };

  #reportLags(): void {
    try {
      for (const claim of this.#claims) claim.reportLag();
    } catch {
      // a log that cannot be read: whoever reads its records says so
    }
  }

  async #stop(): Promise<void> {
    clearInterval(this.#watch);
    this.#stopping.abort();
    this.resume();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>(resolve => {
      timer = setTimeout(() => resolve('late'), this.#options.drainMs);
    });
    const released = Promise.allSettled([
      this.done,
      ...this.#claims.map(claim => this.#options.handler.onRelease(claim)),
    ]);
    const outcome = await Promise.race([released, late]);
    clearTimeout(timer);
    const unfinished = this.#claims.length > 0 && outcome === 'late';
    this.#lost.abort(new StreamError('DRAIN_TIMEOUT', 'the claim was given up'));
    this.#parts.ownership.release();
    for (const { group, topic, partition } of this.#claims) {
      this.#options.observe({
        kind: 'partition.lost',
        group,
        topic,
        partition,
        reason: unfinished ? 'drain timeout' : 'stopped',
      });
    }
    if (unfinished) {
      throw new StreamError(
        'DRAIN_TIMEOUT',
        `work in hand was not finished within ${this.#options.drainMs} ms; it is not committed and will be delivered again`,
      );
    }
  }

  async #read(claim: EmbeddedClaim): Promise<void> {
    const { handler, fetchRecords, fetchBytes } = this.#options;
    const { store, arrivals } = this.#parts;
    let position = claim.committed;
    for (;;) {
      await this.#resumed;
      if (this.#stopping.signal.aborted) return;
      const records = store.fetch(claim.row, claim.partition, position, { records: fetchRecords, bytes: fetchBytes });
      if (records.length === 0) {
        await arrivals.wait(this.#stopping.signal);
        continue;
      }
      position = Number(records.at(-1)?.offset) + 1;
      await handler.onBatch(claim, records);
      // records that are refused at once are awaited without a turn of the event loop: signals and timers would not be heard
      await setImmediate();
    }
  }
}
