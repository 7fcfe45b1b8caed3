/** Input for the kill test: short notes of many patients, and poison of every kind among them, each with the code it must get. */
import type { Note } from '../../src/core/note.ts';
import type { OutgoingRecord } from '../../src/core/record.ts';
import { createEntitiesCodec, entitiesEvent } from '../../src/events/entities-event.ts';
import { createNoteCodec } from '../../src/events/note-event.ts';
import { NOTE_SCHEMA } from '../../src/events/schemas.ts';
import { createSingleObjectCodec } from '../../src/events/single-object.ts';

const PATIENTS = 250;
const TOPIC = 'clinical.notes';

const DRUGS = ['aspirin', 'metformin', 'lisinopril', 'insulin glargine', 'warfarin', 'albuterol'];
const SYMPTOMS = ['chest pain', 'fever', 'shortness of breath', 'nausea', 'dizziness', 'ankle swelling'];
const DISEASES = ['hypertension', 'asthma', 'type 2 diabetes', 'pneumonia', 'atrial fibrillation'];

export function note(i: number, fields: Partial<Note> = {}): Note {
  const pick = (from: readonly string[], step: number): string => from[(i * step) % from.length] as string;
  return {
    noteId: `note-${i}`,
    noteVersion: 1,
    patientId: `patient-${i % PATIENTS}`,
    encounterId: null,
    noteType: 'progress',
    authoredAt: 1_700_000_000_000 + i,
    specialty: null,
    source: 'kill-test',
    text: `Visit ${i}: ${pick(SYMPTOMS, 5)} with ${pick(DISEASES, 3)}; continue ${pick(DRUGS, 7)}.`,
    deidentification: { method: 'synthetic', version: '1' },
    ...fields,
  };
}

/** A record with the dead-letter code that it must end with; none for a note that can be tagged. */
export interface Input {
  readonly record: OutgoingRecord;
  readonly noteId: string;
  readonly code: string | undefined;
}

const notes = createNoteCodec({ maxBytes: 32 * 1024 * 1024 });

async function good(i: number, fields: Partial<Note> = {}): Promise<Buffer> {
  return notes.encode(note(i, fields));
}

/** Each kind of poison, made from a good note's bytes where that is how it would come about. */
const POISON: readonly (readonly [code: string, make: (i: number) => Promise<Buffer | null>])[] = [
  ['VALUE_NULL', async () => null],
  ['NOT_AVRO', async i => Buffer.from(`{"noteId":"note-${i}"}`)],
  ['NOT_AVRO', async () => Buffer.alloc(0)],
  ['VALUE_TRUNCATED', async i => (await good(i)).subarray(0, -20)],
  ['VALUE_MALFORMED', async i => Buffer.concat([await good(i), Buffer.from([1, 2, 3])])],
  ['NOTE_NOT_ATTESTED', i => good(i, { deidentification: null })],
  ['NOTE_LOOKS_IDENTIFIED', i => good(i, { text: 'mail the result to jane.roe@example.org please' })],
  ['VALUE_TOO_LARGE', i => good(i, { text: 'x'.repeat(10 * 1024 * 1024) })],
  ['SCHEMA_UNKNOWN', i => entitiesBytes(i)],
  ['SCHEMA_UNKNOWN', i => numberForText(i)],
  ['NOTE_TEXT_NOT_UTF8', i => notUtf8(i)],
];

function entitiesBytes(i: number): Promise<Buffer> {
  const model = { name: 'x', version: '1', sha256: 'x' };
  return createEntitiesCodec().encode(
    entitiesEvent({ note: note(i), entities: [], tasks: [], model, status: 'FINAL', revision: 1, taggedAt: 0 }),
  );
}

/** A sender whose schema says that text is a number. */
function numberForText(i: number): Promise<Buffer> {
  const fields = NOTE_SCHEMA.fields.map(field => (field.name === 'text' ? { ...field, type: 'int' } : field));
  return createSingleObjectCodec<object>({ schema: { ...NOTE_SCHEMA, fields } }).encode({ ...note(i), text: i });
}

async function notUtf8(i: number): Promise<Buffer> {
  const bytes = Buffer.from(await good(i, { text: 'fever QQQQ' }));
  bytes.fill(0xff, bytes.indexOf('QQQQ'), bytes.indexOf('QQQQ') + 4);
  return bytes;
}

/** `count` inputs, one in 50 of them poison of the next kind; the 10 MB one comes once. */
export async function inputs(count: number): Promise<Input[]> {
  const all: Input[] = [];
  let poison = 0;
  for (let i = 0; i < count; i++) {
    let [code, make] =
      i % 50 === 49 ? (POISON[poison++ % POISON.length] as (typeof POISON)[number]) : [undefined, good];
    if (code === 'VALUE_TOO_LARGE' && poison > POISON.length) [code, make] = [undefined, good];
    const { noteId, patientId } = note(i);
    all.push({
      noteId,
      code,
      record: { topic: TOPIC, key: Buffer.from(patientId), value: await make(i), headers: { n: Buffer.from(noteId) } },
    });
  }
  return all;
}
