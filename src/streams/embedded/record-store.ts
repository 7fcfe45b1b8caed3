/** Topics and records in the file. Offsets rise by one and are never used again; every method is one statement or needs a transaction around it. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { OutgoingRecord, StreamRecord } from '../../core/record.ts';
import { partitionOf } from '../partitioner.ts';
import { StreamError } from '../stream-error.ts';
import type { Retention, TopicInfo } from '../transport.ts';
import { reading } from './database.ts';
import { decodeHeaders, encodeHeaders } from './header-bytes.ts';

export interface TopicRow {
  readonly id: number;
  readonly name: string;
  readonly partitions: number;
  readonly retention_ms: number | null;
  readonly retention_bytes: number | null;
}

interface Limits {
  readonly records: number;
  readonly bytes: number;
}

interface RecordRow {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: Uint8Array;
}

export class RecordStore {
  readonly #database: DatabaseSync;
  readonly #topicByName: StatementSync;
  readonly #high: StatementSync;
  readonly #raise: StatementSync;
  readonly #insert: StatementSync;
  readonly #select: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#topicByName = database.prepare('SELECT * FROM topic WHERE name = ?');
    this.#high = database.prepare('SELECT low, high FROM partition WHERE topic_id = ? AND partition = ?');
    this.#raise = database.prepare('UPDATE partition SET high = ? WHERE topic_id = ? AND partition = ?');
    this.#insert = database.prepare(
      'INSERT INTO record (topic_id, partition, offset, timestamp, key, value, headers) VALUES (?, ?, ?, ?, ?, ?, ?)',
    );
    this.#select = database.prepare(
      'SELECT offset, timestamp, key, value, headers FROM record WHERE topic_id = ? AND partition = ? AND offset >= ? ORDER BY offset LIMIT ?',
    );
  }

  /** @throws StreamError TOPIC_UNKNOWN */
  topic(name: string): TopicRow {
    const row = reading(() => this.#topicByName.get(name)) as TopicRow | undefined;
    if (row === undefined) {
      throw new StreamError(
        'TOPIC_UNKNOWN',
        `there is no topic ${name}: 'clinstream topics list' shows what there is, 'topics create' makes it`,
      );
    }
    return row;
  }

  /** Needs a transaction. @throws StreamError TOPIC_EXISTS, TOPIC_INVALID */
  create(name: string, partitions: number, retention: Retention): void {
    // Kafka's rule for names, so that a topic can move there
    if (!/^[A-Za-z0-9._-]{1,249}$/.test(name) || name === '.' || name === '..') {
      throw new StreamError(
        'TOPIC_INVALID',
        'a topic name has 1 to 249 letters, digits, dots, hyphens and underscores',
      );
    }
    if (!(Number.isInteger(partitions) && partitions >= 1 && partitions <= 10_000)) {
      throw new StreamError('TOPIC_INVALID', `topic ${name}: partitions must be a whole number from 1 to 10000`);
    }
    if (this.#topicByName.get(name) !== undefined)
      throw new StreamError('TOPIC_EXISTS', `topic ${name} exists already`);
    const { lastInsertRowid } = this.#database
      .prepare('INSERT INTO topic (name, partitions, retention_ms, retention_bytes) VALUES (?, ?, ?, ?)')
      .run(name, partitions, retention.ms, retention.bytes);
    const insert = this.#database.prepare('INSERT INTO partition (topic_id, partition, low, high) VALUES (?, ?, 0, 0)');
    for (let partition = 0; partition < partitions; partition++) insert.run(lastInsertRowid, partition);
  }

  list(): TopicInfo[] {
    return reading(() => this.#list());
  }

  #list(): TopicInfo[] {
    const partitions = this.#database.prepare(
      'SELECT partition, low, high FROM partition WHERE topic_id = ? ORDER BY partition',
    );
    const topics = this.#database.prepare('SELECT * FROM topic ORDER BY name').all() as unknown as TopicRow[];
    return topics.map(topic => ({
      topic: topic.name,
      retention: { ms: topic.retention_ms, bytes: topic.retention_bytes },
      partitions: (partitions.all(topic.id) as { partition: number; low: number; high: number }[]).map(each => ({
        partition: each.partition,
        low: BigInt(each.low),
        high: BigInt(each.high),
      })),
    }));
  }

  /** Offsets of the oldest record that is there and of the next to come. */
  bounds(topicId: number, partition: number): { low: number; high: number } {
    const row = reading(() => this.#high.get(topicId, partition)) as { low: number; high: number } | undefined;
    if (row === undefined) throw new StreamError('PARTITION_UNKNOWN', `the topic has no partition ${partition}`);
    return row;
  }

  /** Needs a transaction. @param now milliseconds since the Unix epoch, for records without a timestamp. */
  append(records: readonly OutgoingRecord[], now: number): void {
    const topics = new Map<string, TopicRow>();
    const next = new Map<string, { topic: TopicRow; partition: number; offset: number }>();
    for (const record of records) {
      const topic = topics.get(record.topic) ?? this.topic(record.topic);
      topics.set(record.topic, topic);
      const partition = record.partition ?? (record.key === null ? 0 : partitionOf(record.key, topic.partitions));
      const place = `${topic.id}/${partition}`;
      const at = next.get(place) ?? { topic, partition, offset: this.bounds(topic.id, partition).high };
      next.set(place, at);
      const { key, value, headers, timestamp = now } = record;
      this.#insert.run(topic.id, partition, at.offset, timestamp, key, value, encodeHeaders(headers));
      at.offset++;
    }
    for (const { topic, partition, offset } of next.values()) this.#raise.run(offset, topic.id, partition);
  }

  /** Records from an offset on, in order, at most `records` and, beyond the first, at most `bytes`. */
  fetch(topic: TopicRow, partition: number, from: number, limits: Limits): StreamRecord[] {
    return reading(() => this.#fetch(topic, partition, from, limits));
  }

  #fetch(topic: TopicRow, partition: number, from: number, limits: Limits): StreamRecord[] {
    const found: StreamRecord[] = [];
    let bytes = 0;
    for (const row of this.#select.iterate(topic.id, partition, from, limits.records) as Iterable<unknown>) {
      const record = toRecord(topic.name, partition, row as RecordRow);
      bytes += record.value?.length ?? 0;
      if (found.length > 0 && bytes > limits.bytes) break;
      found.push(record);
    }
    return found;
  }
}

function toRecord(topic: string, partition: number, row: RecordRow): StreamRecord {
  return {
    topic,
    partition,
    offset: BigInt(row.offset),
    timestamp: row.timestamp,
    key: toBuffer(row.key),
    value: toBuffer(row.value),
    headers: decodeHeaders(toBuffer(row.headers) as Buffer),
  };
}

/** The same bytes, not a copy. */
function toBuffer(bytes: Uint8Array | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
