/** If these fail, `produce` lets in what it should refuse, or tells a person nothing that helps, or tells what it must not. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import type { Note } from '../../src/core/note.ts';
import { requireNote } from '../../src/events/note-event.ts';
import { NoteInputError, noteFromJson } from '../../src/events/note-json.ts';
import { noteToJson } from '../../src/events/to-json.ts';
import { CANARY, NOTE, notes } from './example.ts';

const MINIMAL = { noteId: 'n', patientId: 'p', noteType: 't', authoredAt: 0, text: 'x' };

function refusal(value: unknown): NoteInputError {
  try {
    noteFromJson(value);
  } catch (error) {
    assert.ok(error instanceof NoteInputError, inspect(error));
    assert.ok(!inspect(error, { depth: 9 }).includes(CANARY), 'the error shows what was in the input');
    return error;
  }
  return assert.fail('the note was accepted');
}

describe('notes from JSON', () => {
  it('read back what `consume` prints', () => {
    fc.assert(fc.property(notes, note => assert.deepEqual(noteFromJson(noteToJson(note)), note)));
  });

  it('have a time that can be read back, whichever one is accepted', () => {
    const anyTime = fc.oneof(
      fc.maxSafeInteger(),
      fc.integer({ min: -62_167_219_200_002, max: -62_167_219_199_998 }),
      fc.integer({ min: 253_402_300_799_998, max: 253_402_300_800_002 }),
    );
    fc.assert(
      fc.property(anyTime, authoredAt => {
        let note: Note;
        try {
          note = requireNote({ ...NOTE, authoredAt });
        } catch {
          assert.equal(refusal({ ...MINIMAL, authoredAt }).details.key, 'authoredAt');
          return;
        }
        assert.deepEqual(noteFromJson(noteToJson(note)), note);
        assert.equal(noteFromJson({ ...MINIMAL, authoredAt }).authoredAt, authoredAt);
      }),
    );
  });

  it('need only what has no sensible default', () => {
    assert.deepEqual(noteFromJson(MINIMAL), {
      ...MINIMAL,
      noteVersion: 1,
      encounterId: null,
      specialty: null,
      source: '',
      deidentification: null,
    });
  });

  it('take times in milliseconds, with an offset, or as a date; never local time', () => {
    const at = (authoredAt: unknown) => noteFromJson({ ...MINIMAL, authoredAt }).authoredAt;
    assert.equal(at(1_700_000_000_000), 1_700_000_000_000);
    assert.equal(at('2026-03-01T09:30:00Z'), NOTE.authoredAt);
    assert.equal(at('2026-03-01T11:30:00.000+02:00'), NOTE.authoredAt);
    assert.equal(at('2026-03-01'), Date.UTC(2026, 2, 1));
    for (const wrong of ['2026-03-01T09:30:00', '01/03/2026', '2026-02-30', 1.5, 5e15, null, '']) {
      assert.equal(refusal({ ...MINIMAL, authoredAt: wrong }).details.key, 'authoredAt', String(wrong));
    }
    for (const beyond of [1_772_357_400_000_000, '9999-12-31T23:59:59-01:00', '0000-01-01T00:00:00+01:00'])
      assert.match(refusal({ ...MINIMAL, authoredAt: beyond }).message, /^authoredAt must be .*microseconds/);
  });

  it('are refused with the key and what it should hold', () => {
    const wrong = {
      noteId: '',
      noteVersion: 0,
      patientId: { CANARY },
      encounterId: 3,
      noteType: null,
      authoredAt: CANARY,
      specialty: [CANARY],
      source: 1,
      text: [CANARY],
      deidentification: { method: CANARY },
    };
    for (const [key, value] of Object.entries(wrong)) {
      const error = refusal({ ...MINIMAL, text: CANARY, [key]: value });
      assert.equal(error.code, 'NOTE_JSON_INVALID');
      assert.equal(error.details.key, key);
      assert.match(error.message, new RegExp(`^${key} must be `));
    }
    for (const key of Object.keys(MINIMAL)) {
      assert.equal(refusal({ ...MINIMAL, [key]: undefined }).details.key, key, 'a missing key');
    }
  });

  it('are refused without showing what was there instead', () => {
    for (const value of [CANARY, null, 3, [MINIMAL], undefined]) assert.equal(refusal(value).code, 'NOTE_JSON_INVALID');
    assert.match(refusal({ ...MINIMAL, [CANARY]: 1 }).message, /a key that no note has/);
  });

  it('are refused when text has half a surrogate pair', () => {
    const text = JSON.parse(`{"text":"${CANARY} \\ud83d"}`).text;
    assert.equal(refusal({ ...MINIMAL, text }).code, 'NOTE_TEXT_NOT_UNICODE');
    assert.equal(refusal({ ...MINIMAL, noteId: '\udc00' }).code, 'NOTE_JSON_INVALID');
  });
});
