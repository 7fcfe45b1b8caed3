/** Records as JSON for people: times in ISO 8601, keys in the order of the schema. Bytes that are no event are never dumped. */

import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { Note } from '../core/note.ts';
import type { Headers } from '../core/record.ts';
import { DecodeError, type EventDecoder } from './codec.ts';
import { createEntitiesCodec } from './entities-event.ts';
import { createEscalationCodec } from './escalation-event.ts';
import type { EntitiesEvent, EscalationEvent, ReviewEvent } from './generated.ts';
import { createNoteCodec } from './note-event.ts';
import { createReviewCodec } from './review-event.ts';

/** Bytes that could not be read, told apart without being shown. */
export interface RawJson {
  readonly bytes: number;
  readonly sha256: string;
}

/** A note whose JSON `noteFromJson` reads back. */
export type NoteJson = Omit<Note, 'authoredAt'> & { readonly authoredAt: string };

export type EntitiesJson = Omit<EntitiesEvent, 'authoredAt' | 'taggedAt'> & {
  readonly authoredAt: string;
  readonly taggedAt: string;
};

export type EscalationJson = Omit<EscalationEvent, 'note' | 'escalatedAt'> & {
  readonly note: NoteJson;
  readonly escalatedAt: string;
};

export type ReviewJson = Omit<ReviewEvent, 'authoredAt' | 'escalatedAt' | 'at'> & {
  readonly authoredAt: string;
  readonly escalatedAt: string;
  readonly at: string;
};

type ValueJson = NoteJson | EntitiesJson | EscalationJson | ReviewJson | RawJson;

/**
 * A value of any topic of ours: an event, raw bytes, or null for a tombstone. Never rejects on bad input.
 * @throws RegistryError when the schema registry could not be asked what a value is.
 */
export type ValueToJson = (value: Buffer | null) => Promise<ValueJson | null>;

/** What reads the values, in whichever encoding they are. */
export interface ValueDecoders {
  readonly notes: EventDecoder<Note>;
  readonly entities: EventDecoder<EntitiesEvent>;
  readonly escalations: EventDecoder<EscalationEvent>;
  readonly reviews: EventDecoder<ReviewEvent>;
}

const EMBEDDED: ValueDecoders = {
  notes: createNoteCodec(),
  entities: createEntitiesCodec(),
  escalations: createEscalationCodec(),
  reviews: createReviewCodec(),
};

/** Reads whatever kind of event a value is; without decoders, of the embedded log. */
export function createValueToJson(decoders: ValueDecoders = EMBEDDED): ValueToJson {
  const { notes, entities, escalations, reviews } = decoders;
  return async value => {
    if (value === null) return null;
    return (
      (await readable(async () => noteToJson(await notes.decode(value)))) ??
      (await readable(async () => entitiesToJson(await entities.decode(value)))) ??
      (await readable(async () => escalationToJson(await escalations.decode(value)))) ??
      (await readable(async () => reviewToJson(await reviews.decode(value)))) ??
      rawToJson(value)
    );
  };
}

export function noteToJson(note: Note): NoteJson {
  return { ...note, authoredAt: isoTime(note.authoredAt) };
}

export function entitiesToJson(event: EntitiesEvent): EntitiesJson {
  return { ...event, authoredAt: isoTime(event.authoredAt), taggedAt: isoTime(event.taggedAt) };
}

export function escalationToJson(event: EscalationEvent): EscalationJson {
  return { ...event, note: noteToJson(event.note), escalatedAt: isoTime(event.escalatedAt) };
}

export function reviewToJson(event: ReviewEvent): ReviewJson {
  const { authoredAt, escalatedAt, at } = event;
  return { ...event, authoredAt: isoTime(authoredAt), escalatedAt: isoTime(escalatedAt), at: isoTime(at) };
}

export function rawToJson(value: Buffer): RawJson {
  return { bytes: value.length, sha256: createHash('sha256').update(value).digest('hex') };
}

/** Headers by name; values that are not UTF-8 as raw bytes. */
export function headersToJson(headers: Headers): Readonly<Record<string, string | RawJson>> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, isUtf8(value) ? value.toString('utf8') : rawToJson(value)]),
  );
}

async function readable<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
