/** Records as a transport carries them: opaque bytes with a place. What the bytes mean is for `events/` to say. */

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** Header values are bytes, as in Kafka; ours are UTF-8. */
export type Headers = Readonly<Record<string, Buffer>>;

export interface StreamRecord extends TopicPartition {
  readonly offset: bigint;
  /** Milliseconds since the Unix epoch, given by the producer or at append. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Headers;
}

export interface OutgoingRecord {
  readonly topic: string;
  /** The same key always goes to the same partition; without a key, partition 0 unless `partition` is given. */
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Headers;
  readonly partition?: number;
  /** Milliseconds since the Unix epoch; the time of append when absent. */
  readonly timestamp?: number;
}

/** The text of a header, or undefined when it is absent. */
export function headerText(headers: Headers, name: string): string | undefined {
  return headers[name]?.toString('utf8');
}
