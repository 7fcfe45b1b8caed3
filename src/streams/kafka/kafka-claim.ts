/**
 * One partition that this process owns: its producer fenced every earlier owner, so a commit either happens before the next
 * owner's fence or not at all, whatever the group's generation. `position` is where reading stands, `committed` where the group does.
 */
import type { TopicMessages } from 'kafkajs';
import type { Observer } from '../../core/facts.ts';
import type { OutgoingRecord } from '../../core/record.ts';
import { StreamError } from '../stream-error.ts';
import type { Claim } from '../transport.ts';
import type { AdminConnection } from './admin-connection.ts';
import { isFatal, toStreamError } from './kafka-error.ts';
import { committedOffsets, untilVisible, VISIBLE_MS, type Written } from './offsets.ts';
import type { TransactionalProducer } from './transactional-producer.ts';

export interface ClaimOptions {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  readonly admin: AdminConnection;
  readonly producer: TransactionalProducer;
  /** How long a transaction of this group's workers may stay open. */
  readonly transactionMs: number;
  /** The group's committed offset, read after the fence. */
  readonly position: bigint;
  readonly high: bigint;
  readonly observe: Observer;
  /** Called once, when a commit failed in a way that a new take-over can mend. */
  readonly onLost: (claim: KafkaClaim) => void;
}

export class KafkaClaim implements Claim {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  readonly lost: AbortSignal;
  readonly #options: ClaimOptions;
  readonly #lost = new AbortController();
  /** Stretches [from, to) without records, only markers of transactions: by `from`. */
  readonly #markers = new Map<bigint, bigint>();
  #position: bigint;
  #committed: bigint;
  #high: bigint;
  #silent = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: ClaimOptions) {
    this.#options = options;
    this.group = options.group;
    this.topic = options.topic;
    this.partition = options.partition;
    this.lost = this.#lost.signal;
    this.#position = options.position;
    this.#committed = options.position;
    this.#high = options.high;
    this.#reportLag();
  }

  /** Offset of the next record to fetch. */
  get position(): bigint {
    return this.#position;
  }

  /** Everything below is acknowledged. */
  get committed(): bigint {
    return this.#committed;
  }

  /** Where its transactions wrote last. */
  get written(): Written {
    return this.#options.producer.sent;
  }

  /** Reading went on to `end`; the last record among what was read is at `lastRecord`, if there was one. */
  advance(end: bigint, lastRecord: bigint | undefined, high: bigint): void {
    const afterRecords = lastRecord === undefined ? this.#position : lastRecord + 1n;
    if (end > afterRecords) this.#markers.set(afterRecords, end);
    this.#position = end;
    this.#high = high > end ? high : end;
    this.#reportLag();
    void this.#settle();
  }

  /** Where the partition ends, also while nothing is read. */
  see(high: bigint): void {
    if (high <= this.#high) return;
    this.#high = high;
    this.#reportLag();
  }

  /** What is in hand is still committed, if it can be; the lag is the next owner's to tell. */
  silence(): void {
    this.#silent = true;
  }

  async commit(outputs: readonly OutgoingRecord[], next: bigint): Promise<void> {
    await this.#inTurn(async () => {
      if (next <= this.#committed) {
        throw new StreamError('COMMIT_OUT_OF_ORDER', `${this.#name}: offset ${next} is committed already`);
      }
      await this.#publish(outputs, this.#pastMarkers(next));
    });
  }

  /** Nothing can be committed from now on. */
  lose(reason: StreamError): void {
    this.#lost.abort(reason);
  }

  /** After the commit that may be under way, and when what was committed can be read: who comes next finds it all. */
  async close(): Promise<void> {
    const { admin, producer } = this.#options;
    await this.#turn;
    await untilVisible(admin, this.written, VISIBLE_MS).catch(() => {});
    await this.#overwritePlaceholder().catch(() => {}); // of the next owner, if we are not the owner any more
    await producer.close();
  }

  /** Where what came next expired unread, kafkajs has put a placeholder over the offset: whoever comes next could not know what was read. */
  async #overwritePlaceholder(): Promise<void> {
    const { group, topic, partition } = this;
    const { admin, producer } = this.#options;
    if ((await committedOffsets(admin, group, topic))[partition] !== 'reset') return;
    await producer.publish([], { group, topic, partition, next: this.#committed });
  }

  /** Where only markers stand behind the last commit, the offset moves past them: a lag of zero is then zero. */
  async #settle(): Promise<void> {
    await this.#inTurn(async () => {
      if (!this.#markers.has(this.#committed) || this.lost.aborted) return;
      await this.#publish([], this.#pastMarkers(this.#committed));
    }).catch(() => {}); // a lost claim is taken over again; a fatal error will meet the next commit
  }

  async #publish(outputs: readonly OutgoingRecord[], next: bigint): Promise<void> {
    this.lost.throwIfAborted();
    const { group, topic, partition } = this;
    try {
      const { producer } = this.#options;
      const placed = await producer.place(outputs);
      await this.#clear(placed);
      await producer.publish(placed, { group, topic, partition, next });
    } catch (error) {
      const failure = toStreamError(error, `cannot commit ${this.#name} of group ${group}`);
      if (!isFatal(failure) && !this.lost.aborted) {
        this.lose(failure);
        this.#options.onLost(this);
      }
      throw failure;
    }
    this.#committed = next;
    for (const from of this.#markers.keys()) if (from < next) this.#markers.delete(from);
    this.#reportLag();
  }

  /**
   * What former owners left open where these outputs go has ended: the commit would commit it as well. Others' transactions may stand
   * there too, and longer than anyone waits; to wait on would stop this partition for good, so then the marker is taken for written.
   */
  async #clear(placed: readonly TopicMessages[]): Promise<void> {
    const { admin, producer, transactionMs } = this.#options;
    await untilVisible(admin, await producer.clear(placed), transactionMs + VISIBLE_MS, this.lost);
  }

  #pastMarkers(next: bigint): bigint {
    let end = next;
    for (let to = this.#markers.get(end); to !== undefined; to = this.#markers.get(end)) end = to;
    return end;
  }

  /** One transaction at a time: the producer holds no more. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => {});
    return mine;
  }

  get #name(): string {
    return `${this.topic}/${this.partition}`;
  }

  #reportLag(): void {
    if (this.#silent) return;
    const { group, topic, partition } = this;
    this.#options.observe({ kind: 'partition.lag', group, topic, partition, lag: this.#high - this.#committed });
  }
}
