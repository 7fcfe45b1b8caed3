/**
 * One partition that the group gave this member, from its take-over to its release. It is paused until it is taken over; a claim that
 * a commit failed for is thrown away and the partition taken over anew. Take-overs and releases follow each other, also those of one
 * holder after another in this process: otherwise we would fence ourselves.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Observer } from '../../core/facts.ts';
import type { TopicPartition } from '../../core/record.ts';
import { StreamError } from '../stream-error.ts';
import type { BatchHandler, SubscribeOptions } from '../transport.ts';
import { askForTransactionalId, explain } from './coordinator.ts';
import type { Fetched, GroupMember } from './group-member.ts';
import { KafkaClaim } from './kafka-claim.ts';
import { isFatal, toStreamError } from './kafka-error.ts';
import { type Bounds, topicBounds } from './offsets.ts';
import { type Cluster, takeOver, transactionalIdOf } from './take-over.ts';

export interface HeldEvents {
  /** The partition is ours. */
  onTaken(): void;
  /** It is not ours for now; `code` says why. */
  onUnsettled(code: string): void;
  /** It will never be ours, or its records cannot be handled: something must be changed first. */
  onFailed(error: StreamError): void;
}

export interface HeldOptions extends TopicPartition {
  readonly cluster: Cluster;
  readonly group: string;
  readonly member: Pick<GroupMember, 'current' | 'pause' | 'resume' | 'seek'>;
  readonly handler: BatchHandler;
  /** Where a group that never committed begins. */
  readonly begin: SubscribeOptions['begin'];
  readonly observe: Observer;
  readonly events: HeldEvents;
  readonly paused: boolean;
  /** Resolves when whoever held the partition before in this process has let it go. */
  readonly before: Promise<void>;
}

/** How long work in hand may go on in a partition that is taken away; its next owner's fence ends it anyway. */
const RELEASE_MS = 5_000;
const BACKOFF_MS = { first: 100, most: 5_000 };

