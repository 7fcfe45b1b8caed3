/** If these fail, a command reads one transport's values with the other's codec. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { confluentCodecs, type EventCodecs, singleObjectCodecs } from '../../src/events/codecs.ts';
import { valueSubject } from '../../src/events/confluent.ts';
import { ENTITIES_SCHEMA, ESCALATION_SCHEMA, NOTE_SCHEMA, REVIEW_SCHEMA } from '../../src/events/schemas.ts';
import { kafkaNeeds } from '../kafka/needs.ts';
import { sharedKafka } from '../kafka/shared.ts';
import { CANARY, ENTITIES, ESCALATION, NOTE, REVIEW } from './example.ts';
import { client, closedPort, freshTopic } from './front.ts';

const raw = (bytes: Buffer) => ({ bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') });

/** What holds for either kind. */
async function conforms(
  codecs: EventCodecs,
  { notes, entities, escalations, reviews }: Readonly<Record<'notes' | 'entities' | 'escalations' | 'reviews', string>>,
): Promise<void> {
  const note = await codecs.notes(notes).encode(NOTE);
  const event = await codecs.entities(entities).encode(ENTITIES);
  assert.deepEqual(await codecs.notes(notes).decode(note), NOTE);
  assert.deepEqual(await codecs.entities(entities).decode(event), ENTITIES);
  await assert.rejects(codecs.notes(notes).decode(await codecs.notes(notes).encode({ ...NOTE, noteId: '' })), {
    code: 'NOTE_INVALID',
  });
  await assert.rejects(codecs.notes(notes).decode(event), { stage: 'decode' });
  assert.deepEqual(await codecs.toJson(note), { ...NOTE, authoredAt: '2026-03-01T09:30:00.000Z' });
  assert.deepEqual(await codecs.toJson(event), {
    ...ENTITIES,
    authoredAt: '1970-01-01T00:00:01.000Z',
    taggedAt: '1970-01-01T00:00:02.000Z',
  });
  const escalation = await codecs.escalations(escalations).encode(ESCALATION);
  assert.deepEqual(await codecs.escalations(escalations).decode(escalation), ESCALATION);
  assert.deepEqual(await codecs.toJson(escalation), {
    ...ESCALATION,
    note: { ...NOTE, authoredAt: '2026-03-01T09:30:00.000Z' },
    escalatedAt: '1970-01-01T00:00:03.000Z',
  });
  const review = await codecs.reviews(reviews).encode(REVIEW);
  assert.deepEqual(await codecs.reviews(reviews).decode(review), REVIEW);
  assert.deepEqual(await codecs.toJson(review), {
    ...REVIEW,
    authoredAt: '1970-01-01T00:00:01.000Z',
    escalatedAt: '1970-01-01T00:00:03.000Z',
    at: '1970-01-01T00:00:04.000Z',
  });
  await assert.rejects(codecs.escalations(escalations).decode(note), { stage: 'decode' });
  assert.equal(await codecs.toJson(null), null);
  // what a dead letter may carry
  for (const value of [Buffer.from(CANARY), Buffer.alloc(0), Buffer.from([0, 0, 0]), note.subarray(0, 30)]) {
    assert.deepEqual(await codecs.toJson(value), raw(value));
  }
}

describe('codecs of a transport', () => {
  it('are single-object encoding for the embedded log', async () => {
    const codecs = singleObjectCodecs();
    await conforms(codecs, { notes: 'a', entities: 'b', escalations: 'c', reviews: 'd' });
    assert.equal((await codecs.notes('a').encode(NOTE)).readUInt16BE(0), 0xc301);
  });

  it('refuse notes above the limit', async () => {
    const value = await singleObjectCodecs().notes('a').encode(NOTE);
    const codecs = singleObjectCodecs({ noteBytes: value.length - 1 });
    await assert.rejects(codecs.notes('a').decode(value), { code: 'VALUE_TOO_LARGE' });
  });
});

const { skip } = kafkaNeeds();

describe('codecs for Kafka', { skip, timeout: 120_000 }, () => {
  it('are Confluent wire format, each topic with a subject of its own', async () => {
    const { registryUrl } = await sharedKafka();
    const registry = client(registryUrl, { autoRegister: true });
    const [notes, entities] = [freshTopic('notes'), freshTopic('entities')];
    const [escalations, reviews] = [freshTopic('escalations'), freshTopic('reviews')];
    const codecs = confluentCodecs({ registry });
    await conforms(codecs, { notes, entities, escalations, reviews });
    assert.equal((await codecs.notes(notes).encode(NOTE))[0], 0);
    const looking = client(registryUrl);
    assert.ok((await looking.idOf(valueSubject(notes), NOTE_SCHEMA)) > 0);
    assert.ok((await looking.idOf(valueSubject(entities), ENTITIES_SCHEMA)) > 0);
    assert.ok((await looking.idOf(valueSubject(escalations), ESCALATION_SCHEMA)) > 0);
    assert.ok((await looking.idOf(valueSubject(reviews), REVIEW_SCHEMA)) > 0);
    const single = singleObjectCodecs();
    const body = async (codec: { encode(event: never): Promise<Buffer> }, event: object, skip: number) =>
      (await codec.encode(event as never)).subarray(skip);
    for (const [kafka, embedded, event] of [
      [codecs.escalations(escalations), single.escalations(''), ESCALATION],
      [codecs.reviews(reviews), single.reviews(''), REVIEW],
    ] as const) {
      assert.deepEqual(await body(kafka, event, 5), await body(embedded, event, 10), 'one body on both transports');
    }
    const foreign = Buffer.from([0, 0x7f, 0xff, 0xff, 0xfe, 1, 2, 3]);
    assert.deepEqual(await codecs.toJson(foreign), raw(foreign));
  });

  it('do not take a registry that is away for foreign bytes', async () => {
    const codecs = confluentCodecs({ registry: client(await closedPort()) });
    await assert.rejects(codecs.toJson(Buffer.from([0, 0, 0, 0, 1, 2])), { code: 'REGISTRY_UNREACHABLE' });
  });
});
