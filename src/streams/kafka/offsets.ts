/** Offsets as the cluster knows them: where topics begin and end, and what groups have committed. */
import type { AdminConnection } from './admin-connection.ts';

export interface Bounds {
  /** Offset of the oldest record that is still there. */
  readonly low: bigint;
  /** Offset that the next record will get. */
  readonly high: bigint;
}

/** By partition, in order. */
export async function topicBounds(admin: AdminConnection, topic: string): Promise<Bounds[]> {
  const offsets = await admin.ask(each => each.fetchTopicOffsets(topic));
  const bounds: Bounds[] = [];
  for (const { partition, low, high } of offsets) bounds[partition] = { low: BigInt(low), high: BigInt(high) };
  return bounds;
}

/** By partition, in order; undefined where the group has committed nothing. */
export async function committedOffsets(
  admin: AdminConnection,
  group: string,
  topic: string,
): Promise<(bigint | undefined)[]> {
  const [found] = await admin.ask(each => each.fetchOffsets({ groupId: group, topics: [topic] }));
  const committed: (bigint | undefined)[] = [];
  for (const { partition, offset } of found?.partitions ?? []) {
    const next = BigInt(offset);
    committed[partition] = next < 0n ? undefined : next;
  }
  return committed;
}
