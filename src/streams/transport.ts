/**
 * The transport port: topics, groups, and one transaction for outputs plus offsets. An embedded file and a Kafka cluster fit
 * behind it alike, so it speaks of what both have: partitions are claimed and lost, a claim has a position, records come in
 * batches, reading can be paused, and only the holder of a claim can commit.
 */
import type { Observer } from '../core/facts.ts';
import type { Stop } from '../core/processor.ts';
import type { OutgoingRecord, StreamRecord, TopicPartition } from '../core/record.ts';

export interface Retention {
  /** Records older than this may go; null keeps them. Milliseconds. */
  readonly ms: number | null;
  /** The oldest records may go while a partition holds more bytes than this; null keeps them. */
  readonly bytes: number | null;
}

export interface NewTopic {
  readonly partitions: number;
  readonly retention: Retention;
  /** Bytes that its records may have beyond those of other topics, where a transport limits them: a dead letter has more headers. */
  readonly spareBytes?: number;
}

export interface TopicInfo {
  readonly topic: string;
  readonly retention: Retention;
  readonly partitions: readonly PartitionInfo[];
}

export interface PartitionInfo {
  readonly partition: number;
  /** Offset of the oldest record that is still there. */
  readonly low: bigint;
  /** Offset that the next record will get. */
  readonly high: bigint;
}

export interface GroupLag extends TopicPartition {
  readonly group: string;
  /** Records that the group has not committed yet. */
  readonly lag: bigint;
}

/** One partition that this process owns, until `lost` is aborted. */
export interface Claim extends TopicPartition {
  readonly group: string;
  /** Aborted when the partition is lost, or when stopping took too long: nothing can be committed any more. */
  readonly lost: AbortSignal;
  /**
   * Publishes `outputs` and moves the group's offset to `next` in one transaction. Calls follow each other in offset order.
   * @throws StreamError GROUP_FENCED when another process owns the partition by now: nothing was written.
   */
  commit(outputs: readonly OutgoingRecord[], next: bigint): Promise<void>;
}

/** What a subscription calls. Calls for one claim never overlap, except that `onRelease` may end a waiting `onBatch`. */
export interface BatchHandler {
  /** Resolves when the handler can take the next batch of this claim; the commit of this one may come later. */
  onBatch(claim: Claim, records: readonly StreamRecord[]): Promise<void>;
  /** The claim is being given up: resolves when everything taken is committed, or dropped because the claim is lost. */
  onRelease(claim: Claim): Promise<void>;
}

export interface SubscribeOptions {
  readonly group: string;
  readonly topics: readonly string[];
  /** Topics that commits will write to: better missed before the first record is read than at it. */
  readonly outputs: readonly string[];
  /** Where a group that never committed begins: at the oldest record when absent. What is given is written down at once. */
  readonly begin?: 'beginning' | 'end';
  readonly handler: BatchHandler;
  /** Bounds of one batch. */
  readonly fetchRecords: number;
  readonly fetchBytes: number;
  /** From `stop` to a forced end, in milliseconds. */
  readonly drainMs: number;
  readonly observe: Observer;
}

export interface Subscription {
  assignment(): readonly TopicPartition[];
  /** Stops taking new batches; claims and positions are kept. */
  pause(): void;
  resume(): void;
  /** Resolves when everything that stood in the topics is committed and can be read, or when the subscription stops. */
  drained(): Promise<void>;
  /** Stops reading, waits until the handler has released every claim, leaves the group. @throws StreamError DRAIN_TIMEOUT */
  readonly stop: Stop;
  /** Settles when the subscription has ended: rejects with what ended it, if that was not `stop`. */
  readonly done: Promise<void>;
}

export interface ReadOptions {
  readonly from: 'beginning' | 'end';
  /** End when everything that stood in the topic at the start has been read; otherwise go on until `signal`. */
  readonly untilEnd: boolean;
  readonly signal?: AbortSignal;
}

export interface Transport {
  /** @throws StreamError TOPIC_EXISTS, TOPIC_INVALID */
  createTopic(topic: string, options: NewTopic): Promise<void>;
  topics(): Promise<TopicInfo[]>;
  lags(): Promise<GroupLag[]>;
  /** Appends all of the records or none. @throws StreamError TOPIC_UNKNOWN, PARTITION_UNKNOWN */
  append(records: readonly OutgoingRecord[]): Promise<void>;
  /** Committed records, in order within each partition; belongs to no group; ends when the transport is closed. @throws StreamError TOPIC_UNKNOWN */
  read(topic: string, options: ReadOptions): AsyncIterable<StreamRecord>;
  /** @throws StreamError TOPIC_UNKNOWN, GROUP_BUSY */
  subscribe(options: SubscribeOptions): Promise<Subscription>;
  readonly close: Stop;
}
