/**
 * A group's work on the partitions that this member is given. Every assigned partition is paused until it is taken over; a claim
 * that a commit failed for is thrown away and the partition taken over anew. A partition that stays ours through a rebalance
 * keeps its claim: whoever had it in between would have fenced it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Stop } from '../../core/processor.ts';
import type { TopicPartition } from '../../core/record.ts';
import { StreamError } from '../stream-error.ts';
import type { SubscribeOptions, Subscription } from '../transport.ts';
import { askForTransactionalId, explain } from './coordinator.ts';
import { type Fetched, GroupMember, type MemberEvents } from './group-member.ts';
import { KafkaClaim } from './kafka-claim.ts';
import { isFatal, toStreamError } from './kafka-error.ts';
import { type Committed, committedOffsets, topicBounds } from './offsets.ts';
import { type Cluster, takeOver, transactionalIdOf } from './take-over.ts';
import { within } from './within.ts';

/** An assigned partition. */
interface Held extends TopicPartition {
  /** Undefined while it is being taken over. */
  claim: KafkaClaim | undefined;
  /** What its last claim had committed. */
  committed: bigint | undefined;
  /** Something was fetched from where the claim stands since it was last sought there. */
  aligned: boolean;
  /** The handler has a batch of it and cannot take the next. */
  feeding: boolean;
  /** The group gave it to another member, or the subscription has ended. */
  gone: boolean;
}

/** How long work in hand may go on in a partition that the group took away; its next owner's fence ends it anyway. */
const RELEASE_MS = 5_000;
const BACKOFF_MS = { first: 100, most: 5_000 };
const FETCH_BYTES = 1024 * 1024;
const POLL_MS = 50;
const CLOSE_MS = 3_000;

export class KafkaSubscription implements Subscription, MemberEvents {
  readonly done: Promise<void>;
  readonly #cluster: Cluster;
  readonly #options: SubscribeOptions;
  readonly #member: GroupMember;
  readonly #held = new Map<string, Held>();
  /** Former claims whose work is still being finished. */
  readonly #leaving = new Map<string, Promise<void>>();
  /** Take-overs under way: each may hold a connection. */
  readonly #taking = new Set<Promise<void>>();
  readonly #end = Promise.withResolvers<void>();
  #paused = false;
  #stopping = false;
  #ready = false;
  #stopped: Promise<void> | undefined;

  private constructor(cluster: Cluster, options: SubscribeOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.done = this.#end.promise;
    this.done.catch(() => {}); // whoever waits for it hears of it
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
    for (const topic of options.topics) await cluster.placement.partitions(topic);
    const subscription = new KafkaSubscription(cluster, options);
    subscription.onUnsettled('JOINING');
    await subscription.#member.join();
    return subscription;
  }

