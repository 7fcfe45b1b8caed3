/** Events that the tests of this folder share. */
import fc from 'fast-check';
import type { Note } from '../../src/core/note.ts';
import type { StreamRecord } from '../../src/core/record.ts';
import type { EntitiesEvent, EscalationEvent, ReviewEvent } from '../../src/events/generated.ts';

/** Stands where text of a note stands; it must never be seen in a message or a header. */
export const CANARY = 'Zyxcanary';

export const NOTE: Note = {
  noteId: 'note-1',
  noteVersion: 2,
  patientId: 'patient-7',
  encounterId: null,
  noteType: 'progress',
  authoredAt: Date.UTC(2026, 2, 1, 9, 30),
  specialty: 'cardiology',
  source: 'feed-a',
  text: `${CANARY} takes aspirin 💊 for cafe\u0301 au lait spots.\r\n`,
  deidentification: { method: 'surrogates', version: '3' },
};

export const ENTITIES: EntitiesEvent = {
  eventId: '00000000-0000-8000-8000-000000000000',
  noteId: 'note-1',
  noteVersion: 2,
  revision: 1,
  status: 'PROVISIONAL',
  patientId: 'patient-7',
  encounterId: 'encounter-3',
  noteType: 'progress',
  authoredAt: 1_000,
  textSha256: 'ab'.repeat(32),
  offsetUnit: 'unicode-code-point',
  model: { name: 'notes', version: '1', sha256: 'cd'.repeat(32) },
  tasks: [{ task: 'medication', confidence: 0.75, decidedBy: 'student' }],
  entities: [
    {
      task: 'medication',
      start: 6,
      end: 13,
      text: 'aspirin',
      confidence: 0.5,
      source: 'student',
      section: null,
      assertion: 'present',
      codes: [{ system: 'RxNorm', code: '1191', display: 'aspirin' }],
    },
  ],
  taggedAt: 2_000,
};

export const ESCALATION: EscalationEvent = {
  eventId: '00000000-0000-8000-8000-000000000001',
  note: NOTE,
  revision: 1,
  model: ENTITIES.model,
  tasks: ENTITIES.tasks,
  entities: ENTITIES.entities,
  doubts: [{ task: 'medication', score: 'expected-errors', value: 2.5, threshold: 1.25 }],
  escalatedAt: 3_000,
};

export const REVIEW: ReviewEvent = {
  eventId: '00000000-0000-8000-8000-000000000002',
  noteId: 'note-1',
  noteVersion: 2,
  revision: 2,
  patientId: 'patient-7',
  encounterId: null,
  noteType: 'progress',
  authoredAt: 1_000,
  textSha256: 'ab'.repeat(32),
  model: ENTITIES.model,
  reason: 'TOO_OLD',
  tasks: [{ task: 'medication', reason: 'TOO_OLD', teachers: ['first', 'second'] }],
  usd: 0.25,
  escalatedAt: 3_000,
  at: 4_000,
};

/** Any text that UTF-8 can hold. */
export const unicode = fc.string({ unit: 'grapheme' }).filter(text => text.isWellFormed());

const PLAIN = { noNullPrototype: true } as const;

export const notes: fc.Arbitrary<Note> = fc.record(
  {
    noteId: unicode.filter(text => text !== ''),
    noteVersion: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    patientId: unicode.filter(text => text !== ''),
    encounterId: fc.option(fc.string({ minLength: 1 })),
    noteType: fc.string({ minLength: 1 }),
    authoredAt: fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 }),
    specialty: fc.option(fc.string({ minLength: 1 })),
    source: unicode,
    text: unicode,
    deidentification: fc.option(fc.record({ method: unicode, version: unicode }, PLAIN)),
  },
  PLAIN,
);

export function record(value: Buffer | null, changes: Partial<StreamRecord> = {}): StreamRecord {
  return {
    topic: 'clinical.notes',
    partition: 3,
    offset: 9_007_199_254_740_993n,
    timestamp: 5_000,
    key: Buffer.from('patient-7'),
    value,
    headers: {},
    ...changes,
  };
}
