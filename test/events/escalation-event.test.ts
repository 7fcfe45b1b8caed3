/** If these fail, a doubtful note reaches no teacher, or its answer cannot become the next revision of what was published. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { entitiesEvent } from '../../src/events/entities-event.ts';
import {
  createEscalationCodec,
  ESCALATION_EVENT_TYPE,
  type EscalationOfNote,
  escalationEvent,
} from '../../src/events/escalation-event.ts';
import type { EscalationEvent } from '../../src/events/generated.ts';
import { type AvroRecord, ESCALATION_SCHEMA, NOTE_SCHEMA, whole } from '../../src/events/schemas.ts';
import { createSingleObjectCodec } from '../../src/events/single-object.ts';
import { CANARY, ESCALATION, NOTE } from './example.ts';

/** ESCALATION, field by field. If it changes, escalations that wait in files and topics can no longer be read. */
const GOLDEN = [
  'c30165a4b08ce6b7546c',
  '4830303030303030302d303030302d383030302d383030302d303030303030303030303031',
  // the note, as the notes topic carries it
  '0c6e6f74652d31041270617469656e742d37001070726f677265737380d7dd8b9567021463617264696f6c6f67790c666565642d61',
  '705a797863616e6172792074616b6573206173706972696e20f09f928a20666f722063616665cc81206175206c6169742073706f74732e0d0a',
  '0214737572726f67617465730233',
  '02',
  `0a6e6f74657302318001${'6364'.repeat(32)}`,
  '02146d656469636174696f6e000000000000e83f0e73747564656e7400',
  '02146d656469636174696f6e0c1a0e6173706972696e000000000000e03f0e73747564656e74',
  '00020e70726573656e74020c52784e6f726d08313139310e6173706972696e0000',
  '02146d656469636174696f6e1e65787065637465642d6572726f72730000000000000440000000000000f43f00',
  'f02e',
].join('');

const OF: EscalationOfNote = {
  note: NOTE,
  entities: entitiesEvent({
    note: NOTE,
    entities: [{ task: 'medication', start: 16, end: 23, text: 'aspirin', confidence: 0.5 }],
    tasks: [{ task: 'medication', confidence: 0.4, decidedBy: 'student' }],
    model: { name: 'notes', version: '1', sha256: 'ab'.repeat(32) },
    status: 'PROVISIONAL',
    revision: 1,
    taggedAt: 7,
  }),
  doubts: [{ task: 'medication', score: 'expected-errors', value: 2, threshold: 1 }],
  escalatedAt: 8,
};

const codec = createEscalationCodec();

describe('an escalation', () => {
  it('stands on the wire as it always did', async () => {
    assert.equal((await codec.encode(ESCALATION)).toString('hex'), GOLDEN);
    assert.deepEqual(await codec.decode(Buffer.from(GOLDEN, 'hex')), ESCALATION);
  });

  it('holds the note as received, its attestation included, and the whole revision', async () => {
    const event = await codec.decode(await codec.encode(escalationEvent(OF)));
    assert.deepEqual(event.note, NOTE);
    assert.deepEqual(
      [event.entities, event.tasks, event.model],
      [OF.entities.entities, OF.entities.tasks, OF.entities.model],
    );
    assert.deepEqual([event.doubts, event.revision, event.escalatedAt], [OF.doubts, 1, 8]);
    assert.equal(ESCALATION_EVENT_TYPE, 'clinstream.v1.EscalationEvent');
  });

  it('has the same id whenever it is escalated, and another for another note, model or revision', () => {
    const { eventId } = escalationEvent(OF);
    assert.equal(escalationEvent({ ...OF, escalatedAt: 99, doubts: [] }).eventId, eventId);
    const others = [
      OF.entities,
      { ...OF.entities, noteVersion: 3 },
      { ...OF.entities, revision: 2 },
      { ...OF.entities, model: { ...OF.entities.model, sha256: 'cd' } },
    ].map(entities => escalationEvent({ ...OF, entities }).eventId);
    assert.equal(new Set([...others, OF.entities.eventId]).size, 5);
  });

  it('is refused when its note is none, without showing it', async () => {
    const value = await codec.encode({ ...ESCALATION, note: { ...NOTE, patientId: '' } });
    await assert.rejects(codec.decode(value), (error: unknown) => {
      assert.equal((error as { code: string }).code, 'NOTE_INVALID');
      return !inspect(error).includes(CANARY);
    });
  });

  it('of an older program is read with defaults', async () => {
    const older: AvroRecord = { ...ESCALATION_SCHEMA, fields: ESCALATION_SCHEMA.fields };
    const newer: AvroRecord = {
      ...ESCALATION_SCHEMA,
      fields: [...ESCALATION_SCHEMA.fields, { name: 'urgency', type: 'int', default: 0 }],
    };
    const next = createSingleObjectCodec<EscalationEvent & { urgency: number }>({
      schema: newer,
      olderSchemas: [older],
    });
    assert.deepEqual(await next.decode(await codec.encode(ESCALATION)), { ...ESCALATION, urgency: 0 });
  });
});

describe('schemas that name types of other files', () => {
  it('hold each definition once, where it is first named', () => {
    const text = JSON.stringify(ESCALATION_SCHEMA);
    for (const name of ['NoteEvent', 'Deidentification', 'ModelIdentity', 'TaskDecision', 'EntityMention', 'Code'])
      assert.equal(text.split(`"name":"${name}"`).length, 2, name);
    assert.ok(!text.includes('"clinstream.v1.'), 'nothing is left to look up');
  });

  it('refuse a name that nobody defines', () => {
    const schema: AvroRecord = { type: 'record', name: 'X', fields: [{ name: 'y', type: 'clinstream.v1.Nothing' }] };
    assert.throws(() => whole(schema, [NOTE_SCHEMA]), /no schema defines clinstream\.v1\.Nothing/);
  });
});