  assignment(): readonly TopicPartition[] {
    return [...this.#held.values()].map(({ topic, partition }) => ({ topic, partition }));
  }

  pause(): void {
    this.#paused = true;
    for (const held of this.#held.values()) this.#flow(held);
  }

  resume(): void {
    this.#paused = false;
    for (const held of this.#held.values()) this.#flow(held);
  }

  /** Asks the cluster about partitions that others have. */
  async drained(): Promise<void> {
    const { group, topics } = this.#options;
    const { admin } = this.#cluster;
    for (const topic of topics) {
      const bounds = await topicBounds(admin, topic);
      const open = (committed: Committed[]): boolean =>
        bounds.some(({ low, high }, partition) => {
          const next = committed[partition];
          return low < high && !(typeof next === 'bigint' && next >= high);
        });
      const local = (): Committed[] =>
        bounds.map((_, partition) => this.#held.get(keyOf({ topic, partition }))?.claim?.committed ?? 'none');
      const all = (): boolean => bounds.every((_, partition) => this.#held.get(keyOf({ topic, partition }))?.claim);
      while (!this.#stopping) {
        const committed = all() ? local() : await committedOffsets(admin, group, topic).catch(() => []);
        if (!open(committed)) break;
        await sleep(POLL_MS);
      }
    }
  }

  readonly stop: Stop = () => {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  };

  onJoin(assigned: readonly TopicPartition[]): void {
    const keys = new Set(assigned.map(keyOf));
    for (const held of [...this.#held.values()]) if (!keys.has(keyOf(held))) this.#giveUp(held);
    for (const place of assigned) {
      const known = this.#held.get(keyOf(place));
      const held: Held = known ?? {
        ...place,
        claim: undefined,
        committed: undefined,
        aligned: false,
        feeding: false,
        gone: false,
      };
      this.#held.set(keyOf(place), held);
      this.#flow(held);
      // kafkajs begins each generation at the committed offset
      if (held.claim !== undefined) this.#seek(held, held.claim);
      if (known === undefined) this.#take(held);
    }
    if (this.#ready && [...this.#held.values()].some(({ claim }) => claim === undefined))
      this.onUnsettled('REASSIGNED');
    this.#report();
  }

  onUnsettled(code: string): void {
    this.#ready = false;
    this.#options.observe({ kind: 'group.unsettled', group: this.#options.group, code });
  }

  onFetched(fetched: Fetched): boolean {
    const held = this.#held.get(keyOf(fetched));
    const claim = held?.claim;
    if (held === undefined || claim === undefined || !this.#flows(held)) return false;
    if (fetched.from !== claim.position) {
      void this.#reposition(held, claim);
      return false;
    }
    held.aligned = true;
    claim.advance(fetched.end, fetched.records.at(-1)?.offset, fetched.high);
    void this.#feed(held, claim, fetched);
    return true;
  }

  onSkipped(place: TopicPartition, from: bigint, end: bigint): void {
    const held = this.#held.get(keyOf(place));
    const claim = held?.claim;
    if (held === undefined || claim === undefined || end <= claim.position) return;
    // ahead of the claim it may follow a gap of compaction, or be of a fetch that began before a seek: then it skips what is wanted
    if (from > claim.position && !held.aligned) return;
    held.aligned = true;
    claim.advance(end, undefined, end);
  }

  onEnded(error: StreamError): void {
    this.#fail(error);
  }

  async #feed(held: Held, claim: KafkaClaim, { records }: Fetched): Promise<void> {
    held.feeding = true;
    this.#flow(held);
    try {
      await this.#options.handler.onBatch(claim, records);
    } catch (error) {
      this.#fail(toStreamError(error, `cannot take records of ${claim.topic}/${claim.partition}`));
    }
    if (held.claim !== claim) return;
    held.feeding = false;
    this.#flow(held);
  }

  /** A fetch from somewhere else than where the claim stands: begun before a seek, or what stood there is gone. */
  async #reposition(held: Held, claim: KafkaClaim): Promise<void> {
    const { topic, partition } = held;
    const bounds = (await topicBounds(this.#cluster.admin, topic).catch(() => []))[partition];
    if (held.claim !== claim) return;
    if (bounds !== undefined && (claim.position < bounds.low || claim.position > bounds.high)) {
      // retention overtook the group, or the topic lost its end: the next take-over tells which, once what is in hand is committed
      this.#lost(held, claim, 'out of range');
      return;
    }
    this.#seek(held, claim);
  }

  #seek(held: Held, claim: KafkaClaim): void {
    held.aligned = false;
    this.#member.seek(held, claim.position);
  }

  #take(held: Held): void {
    const taking = this.#takeOver(held)
      .catch(error => this.#fail(toStreamError(error, `cannot take over ${keyOf(held)}`)))
      .finally(() => this.#taking.delete(taking));
    this.#taking.add(taking);
  }

  /** Tries until it is ours, the group takes it away, or the broker says that it never will be. */
  async #takeOver(held: Held): Promise<void> {
    const { group, observe } = this.#options;
    const { topic, partition } = held;
    await this.#leaving.get(keyOf(held));
    for (let wait = BACKOFF_MS.first; this.#wanted(held); wait = Math.min(2 * wait, BACKOFF_MS.most)) {
      // a process that was frozen must learn that it is out before it fences the rightful owner
      if (this.#member.current) {
        try {
          const taken = await takeOver(this.#cluster, group, held, observe, held.committed);
          if (!this.#wanted(held)) {
            await taken.producer.close();
            return;
          }
          const claim = new KafkaClaim({
            ...taken,
            admin: this.#cluster.admin,
            group,
            topic,
            partition,
            observe,
            onLost: lost => this.#lost(held, lost, 'commit failed'),
          });
          held.claim = claim;
          observe({ kind: 'partition.assigned', group, topic, partition, position: claim.position });
          this.#seek(held, claim);
          this.#flow(held);
          this.#report();
          return;
        } catch (error) {
          const failure = await explain(
            error,
            `cannot take over ${topic}/${partition} for group ${group}`,
            this.#cluster.settings,
            kafka => askForTransactionalId(kafka, transactionalIdOf(group, held)),
          );
          if (isFatal(failure)) {
            this.#fail(failure);
            return;
          }
          this.onUnsettled(failure.code);
        }
      }
      await sleep(wait);
    }
  }

  /** A commit failed: nothing of the claim is trusted, and everything uncommitted will be read again. */
  #lost(held: Held, claim: KafkaClaim, reason: string): void {
    if (held.claim !== claim) return;
    held.claim = undefined;
    held.committed = claim.committed;
    held.feeding = false;
    this.#flow(held);
    this.#observeLost(held, reason);
    this.#leave(held, claim);
    if (!this.#wanted(held)) return;
    this.onUnsettled('CLAIM_LOST');
    this.#take(held);
  }

  /** The group gave the partition to another member. */
  #giveUp(held: Held): void {
    held.gone = true;
    this.#held.delete(keyOf(held));
    this.#member.pause(held);
    const { claim } = held;
    if (claim === undefined) return;
    held.claim = undefined;
    this.#observeLost(held, 'revoked');
    this.#leave(held, claim);
  }

  #leave(held: Held, claim: KafkaClaim): void {
    const key = keyOf(held);
    const before = this.#leaving.get(key);
    const finish = async (): Promise<void> => {
      await before;
      await Promise.race([this.#options.handler.onRelease(claim), sleep(RELEASE_MS, undefined, { ref: false })]);
      claim.lose(new StreamError('GROUP_FENCED', `${key} was given up`));
      await claim.close();
      held.committed = claim.committed;
    };
    const leaving = finish()
      .catch(error => this.#fail(toStreamError(error, `cannot give up ${key}`)))
      .finally(() => {
        if (this.#leaving.get(key) === leaving) this.#leaving.delete(key);
      });
    this.#leaving.set(key, leaving);
  }

  async #stop(): Promise<void> {
    this.#stopping = true;
    const { handler, drainMs, group, observe } = this.#options;
    const all = [...this.#held.values()];
    for (const held of all) this.#flow(held);
    // heartbeats go on meanwhile, so that no one else begins what is being finished here
    const finished = Promise.all([
      ...all.map(({ claim }) => (claim === undefined ? undefined : handler.onRelease(claim))),
      ...this.#leaving.values(),
      ...this.#taking,
    ]);
    const timer = new AbortController();
    const late = sleep(drainMs, 'late' as const, { signal: timer.signal }).catch(() => undefined);
    const outcome = await Promise.race([finished, late]);
    timer.abort();
    const unfinished = outcome === 'late';
    const reason = new StreamError('DRAIN_TIMEOUT', 'the claim was given up');
    for (const held of all) {
      held.gone = true;
      held.claim?.lose(reason);
    }
    // a broker that does not answer must not keep the process: it ends open transactions and sessions by itself
    await within(CLOSE_MS, Promise.all(all.map(({ claim }) => claim?.close())));
    await within(CLOSE_MS, this.#member.stop());
    for (const held of all) this.#observeLost(held, unfinished ? 'drain timeout' : 'stopped');
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

  #fail(error: StreamError): void {
    this.#end.reject(error);
  }

  #wanted(held: Held): boolean {
    return !held.gone && !this.#stopping;
  }

  #flows(held: Held): boolean {
    return held.claim !== undefined && !held.feeding && !this.#paused && this.#wanted(held);
  }

  #flow(held: Held): void {
    if (this.#flows(held)) this.#member.resume(held);
    else this.#member.pause(held);
  }

  /** Ready is who has every partition that the group gave, even none. */
  #report(): void {
    const all = [...this.#held.values()];
    if (this.#ready || all.some(held => held.claim === undefined)) return;
    this.#ready = true;
    this.#options.observe({ kind: 'group.settled', group: this.#options.group, partitions: all.length });
  }

  #observeLost({ topic, partition }: TopicPartition, reason: string): void {
    const { group, observe } = this.#options;
    observe({ kind: 'partition.lost', group, topic, partition, reason });
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}
