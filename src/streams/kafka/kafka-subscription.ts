/**
 * A group's work on the partitions that this member is given. A partition that stays ours through a rebalance keeps its claim:
 * whoever had it in between would have fenced it. Ready is who has every partition that the group gave, even none.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Stop } from '../../core/processor.ts';
import type { TopicPartition } from '../../core/record.ts';
import { StreamError } from '../stream-error.ts';
import type { SubscribeOptions, Subscription } from '../transport.ts';
import { type Fetched, GroupMember, type MemberEvents } from './group-member.ts';
import { HeldPartition } from './held-partition.ts';
import { toStreamError } from './kafka-error.ts';
import { lastOf, type Stored, storedOffsets, topicBounds, untilVisible, VISIBLE_MS } from './offsets.ts';
import type { Cluster } from './take-over.ts';
import { within } from './within.ts';

const FETCH_BYTES = 1024 * 1024;
const POLL_MS = 50;
/** How often it is asked where partitions begin and end that are not being read: retention may overtake them, and their lag grows. */
const WATCH_MS = 10_000;
const CLOSE_MS = 3_000;

export class KafkaSubscription implements Subscription, MemberEvents {
  readonly done: Promise<void>;
  readonly #cluster: Cluster;
  readonly #options: SubscribeOptions;
  readonly #member: GroupMember;
  readonly #held = new Map<string, HeldPartition>();
  /** Partitions that others have by now: when the last of our work there is over. */
  readonly #former = new Map<string, Promise<void>>();
  readonly #end = Promise.withResolvers<void>();
  readonly #watch: NodeJS.Timeout;
  #watching = false;
  #paused = false;
  readonly #ending = new AbortController();
  #ready = false;
  #stopped: Promise<void> | undefined;

