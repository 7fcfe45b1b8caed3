/** Notes as people write them: one JSON object a note. A wrong key is refused with its name and never repaired. */
import { z } from 'zod';
import { ClinstreamError } from '../core/errors.ts';
import type { Note } from '../core/note.ts';
import { isNoteTime } from './note-event.ts';

/** The message names the key and what it should hold, never what it held. */
export class NoteInputError extends ClinstreamError<'NOTE_JSON_INVALID' | 'NOTE_TEXT_NOT_UNICODE'> {
  readonly stage = 'input';
}

const HALF_SURROGATE = 'well-formed Unicode';
const string = z.string().refine(value => value.isWellFormed(), { error: HALF_SURROGATE });
const name = string.min(1);
const optional = name.nullish().transform(value => value ?? null);
/** With its offset from UTC, or a date alone, which means midnight UTC: local time would depend on the machine. */
const iso = z.union([z.iso.datetime({ offset: true }), z.iso.date()]).transform(text => Date.parse(text));

const schema = z.strictObject({
  noteId: name,
  noteVersion: z.int32().min(1).default(1),
  patientId: name,
  encounterId: optional,
  noteType: name,
  authoredAt: z.union([z.int(), iso]).refine(isNoteTime),
  specialty: optional,
  source: string.default(''),
  text: string,
  deidentification: z
    .strictObject({ method: string, version: string })
    .nullish()
    .transform(value => value ?? null),
});

type Key = keyof typeof schema.shape;

const EXPECTED: Readonly<Record<Key, string>> = {
  noteId: 'text that is not empty',
  noteVersion: 'a whole number from 1, or nothing',
  patientId: 'text that is not empty (a pseudonym)',
  encounterId: 'text that is not empty, null or nothing',
  noteType: 'text that is not empty',
  authoredAt:
    'milliseconds (not microseconds) since the Unix epoch, an ISO 8601 time with its offset (2026-03-01T09:30:00Z), or a date, in the years 0 to 9999',
  specialty: 'text that is not empty, null or nothing',
  source: 'text, or nothing',
  text: 'the text of the note',
  deidentification: '{method, version}, both text: how the sender removed identifying details',
};

/**
 * A note from parsed JSON. Without `deidentification` it is a note that the privacy gate will refuse.
 * @throws NoteInputError NOTE_JSON_INVALID, or NOTE_TEXT_NOT_UNICODE when the text holds half a surrogate pair.
 */
export function noteFromJson(value: unknown): Note {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const [key] = issue?.path ?? [];
  if (key === 'text' && issue?.message === HALF_SURROGATE) {
    throw new NoteInputError('NOTE_TEXT_NOT_UNICODE', 'text holds half a surrogate pair: it has no bytes in UTF-8', {
      details: { key },
    });
  }
  if (isKey(key)) {
    throw new NoteInputError('NOTE_JSON_INVALID', `${key} must be ${EXPECTED[key]}`, { details: { key } });
  }
  const keys = Object.keys(EXPECTED).join(', ');
  const what = issue?.code === 'unrecognized_keys' ? 'a key that no note has' : 'something else';
  throw new NoteInputError(
    'NOTE_JSON_INVALID',
    `a note is one JSON object with the keys ${keys}; this is or has ${what}`,
  );
}

function isKey(key: PropertyKey | undefined): key is Key {
  return typeof key === 'string' && Object.hasOwn(EXPECTED, key);
}
