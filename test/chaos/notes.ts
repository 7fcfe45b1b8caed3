/** Notes for the chaos run, in Confluent format, with poison among them; each poison has the code that its dead letter must bear. */

import type { OutgoingRecord } from '../../src/core/record.ts';
import type { EventCodecs } from '../../src/events/codecs.ts';
import { note } from '../contract/corpus.ts';

export interface Sent {
  readonly noteId: string;
  readonly patientId: string;
  /** Undefined for a note that can be tagged. */
  readonly code: string | undefined;
  readonly record: OutgoingRecord;
}

type Make = (good: (fields?: Parameters<typeof note>[1]) => Promise<Buffer>) => Promise<Buffer | null>;

const POISON: readonly (readonly [code: string, make: Make])[] = [
  ['VALUE_NULL', async () => null],
  ['NOT_AVRO', async () => Buffer.from('{"noteId": "plain JSON"}')],
  ['VALUE_TRUNCATED', async good => (await good()).subarray(0, -20)],
  ['VALUE_MALFORMED', async good => Buffer.concat([await good(), Buffer.from([1, 2, 3])])],
  ['NOTE_NOT_ATTESTED', good => good({ deidentification: null })],
  ['NOTE_LOOKS_IDENTIFIED', good => good({ text: 'mail the result to jane.roe@example.org please' })],
  ['SCHEMA_UNKNOWN', async good => withId(await good(), 987_654)],
];

/** One in so many is poison, of the next kind. */
const POISON_EVERY = 50;

/** @param overrides of the good notes, and of the notes that poison is made from where it says nothing else. */
export async function sent(
  i: number,
  codecs: EventCodecs,
  topic: string,
  overrides: Parameters<typeof note>[1] = {},
): Promise<Sent> {
  const codec = codecs.notes(topic);
  const good = (fields = {}): Promise<Buffer> => codec.encode(note(i, { ...overrides, ...fields }));
  const { noteId, patientId } = note(i);
  const poison =
    i % POISON_EVERY === POISON_EVERY - 1 ? POISON[Math.floor(i / POISON_EVERY) % POISON.length] : undefined;
  const value = poison === undefined ? await good() : await poison[1](good);
  const headers = { n: Buffer.from(noteId) };
  return { noteId, patientId, code: poison?.[0], record: { topic, key: Buffer.from(patientId), value, headers } };
}

function withId(value: Buffer, id: number): Buffer {
  const copy = Buffer.from(value);
  copy.writeUInt32BE(id, 1);
  return copy;
}