  private constructor(cluster: Cluster, options: SubscribeOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.done = this.#end.promise;
    this.done.catch(() => {}); // whoever waits for it hears of it
    this.#watch = setInterval(() => void this.#watchBounds(), WATCH_MS).unref();
    this.#member = new GroupMember({
      cluster,
      group: options.group,
      topics: options.topics,
      fetchBytes: Math.min(FETCH_BYTES, options.fetchBytes),
      events: this,
    });
  }

  /** @throws StreamError when a topic is missing or the group cannot be joined. */
  static async open(cluster: Cluster, options: SubscribeOptions): Promise<KafkaSubscription> {
    for (const topic of [...options.topics, ...options.outputs]) await cluster.placement.partitions(topic);
    const subscription = new KafkaSubscription(cluster, options);
    subscription.onUnsettled('JOINING');
    try {
      await subscription.#member.join();
    } catch (error) {
      clearInterval(subscription.#watch);
      throw error;
    }
    return subscription;
  }

  assignment(): readonly TopicPartition[] {
    return [...this.#held.values()].map(({ topic, partition }) => ({ topic, partition }));
  }

  pause(): void {
    this.#pause(true);
  }

  resume(): void {
    this.#pause(false);
  }

  #pause(paused: boolean): void {
    this.#paused = paused;
    for (const held of this.#held.values()) held.paused = paused;
  }

  /** Asks the cluster about partitions that others have. @throws StreamError */
  async drained(): Promise<void> {
    const { group, topics } = this.#options;
    const { admin } = this.#cluster;
    for (const topic of topics) {
      const bounds = await this.#patiently(() => topicBounds(admin, topic));
      const isOpen = (stored: Stored[]): boolean =>
        bounds.some(({ low, high }, partition) => {
          const next = stored[partition]?.next;
          return low < high && !(typeof next === 'bigint' && next >= high);
        });
      while (!this.#stopping) {
        // while partitions are given out and taken over, their notes speak of what may be long gone
        if (!this.#ready) {
          await sleep(POLL_MS);
          continue;
        }
        const claims = bounds.map((_, partition) => this.#held.get(keyOf({ topic, partition }))?.claim);
        const stored = claims.every(claim => claim !== undefined)
          ? claims.map(({ committed, written }) => ({ next: committed, written }))
          : await this.#patiently(() => storedOffsets(admin, group, topic));
        if (!isOpen(stored)) {
          await this.#visible(stored);
          break;
        }
        await sleep(POLL_MS);
      }
    }
  }

  /** Others' transactions may stand before what was committed, but not for ever: in time the brokers end them. */
  async #visible(stored: readonly Stored[]): Promise<void> {
    const { admin, settings } = this.#cluster;
    const last = lastOf(stored.map(({ written }) => written ?? new Map())); // where nobody could note it, nobody can wait
    const ms = settings.transactionMs + VISIBLE_MS;
    await this.#patiently(async () => [await untilVisible(admin, last, ms, this.#ending.signal)]);
  }

  /** Asks until there is an answer; with none, nothing, when the subscription stops. */
  async #patiently<T>(ask: () => Promise<T[]>): Promise<T[]> {
    while (!this.#stopping) {
      try {
        return await ask();
      } catch (error) {
        const failure = toStreamError(error, `cannot see how far ${this.#options.topics.join(', ')} are read`);
        if (!failure.retryable && !this.#stopping) throw failure;
        await sleep(POLL_MS);
      }
    }
    return [];
  }

  readonly stop: Stop = () => {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  };

  onJoin(assigned: readonly TopicPartition[]): void {
    const keys = new Set(assigned.map(keyOf));
    for (const [key, held] of this.#held) {
      if (keys.has(key)) continue;
      this.#held.delete(key);
      held.giveUp();
      this.#former.set(key, held.settled);
    }
    for (const place of assigned) {
      const known = this.#held.get(keyOf(place));
      if (known !== undefined) known.onKept();
      else if (!this.#stopping) this.#held.set(keyOf(place), this.#hold(place));
    }
    if (this.#ready && !this.#hasAll) this.onUnsettled('REASSIGNED');
    this.#report();
  }

  #hold(place: TopicPartition): HeldPartition {
    const { group, handler, observe, begin } = this.#options;
    return new HeldPartition({
      ...place,
      cluster: this.#cluster,
      group,
      member: this.#member,
      handler,
      begin,
      observe,
      events: {
        onTaken: () => this.#report(),
        onUnsettled: code => this.onUnsettled(code),
        onFailed: error => this.#end.reject(error),
      },
      paused: this.#paused,
      before: this.#former.get(keyOf(place)) ?? Promise.resolve(),
    });
  }

  onUnsettled(code: string): void {
    this.#ready = false;
    this.#options.observe({ kind: 'group.unsettled', group: this.#options.group, code });
  }

  onFetched(fetched: Fetched): boolean {
    return this.#held.get(keyOf(fetched))?.onFetched(fetched) ?? false;
  }

  onSkipped(place: TopicPartition, from: bigint, end: bigint): void {
    this.#held.get(keyOf(place))?.onSkipped(from, end);
  }

  onEnded(error: StreamError): void {
    this.#end.reject(error);
  }

  /** One at a time: brokers that do not answer would be asked ever more. */
  async #watchBounds(): Promise<void> {
    if (this.#watching) return;
    this.#watching = true;
    for (const topic of this.#options.topics) {
      const bounds = await topicBounds(this.#cluster.admin, topic).catch(() => []);
      if (this.#stopping) return;
      for (const [partition, each] of bounds.entries()) this.#held.get(keyOf({ topic, partition }))?.onBounds(each);
    }
    this.#watching = false;
  }

  async #stop(): Promise<void> {
    this.#ending.abort();
    clearInterval(this.#watch);
    const { drainMs, group, observe } = this.#options;
    const all = [...this.#held.values()];
    // heartbeats go on meanwhile, so that no one else begins what is being finished here
    const finished = Promise.all([...all.map(held => held.finish()), ...this.#former.values()]);
    const timer = new AbortController();
    const late = sleep(drainMs, 'late' as const, { signal: timer.signal }).catch(() => undefined);
    const unfinished = (await Promise.race([finished, late])) === 'late';
    timer.abort();
    // a broker that does not answer must not keep the process: it ends open transactions and sessions by itself
    await within(CLOSE_MS, Promise.all(all.map(held => held.end(unfinished ? 'drain timeout' : 'stopped'))));
    await within(CLOSE_MS, this.#member.stop());
    this.#held.clear();
    observe({ kind: 'group.left', group });
    if (unfinished) {
      const error = new StreamError(
        'DRAIN_TIMEOUT',
        `work in hand was not finished within ${drainMs} ms; it is not committed and will be delivered again`,
      );
      this.#end.reject(error);
      throw error;
    }
    this.#end.resolve();
  }

  get #stopping(): boolean {
    return this.#ending.signal.aborted;
  }

  get #hasAll(): boolean {
    return [...this.#held.values()].every(held => held.claim !== undefined);
  }

  #report(): void {
    if (this.#ready || !this.#hasAll) return;
    this.#ready = true;
    this.#options.observe({ kind: 'group.settled', group: this.#options.group, partitions: this.#held.size });
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}