export class HeldPartition implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  readonly #options: HeldOptions;
  #claim: KafkaClaim | undefined;
  /** What its last claim had committed. */
  #committed: bigint | undefined;
  /** Something was fetched from where the claim stands since it was last sought there. */
  #aligned = false;
  /** The handler has a batch of it and cannot take the next. */
  #feeding = false;
  #paused: boolean;
  /** The group gave it to another member, or the subscription ends. */
  #over = false;
  /** The take-over or release that is under way, if one is. */
  #turn: Promise<void>;

  constructor(options: HeldOptions) {
    this.topic = options.topic;
    this.partition = options.partition;
    this.#options = options;
    this.#paused = options.paused;
    this.#turn = options.before;
    this.#flow();
    this.#take();
  }

  /** Undefined while it is being taken over. */
  get claim(): KafkaClaim | undefined {
    return this.#claim;
  }

  /** Resolves when no take-over or release is under way. */
  get settled(): Promise<void> {
    return this.#turn;
  }

  set paused(paused: boolean) {
    this.#paused = paused;
    this.#flow();
  }

  /** The group has settled anew and left it here: kafkajs begins each generation at the committed offset, with nothing paused. */
  onKept(): void {
    this.#flow();
    if (this.#claim !== undefined) this.#seek(this.#claim);
  }

  /** @returns whether it was taken over; if not, it will be fetched again. */
  onFetched(fetched: Fetched): boolean {
    const claim = this.#claim;
    if (claim === undefined) return false;
    if (fetched.from !== claim.position) {
      void this.#reposition(claim);
      return false;
    }
    if (!this.#flows) return false;
    this.#aligned = true;
    claim.advance(fetched.end, fetched.records.at(-1)?.offset, fetched.high);
    void this.#feed(claim, fetched);
    return true;
  }

  /** A stretch without committed records was passed over. */
  onSkipped(from: bigint, end: bigint): void {
    const claim = this.#claim;
    if (claim === undefined || end <= claim.position) return;
    // ahead of the claim it may follow a gap of compaction, or be of a fetch that began before a seek: then it skips what is wanted
    if (from > claim.position && !this.#aligned) return;
    this.#aligned = true;
    claim.advance(end, undefined, end);
  }

  /** Retention may overtake a reader that has nothing to fetch, and kafkajs tells no one; the next take-over counts what expired. */
  onBounds({ low, high }: Bounds): void {
    const claim = this.#claim;
    if (claim === undefined) return;
    if (claim.position < low) this.#lost(claim, 'out of range');
    else claim.see(high);
  }

  /** The group gave it to another member. */
  giveUp(): void {
    this.#over = true;
    this.#flow();
    const claim = this.#claim;
    if (claim === undefined) return;
    this.#claim = undefined;
    this.#observeLost('revoked');
    this.#leave(claim);
  }

  /** Begins nothing more; resolves when everything in hand is committed. */
  async finish(): Promise<void> {
    this.#over = true;
    this.#flow();
    if (this.#claim !== undefined) await this.#options.handler.onRelease(this.#claim);
    await this.#turn;
  }

  /** After `finish`, or when there is no time left for it. */
  async end(reason: string): Promise<void> {
    const claim = this.#claim;
    this.#claim = undefined;
    if (claim === undefined) return;
    this.#observeLost(reason);
    claim.lose(new StreamError('DRAIN_TIMEOUT', 'the claim was given up'));
    await claim.close();
  }

  async #feed(claim: KafkaClaim, { records }: Fetched): Promise<void> {
    this.#feeding = true;
    this.#flow();
    try {
      await this.#options.handler.onBatch(claim, records);
    } catch (error) {
      this.#options.events.onFailed(toStreamError(error, `cannot take records of ${this.#name}`));
    }
    if (this.#claim !== claim) return;
    this.#feeding = false;
    this.#flow();
  }

  /** A fetch from somewhere else than where the claim stands: begun before a seek, or what stood there is gone. */
  async #reposition(claim: KafkaClaim): Promise<void> {
    const all = await topicBounds(this.#options.cluster.admin, this.topic).catch(() => []);
    const bounds = all[this.partition];
    if (this.#claim !== claim) return;
    if (bounds !== undefined && (claim.position < bounds.low || claim.position > bounds.high)) {
      // retention overtook the group, or the topic lost its end: the next take-over tells which, once what is in hand is committed
      this.#lost(claim, 'out of range');
      return;
    }
    this.#seek(claim);
  }

  #seek(claim: KafkaClaim): void {
    this.#aligned = false;
    this.#options.member.seek(this, claim.position);
  }

  #take(): void {
    this.#inTurn('take over', () => this.#takeOver());
  }

  /** Tries until it is ours, the group takes it away, or the broker says that it never will be. */
  async #takeOver(): Promise<void> {
    const { cluster, group, member, observe, events, begin } = this.#options;
    const { topic, partition } = this;
    for (let wait = BACKOFF_MS.first; !this.#over; wait = Math.min(2 * wait, BACKOFF_MS.most)) {
      // a process that was frozen must learn that it is out before it fences the rightful owner
      if (member.current) {
        try {
          const taken = await takeOver(cluster, group, this, observe, { known: this.#committed, begin });
          if (this.#over) {
            await taken.producer.close();
            return;
          }
          const onLost = (lost: KafkaClaim): void => this.#lost(lost, 'commit failed');
          const { admin, settings } = cluster;
          const { transactionMs } = settings;
          const place = { group, topic, partition };
          const claim = new KafkaClaim({ ...taken, ...place, admin, transactionMs, observe, onLost });
          this.#claim = claim;
          observe({ kind: 'partition.assigned', group, topic, partition, position: claim.position });
          this.#seek(claim);
          this.#flow();
          events.onTaken();
          return;
        } catch (error) {
          const doing = `cannot take over ${this.#name} for group ${group}`;
          const failure = await explain(error, doing, cluster.settings, kafka =>
            askForTransactionalId(kafka, transactionalIdOf(group, this)),
          );
          // whoever has it now fenced this attempt, or need not hear of its failure
          if (this.#over) return;
          if (isFatal(failure)) {
            events.onFailed(failure);
            return;
          }
          events.onUnsettled(failure.code);
        }
      }
      await sleep(wait);
    }
  }

  /** Nothing of the claim is trusted any more, and everything uncommitted will be read again. */
  #lost(claim: KafkaClaim, reason: string): void {
    if (this.#claim !== claim) return;
    this.#claim = undefined;
    this.#feeding = false;
    this.#flow();
    this.#observeLost(reason);
    this.#leave(claim);
    if (this.#over) return;
    this.#options.events.onUnsettled('CLAIM_LOST');
    this.#take();
  }

  #leave(claim: KafkaClaim): void {
    claim.silence();
    this.#inTurn('give up', async () => {
      const released = this.#options.handler.onRelease(claim);
      await Promise.race([released, sleep(RELEASE_MS, undefined, { ref: false })]);
      claim.lose(new StreamError('GROUP_FENCED', `${this.#name} was given up`));
      await claim.close();
      this.#committed = claim.committed;
    });
  }

  #inTurn(doing: string, work: () => Promise<void>): void {
    const fail = (error: unknown): void =>
      this.#options.events.onFailed(toStreamError(error, `cannot ${doing} ${this.#name}`));
    this.#turn = this.#turn.then(work).catch(fail);
  }

  get #flows(): boolean {
    return this.#claim !== undefined && !this.#feeding && !this.#paused && !this.#over;
  }

  #flow(): void {
    const { member } = this.#options;
    if (this.#flows) member.resume(this);
    else member.pause(this);
  }

  get #name(): string {
    return `${this.topic}/${this.partition}`;
  }

  #observeLost(reason: string): void {
    const { topic, partition } = this;
    this.#options.observe({ kind: 'partition.lost', group: this.#options.group, topic, partition, reason });
  }
}
