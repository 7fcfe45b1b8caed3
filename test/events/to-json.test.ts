/** If these fail, `consume` shows a person something that is not in the topic, or dumps bytes that nobody vouches for. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { singleObjectCodecs } from '../../src/events/codecs.ts';
import { createEntitiesCodec } from '../../src/events/entities-event.ts';
import type { NoteEvent } from '../../src/events/generated.ts';
import { createNoteCodec } from '../../src/events/note-event.ts';
import { ENTITIES_SCHEMA, NOTE_SCHEMA } from '../../src/events/schemas.ts';
import { createSingleObjectCodec } from '../../src/events/single-object.ts';
import { createValueToJson, headersToJson } from '../../src/events/to-json.ts';
import { CANARY, ENTITIES, NOTE } from './example.ts';

const toJson = createValueToJson();
const raw = (bytes: Buffer) => ({ bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') });

describe('values as JSON', () => {
  it('show notes and entities with times that people read', async () => {
    assert.deepEqual(await toJson(await createNoteCodec().encode(NOTE)), {
      ...NOTE,
      authoredAt: '2026-03-01T09:30:00.000Z',
    });
    assert.deepEqual(await toJson(await createEntitiesCodec().encode(ENTITIES)), {
      ...ENTITIES,
      authoredAt: '1970-01-01T00:00:01.000Z',
      taggedAt: '1970-01-01T00:00:02.000Z',
    });
  });

  it('keep the order of the schema', async () => {
    const note = await toJson(await createNoteCodec().encode(NOTE));
    assert.deepEqual(
      Object.keys(note ?? {}),
      NOTE_SCHEMA.fields.map(field => field.name),
    );
    const event = await toJson(await createEntitiesCodec().encode(ENTITIES));
    assert.deepEqual(
      Object.keys(event ?? {}),
      ENTITIES_SCHEMA.fields.map(field => field.name),
    );
  });

  it('tell unreadable bytes apart without showing them', async () => {
    const wrongNote = await createSingleObjectCodec<NoteEvent>({ schema: NOTE_SCHEMA }).encode({ ...NOTE, noteId: '' });
    for (const value of [Buffer.from(CANARY), Buffer.alloc(0), wrongNote])
      assert.deepEqual(await toJson(value), raw(value));
    assert.equal(await toJson(null), null);
  });

  it('treat values above the limit as raw', async () => {
    const value = await createNoteCodec().encode(NOTE);
    assert.deepEqual(await singleObjectCodecs({ noteBytes: value.length - 1 }).toJson(value), raw(value));
  });

  it('show headers as text where they are text', () => {
    const headers = { ce_id: Buffer.from('1'), odd: Buffer.from([0xff]) };
    assert.deepEqual(headersToJson(headers), { ce_id: '1', odd: raw(Buffer.from([0xff])) });
  });
});
