/**
 * Offsets as the cluster knows them: where topics begin and end, and what groups have committed. A topic's end is its last
 * stable offset (kafkajs asks for no other): everything below is committed or aborted, and nothing of an open transaction counts.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin } from 'kafkajs';
import { StreamError } from '../stream-error.ts';
import { type AdminConnection, ELECTION } from './admin-connection.ts';
import { isLeaderless, toStreamError } from './kafka-error.ts';

export interface Bounds {
  /** Offset of the oldest record that is still there. */
  readonly low: bigint;
  /** Offset behind the last record that readers may see. */
  readonly high: bigint;
}

/** By partition, in order. @throws StreamError BROKER_FAILED when the answer leaves one out. */
export async function topicBounds(admin: AdminConnection, topic: string): Promise<Bounds[]> {
  const offsets = await askLeaders(admin, topic);
  const bounds: Bounds[] = [];
  for (const { partition, low, high } of offsets) bounds[partition] = { low: BigInt(low), high: BigInt(high) };
  return requireWhole(bounds, topic);
}

/** kafkajs gives up at once where a leader has moved, and goes on believing in the former one. */
async function askLeaders(admin: AdminConnection, topic: string): Promise<SeekEntry[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await admin.ask(each => each.fetchTopicOffsets(topic));
    } catch (error) {
      if (!isLeaderless(error) || attempt === ELECTION.attempts) throw error;
      await sleep(ELECTION.waitMs);
      await admin.renew();
    }
  }
}

type SeekEntry = Awaited<ReturnType<Admin['fetchTopicOffsets']>>[number];

/** Readers see a commit within milliseconds, unless someone's open transaction stands before it. */
export const VISIBLE_MS = 2_000;

/** By topic and partition, the offset of a record. */
export type Written = ReadonlyMap<string, ReadonlyMap<number, bigint>>;

/** Of several, the greatest offset of each place. */
export function lastOf(all: readonly Written[]): Written {
  const last = new Map<string, Map<number, bigint>>();
  for (const [topic, offsets] of all.flatMap(written => [...written])) {
    const known = last.get(topic) ?? new Map<number, bigint>();
    last.set(topic, known);
    for (const [partition, offset] of offsets) {
      if (offset > (known.get(partition) ?? -1n)) known.set(partition, offset);
    }
  }
  return last;
}

/** `none`: nothing was ever committed. `reset`: kafkajs wrote a placeholder over the offset, because no record had it any more. */
export type Committed = bigint | 'none' | 'reset';

/** What stands in the group for one partition. */
export interface Stored {
  readonly next: Committed;
  /** What whoever committed it wrote last; undefined where the note with the offset does not say. */
  readonly written: Written | undefined;
}

/** As `storedOffsets`, the offsets alone. */
export async function committedOffsets(
  admin: AdminConnection,
  group: string,
  topic: string,
  coordinator?: string,
): Promise<Committed[]> {
  return (await storedOffsets(admin, group, topic, coordinator)).map(({ next }) => next);
}

/**
 * By partition, in order. An answer that leaves a partition out is no answer: kafkajs gives one when it has not loaded the topic,
 * and to take that for "nothing committed" would tag everything again.
 * @param coordinator whose answer it must be: one that hung and woke up may not know yet that another coordinates the group by now.
 * @throws StreamError BROKER_FAILED
 */
export async function storedOffsets(
  admin: AdminConnection,
  group: string,
  topic: string,
  coordinator?: string,
): Promise<Stored[]> {
  let by: string | undefined;
  const [found] = await admin.ask(async each => {
    const deaf = each.on(each.events.REQUEST, ({ payload: { apiName, broker } }) => {
      if (apiName === 'OffsetFetch') by = broker;
    });
    return each.fetchOffsets({ groupId: group, topics: [topic] }).finally(deaf);
  });
  if (coordinator !== undefined && by !== coordinator) {
    throw new StreamError('BROKER_FAILED', `${by} answered for group ${group}, which ${coordinator} coordinates`, {
      retryable: true,
    });
  }
  const stored: Stored[] = [];
  for (const { partition, offset, metadata } of found?.partitions ?? []) {
    const next = BigInt(offset);
    stored[partition] =
      next === NONE
        ? { next: 'none', written: new Map() }
        : { next: next >= 0n ? next : 'reset', written: fromNote(metadata) };
  }
  return requireWhole(stored, topic);
}

/** Brokers refuse longer ones (offset.metadata.max.bytes). */
const NOTE_BYTES = 4096;

/** For the note that brokers keep with a committed offset; none rather than one that is too long. */
export function toNote(written: Written): string | null {
  const topics = [...written].map(([topic, offsets]) => [topic, [...offsets].map(([p, offset]) => [p, `${offset}`])]);
  const note = JSON.stringify(topics);
  return note.length > NOTE_BYTES ? null : note;
}

/** Undefined for a note that is not ours: operators' tools and other clients leave theirs, or none. */
export function fromNote(note: string | null): Written | undefined {
  try {
    const topics = JSON.parse(note ?? '') as [string, [number, string][]][];
    return new Map(topics.map(([topic, offsets]) => [topic, new Map(offsets.map(([p, at]) => [p, BigInt(at)]))]));
  } catch {
    return undefined;
  }
}

const NONE = -1n;

function requireWhole<T>(byPartition: T[], topic: string): T[] {
  if (byPartition.length > 0 && !byPartition.includes(undefined as T)) return byPartition;
  throw new StreamError('BROKER_FAILED', `the brokers' answer about ${topic} leaves partitions out`, {
    retryable: true,
  });
}

/**
 * A commit returns a few milliseconds before its markers stand in the partitions. Resolves when readers have come to what was written,
 * or when `ms` are over: someone else's open transaction may stand before it.
 * What stood in a topic or partition that is gone, or that nobody may look at any more, is waited for by nobody.
 * @returns what they have not come to: elsewhere, every transaction that wrote there until then has ended.
 * @throws the reason of `signal` when it is aborted.
 */
export async function untilVisible(
  admin: AdminConnection,
  written: Written,
  ms: number,
  signal?: AbortSignal,
): Promise<Written> {
  const deadline = performance.now() + ms;
  const open = new Map<string, ReadonlyMap<number, bigint>>();
  for (const [topic, offsets] of written) {
    for (;;) {
      signal?.throwIfAborted();
      const bounds = await boundsIfThere(admin, topic);
      const behind = [...offsets].filter(([partition, offset]) => (bounds[partition]?.high ?? offset + 1n) <= offset);
      if (behind.length === 0) break;
      if (performance.now() > deadline) {
        open.set(topic, new Map(behind));
        break;
      }
      await sleep(5);
    }
  }
  return open;
}

const UNSEEN: ReadonlySet<string> = new Set(['TOPIC_UNKNOWN', 'TOPIC_DENIED']);

async function boundsIfThere(admin: AdminConnection, topic: string): Promise<Bounds[]> {
  try {
    return await topicBounds(admin, topic);
  } catch (error) {
    if (UNSEEN.has(toStreamError(error, '').code)) return [];
    throw error;
  }
}
