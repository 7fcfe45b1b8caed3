/** If these fail, a note without a place or a patient goes on into the stream, or a good note is refused. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DecodeError, type EventCodec } from '../../src/events/codec.ts';
import type { NoteEvent } from '../../src/events/generated.ts';
import { createNoteCodec, NOTE_EVENT_TYPE, noteCodec, noteEventId } from '../../src/events/note-event.ts';
import { NOTE_SCHEMA } from '../../src/events/schemas.ts';
import { createSingleObjectCodec } from '../../src/events/single-object.ts';
import { NOTE } from './example.ts';

const codec = createNoteCodec();
const anyNote = createSingleObjectCodec<NoteEvent>({ schema: NOTE_SCHEMA });

describe('notes on the wire', () => {
  it('come back as they were', async () => {
    assert.deepEqual(await codec.decode(await codec.encode(NOTE)), NOTE);
    const bare = { ...NOTE, text: '', deidentification: null, source: '' };
    assert.deepEqual(await codec.decode(await codec.encode(bare)), bare, 'what may be empty is accepted');
  });

  it('are refused when they name no note, no patient, no version or no possible time', async () => {
    const wrong: Partial<NoteEvent>[] = [
      { noteId: '' },
      { patientId: '' },
      { noteVersion: 0 },
      { authoredAt: 1_772_357_400_000_000 },
      { authoredAt: 253_402_300_800_000 },
      { authoredAt: -62_167_219_200_001 },
    ];
    for (const change of wrong) {
      const decoded: EventCodec<NoteEvent> = { ...anyNote, decode: async () => ({ ...NOTE, ...change }) };
      await assert.rejects(noteCodec(decoded).decode(null), (error: unknown) => {
        assert.ok(error instanceof DecodeError);
        assert.equal(error.code, 'NOTE_INVALID');
        const [field] = Object.keys(change);
        assert.equal(error.details.field, field);
        assert.match(error.message, new RegExp(`^${field} `));
        if (field === 'authoredAt') assert.match(error.message, /microseconds/);
        return true;
      });
    }
  });

  it('respect the limit that is passed in', async () => {
    const value = await codec.encode(NOTE);
    await assert.rejects(createNoteCodec({ maxBytes: 20 }).decode(value), { code: 'VALUE_TOO_LARGE' });
  });

  it('have an id and a type of their own', () => {
    assert.equal(NOTE_EVENT_TYPE, 'clinstream.v1.NoteEvent');
    assert.equal(noteEventId(NOTE), noteEventId({ ...NOTE }));
    const others = [{ noteId: 'note-2' }, { noteVersion: 3 }, { text: 'corrected' }].map(change =>
      noteEventId({ ...NOTE, ...change }),
    );
    assert.equal(new Set([noteEventId(NOTE), ...others]).size, 4);
  });
});
