/** If these fail, a replay or a second worker gives the same note another identity, and consumers count it twice. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import {
  createEntitiesCodec,
  ENTITIES_EVENT_TYPE,
  type EntitiesOfNote,
  entitiesEvent,
} from '../../src/events/entities-event.ts';
import { NOTE } from './example.ts';

const OF: EntitiesOfNote = {
  note: NOTE,
  entities: [{ task: 'medication', start: 16, end: 23, text: 'aspirin', confidence: 0.9 }],
  tasks: [{ task: 'medication', confidence: 0.8, decidedBy: 'student' }],
  model: { name: 'notes', version: '1', sha256: 'ab'.repeat(32) },
  status: 'FINAL',
  revision: 1,
  taggedAt: 7,
};

describe('an entities event', () => {
  it('carries the note and what was found in it, but not the text', () => {
    assert.deepEqual(entitiesEvent(OF), {
      eventId: entitiesEvent(OF).eventId,
      noteId: 'note-1',
      noteVersion: 2,
      revision: 1,
      status: 'FINAL',
      patientId: 'patient-7',
      encounterId: null,
      noteType: 'progress',
      authoredAt: NOTE.authoredAt,
      textSha256: createHash('sha256').update(NOTE.text).digest('hex'),
      offsetUnit: 'unicode-code-point',
      model: OF.model,
      tasks: OF.tasks,
      entities: [
        {
          task: 'medication',
          start: 16,
          end: 23,
          text: 'aspirin',
          confidence: 0.9,
          source: 'student',
          section: null,
          assertion: null,
          codes: [],
        },
      ],
      taggedAt: 7,
    });
  });

  it('survives the wire', async () => {
    const codec = createEntitiesCodec();
    assert.deepEqual(await codec.decode(await codec.encode(entitiesEvent(OF))), entitiesEvent(OF));
    assert.equal(ENTITIES_EVENT_TYPE, 'clinstream.v1.EntitiesEvent');
  });

  it('has the same id whenever and however often the note is tagged', () => {
    const { eventId } = entitiesEvent(OF);
    assert.match(eventId, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(entitiesEvent({ ...OF, taggedAt: 99, entities: [], status: 'PROVISIONAL' }).eventId, eventId);
  });

  it('has another id for another note, version, text, model or revision', () => {
    const others: EntitiesOfNote[] = [
      { ...OF, note: { ...NOTE, noteId: 'note-12' } },
      { ...OF, note: { ...NOTE, noteVersion: 3 } },
      { ...OF, note: { ...NOTE, text: 'corrected' } },
      { ...OF, model: { ...OF.model, sha256: 'cd'.repeat(32) } },
      { ...OF, revision: 2 },
      OF,
    ];
    assert.equal(new Set(others.map(of => entitiesEvent(of).eventId)).size, others.length);
  });
});
