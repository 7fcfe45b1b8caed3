/** Notes on the wire. The event and the core's note are one shape; if either changes alone, this file does not compile. */
import type { Note } from '../core/note.ts';
import { DecodeError, type EventCodec } from './codec.ts';
import type { NoteEvent } from './generated.ts';
import { deterministicId, textSha256 } from './identity.ts';
import { fullName, NOTE_SCHEMA } from './schemas.ts';
import { createSingleObjectCodec } from './single-object.ts';

/** `ce_type` of a note. */
export const NOTE_EVENT_TYPE = fullName(NOTE_SCHEMA);

/** Milliseconds on either side of the epoch that avsc carries exactly; every one of them is a time that dates can show. */
export const MAX_TIME = 2 ** 52 - 1;

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
  if (Math.abs(note.authoredAt) > MAX_TIME) throw invalid('authoredAt', 'must be milliseconds since the Unix epoch');
  return note;
}

function invalid(field: string, what: string): DecodeError {
  return new DecodeError('NOTE_INVALID', `${field} ${what}`, { details: { field } });
}
