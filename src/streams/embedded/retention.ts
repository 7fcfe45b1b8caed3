/** Removes what a topic need not keep: never what a group that reads it has not committed, and an offset is never given again. */
import type { DatabaseSync } from 'node:sqlite';
import type { TopicRow } from './record-store.ts';

/** Needs a transaction. @param now milliseconds since the Unix epoch. @returns how many records were removed. */
export function applyRetention(database: DatabaseSync, now: number): number {
  const topics = database
    .prepare('SELECT * FROM topic WHERE retention_ms IS NOT NULL OR retention_bytes IS NOT NULL')
    .all() as unknown as TopicRow[];
  let removed = 0;
  for (const topic of topics) {
    for (let partition = 0; partition < topic.partitions; partition++) {
      const keepFrom = Math.min(
        firstToKeep(database, topic, partition, now),
        lowestCommitted(database, topic, partition),
      );
      const { changes } = database
        .prepare('DELETE FROM record WHERE topic_id = ? AND partition = ? AND offset < ?')
        .run(topic.id, partition, keepFrom);
      database
        .prepare('UPDATE partition SET low = max(low, ?) WHERE topic_id = ? AND partition = ?')
        .run(keepFrom, topic.id, partition);
      removed += Number(changes);
    }
  }
  return removed;
}

/** By age: before the first record young enough. By size: the newest records that fit are kept, whatever their age allows. */
function firstToKeep(database: DatabaseSync, topic: TopicRow, partition: number, now: number): number {
  const { low, high } = database
    .prepare('SELECT low, high FROM partition WHERE topic_id = ? AND partition = ?')
    .get(topic.id, partition) as { low: number; high: number };
  let keep = low;
  if (topic.retention_ms !== null) {
    const { first } = database
      .prepare('SELECT min(offset) AS first FROM record WHERE topic_id = ? AND partition = ? AND timestamp >= ?')
      .get(topic.id, partition, now - topic.retention_ms) as { first: number | null };
    keep = Math.max(keep, first ?? high);
  }
  if (topic.retention_bytes !== null) {
    let bytes = 0;
    const newestFirst = database.prepare(
      'SELECT offset, coalesce(length(value), 0) + coalesce(length(key), 0) + length(headers) AS bytes FROM record WHERE topic_id = ? AND partition = ? ORDER BY offset DESC',
    );
    for (const row of newestFirst.iterate(topic.id, partition) as Iterable<unknown>) {
      const { offset, bytes: size } = row as { offset: number; bytes: number };
      bytes += size;
      if (bytes > topic.retention_bytes) {
        keep = Math.max(keep, offset + 1);
        break;
      }
    }
  }
  return keep;
}

function lowestCommitted(database: DatabaseSync, topic: TopicRow, partition: number): number {
  const { lowest } = database
    .prepare('SELECT min(next) AS lowest FROM group_offset WHERE topic_id = ? AND partition = ?')
    .get(topic.id, partition) as { lowest: number | null };
  return lowest ?? Number.MAX_SAFE_INTEGER;
}
