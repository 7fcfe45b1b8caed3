/**
 * A record that could not be processed keeps its key, its bytes and its headers, untouched, so that it can be replayed once the
 * reason is gone. The reason stands beside them in `dl_…` headers: stages, codes, places and counts, never text of the note.
 */
import type { ClinstreamError } from '../core/errors.ts';
import { type Headers, headerText, type OutgoingRecord, type StreamRecord } from '../core/record.ts';

const PREFIX = 'dl_';
const REPLAYS = 'dl_replays';

/** Why a record was refused, and where it came from. */
export interface DeadLetterReason {
  readonly stage: string;
  readonly code: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  /** How often processing was tried before it was given up; at least 1. */
  readonly attempts: number;
  /** What the privacy gate found, such as `email`; empty for other reasons. */
  readonly categories: readonly string[];
  /** How often the record was sent back to its topic before. */
  readonly replays: number;
}

/** The record as it goes to the dead-letter topic. An earlier refusal's reason is replaced; its count of replays stays. */
export function deadLetter(
  record: StreamRecord,
  error: ClinstreamError,
  options: { readonly topic: string; readonly attempts: number },
): OutgoingRecord {
  const categories = error.stage === 'privacy' ? error.details.categories : undefined;
  const reason: Record<string, string> = {
    dl_stage: error.stage,
    dl_code: error.code,
    dl_topic: record.topic,
    dl_partition: String(record.partition),
    dl_offset: String(record.offset),
    dl_attempts: String(options.attempts),
    ...(typeof categories === 'string' ? { dl_categories: categories } : {}),
  };
  return {
    topic: options.topic,
    key: record.key,
    value: record.value,
    headers: { ...without(record.headers, name => name.startsWith(PREFIX) && name !== REPLAYS), ...bytes(reason) },
  };
}

/** The reason in a record's headers, or undefined when the record is no dead letter of ours. */
export function deadLetterReason(record: { readonly headers: Headers }): DeadLetterReason | undefined {
  const { headers } = record;
  const stage = headerText(headers, 'dl_stage');
  const code = headerText(headers, 'dl_code');
  const topic = headerText(headers, 'dl_topic');
  const partition = whole(headers, 'dl_partition');
  const offset = whole(headers, 'dl_offset');
  const attempts = whole(headers, 'dl_attempts');
  if (stage === undefined || code === undefined || topic === undefined) return undefined;
  if (partition === undefined || offset === undefined || attempts === undefined) return undefined;
  const categories = headerText(headers, 'dl_categories');
  return {
    stage,
    code,
    topic,
    partition: Number(partition),
    offset,
    attempts: Number(attempts),
    categories: categories === undefined || categories === '' ? [] : categories.split(','),
    replays: Number(whole(headers, REPLAYS) ?? 0n),
  };
}

/**
 * The record as it goes back to the topic it came from: its own headers, and `dl_replays` one higher. Its key leads it to its
 * partition; without a key it is sent to the partition it came from. Undefined when the record is no dead letter of ours.
 */
export function replay(record: StreamRecord): OutgoingRecord | undefined {
  const reason = deadLetterReason(record);
  if (reason === undefined) return undefined;
  return {
    topic: reason.topic,
    key: record.key,
    value: record.value,
    headers: {
      ...without(record.headers, name => name.startsWith(PREFIX)),
      ...bytes({ [REPLAYS]: String(reason.replays + 1) }),
    },
    ...(record.key === null ? { partition: reason.partition } : {}),
  };
}

function whole(headers: Headers, name: string): bigint | undefined {
  const text = headerText(headers, name);
  return text !== undefined && /^\d{1,19}$/.test(text) ? BigInt(text) : undefined;
}

function without(headers: Headers, drop: (name: string) => boolean): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !drop(name)));
}

function bytes(texts: Readonly<Record<string, string>>): Headers {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, Buffer.from(text, 'utf8')]));
}
