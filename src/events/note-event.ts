/** Notes on the wire. The event and the core's note are one shape; if either changes alone, this file does not compile. */
import type { Note } from '../core/note.ts';
import { DecodeError, type EventCodec } from './codec.ts';
import type { NoteEvent } from './generated.ts';
import { deterministicId, textSha256 } from './identity.ts';
import { fullName, NOTE_SCHEMA } from './schemas.ts';
import { createSingleObjectCodec } from './single-object.ts';

/** `ce_type` of a note. */
export const NOTE_EVENT_TYPE = fullName(NOTE_SCHEMA);

const FIRST_TIME = Date.parse('0000-01-01T00:00:00.000Z');
const LAST_TIME = Date.parse('9999-12-31T23:59:59.999Z');

const asNote: (event: NoteEvent) => Note = event => event;
const asEvent: (note: Note) => NoteEvent = note => note;

/** Notes in single-object encoding. @throws DecodeError, also NOTE_INVALID: it is an event, but not of a note. */
export function createNoteCodec(options: { readonly maxBytes?: number } = {}): EventCodec<Note> {
  return noteCodec(createSingleObjectCodec<NoteEvent>({ schema: NOTE_SCHEMA, ...options }));
}

/** Notes over any codec of their events. */
export function noteCodec(events: EventCodec<NoteEvent>): EventCodec<Note> {
  return {
    encode: note => events.encode(asEvent(note)),
    decode: async value => requireNote(asNote(await events.decode(value))),
  };
}

/** Deterministic `ce_id` of a note: the same version with the same text has the same id. */
export function noteEventId(note: Note): string {
  return deterministicId(['note', note.noteId, note.noteVersion, textSha256(note.text)]);
}

/** @throws DecodeError NOTE_INVALID naming the field. */
export function requireNote(note: Note): Note {
  if (note.noteId === '') throw invalid('noteId', 'must not be empty');
  if (note.patientId === '') throw invalid('patientId', 'must not be empty: it is the message key');
  if (note.noteVersion < 1) throw invalid('noteVersion', 'must be 1 or more');
  if (!isNoteTime(note.authoredAt))
    throw invalid(
      'authoredAt',
      'must be milliseconds since the Unix epoch, in the years 0 to 9999: is it in microseconds?',
    );
  return note;
}

/** Whether these milliseconds fall into the years 0000 to 9999, which are what ISO 8601 can show; microseconds of today do not. */
export function isNoteTime(ms: number): boolean {
  return ms >= FIRST_TIME && ms <= LAST_TIME;
}

function invalid(field: string, what: string): DecodeError {
  return new DecodeError('NOTE_INVALID', `${field} ${what}`, { details: { field } });
}
