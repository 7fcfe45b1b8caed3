/** Committed records of a topic for someone who belongs to no group: a member alone in a group of its own, gone afterwards. */
import { randomUUID } from 'node:crypto';
import type { StreamRecord, TopicPartition } from '../../core/record.ts';
import { StreamError } from '../stream-error.ts';
import type { ReadOptions } from '../transport.ts';
import { type Fetched, GroupMember } from './group-member.ts';
import { type Bounds, topicBounds } from './offsets.ts';
import type { Cluster } from './take-over.ts';

const FETCH_BYTES = 1024 * 1024;
const WATCH_MS = 10_000;

/** Every record is read in order of its partition, and each once. @param closed ends the reading. */
export async function* readTopic(
  cluster: Cluster,
  topic: string,
  { from, untilEnd, signal }: ReadOptions,
  closed: AbortSignal,
): AsyncGenerator<StreamRecord> {
  const bounds = await boundsOf(cluster, topic).catch(error => {
    // whoever closes the connection ends the reading, wherever it stands
    if (closed.aborted) return [];
    throw error;
  });
  const next = bounds.map(({ low, high }) => (from === 'beginning' ? low : high));
  const ended = (): boolean => untilEnd && next.every((offset, partition) => offset >= (bounds[partition]?.high ?? 0n));
  if (ended() || closed.aborted) return;

  const ending = signal === undefined ? closed : AbortSignal.any([signal, closed]);
  const fetches: Fetched[] = [];
  const aligned = new Set<number>();
  let failure: StreamError | undefined;
  let bell = Promise.withResolvers<void>();
  const ring = (): void => bell.resolve();
  ending.addEventListener('abort', ring);

  /** A fetch from elsewhere began before a seek, or what was wanted has expired meanwhile: then the oldest that is left comes next. */
  const realign = async ({ partition }: TopicPartition): Promise<void> => {
    const now = await topicBounds(cluster.admin, topic).catch(() => []);
    const low = now[partition]?.low ?? 0n;
    if (low > (next[partition] ?? 0n)) next[partition] = low;
    aligned.delete(partition);
    member.seek({ topic, partition }, next[partition] ?? 0n);
    ring();
  };

  /** Where nothing came for a while: what was to come may have expired, or the topic may have lost it, which no fetch would ever tell. */
  const watch = async (): Promise<void> => {
    const now = await topicBounds(cluster.admin, topic).catch(() => []);
    for (const [partition, { low, high }] of now.entries()) {
      const wanted = next[partition] ?? 0n;
      if (low > wanted) await realign({ topic, partition });
      const lost = high < wanted;
      if (lost && beyond.has(partition)) failure ??= endLost(topic, partition, wanted, high);
      // a new leader may know of the end a moment later: it must be lost twice
      if (lost) beyond.add(partition);
      else beyond.delete(partition);
    }
    ring();
  };
  const beyond = new Set<number>();
  const watching = setInterval(() => void watch(), WATCH_MS).unref();

  const group = `${cluster.settings.clientId}-reader-${randomUUID()}`;
  const member = new GroupMember({
    cluster,
    group,
    topics: [topic],
    fetchBytes: FETCH_BYTES,
    events: {
      onJoin: assigned => {
        aligned.clear();
        for (const place of assigned) {
          next[place.partition] ??= 0n; // a partition that came since is new from its beginning
          member.seek(place, next[place.partition] as bigint);
        }
      },
      onUnsettled: () => {},
      onFetched: fetched => {
        if (fetched.from !== next[fetched.partition]) {
          void realign(fetched);
          return false;
        }
        aligned.add(fetched.partition);
        next[fetched.partition] = fetched.end;
        fetches.push(fetched);
        member.pause(fetched);
        ring();
        return true;
      },
      onSkipped: ({ partition }, skippedFrom, end) => {
        // anything else is of a fetch that began before the seek
        if (skippedFrom === next[partition] || aligned.has(partition)) {
          aligned.add(partition);
          if (end > (next[partition] ?? 0n)) next[partition] = end;
        }
        ring();
      },
      onEnded: error => {
        failure = error;
        ring();
      },
    },
  });
  try {
    await member.join();
    while (!ending.aborted) {
      bell = Promise.withResolvers<void>();
      for (let fetched = fetches.shift(); fetched !== undefined; fetched = fetches.shift()) {
        const end = untilEnd ? (bounds[fetched.partition]?.high ?? 0n) : undefined;
        for (const record of fetched.records) {
          if (end !== undefined && record.offset >= end) break;
          yield record;
          if (ending.aborted) return;
        }
        member.resume(fetched);
      }
      if (failure !== undefined) throw failure;
      if (ended()) return;
      await bell.promise;
    }
  } finally {
    clearInterval(watching);
    ending.removeEventListener('abort', ring);
    await member.stop();
    await cluster.admin.ask(admin => admin.deleteGroups([group])).catch(() => {}); // it has committed nothing and expires by itself
  }
}

function endLost(topic: string, partition: number, wanted: bigint, high: bigint): StreamError {
  return new StreamError(
    'OFFSET_OUT_OF_RANGE',
    `${topic}/${partition} ends at ${high} and was read up to ${wanted}: the topic was made anew or lost records; read it again from its beginning`,
  );
}

async function boundsOf({ placement, admin }: Cluster, topic: string): Promise<Bounds[]> {
  await placement.partitions(topic); // says clearly what is wrong with a topic
  return topicBounds(admin, topic);
}
