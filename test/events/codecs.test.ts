/** If these fail, a command reads one transport's values with the other's codec. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { confluentCodecs, type EventCodecs, singleObjectCodecs } from '../../src/events/codecs.ts';
import { valueSubject } from '../../src/events/confluent.ts';
import { ENTITIES_SCHEMA, NOTE_SCHEMA } from '../../src/events/schemas.ts';
import { kafkaNeeds } from '../kafka/needs.ts';
import { sharedKafka } from '../kafka/shared.ts';
import { CANARY, ENTITIES, NOTE } from './example.ts';
import { client, closedPort, freshTopic } from './front.ts';

const raw = (bytes: Buffer) => ({ bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') });

/** What holds for either kind. */
async function conforms(codecs: EventCodecs, notes: string, entities: string): Promise<void> {
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
  assert.equal(await codecs.toJson(null), null);
  // what a dead letter may carry
  for (const value of [Buffer.from(CANARY), Buffer.alloc(0), Buffer.from([0, 0, 0]), note.subarray(0, 30)]) {
    assert.deepEqual(await codecs.toJson(value), raw(value));
  }
}

describe('codecs of a transport', () => {
  it('are single-object encoding for the embedded log', async () => {
    const codecs = singleObjectCodecs();
    await conforms(codecs, 'a', 'b');
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
    const codecs = confluentCodecs({ registry });
    await conforms(codecs, notes, entities);
    assert.equal((await codecs.notes(notes).encode(NOTE))[0], 0);
    const looking = client(registryUrl);
    assert.ok((await looking.idOf(valueSubject(notes), NOTE_SCHEMA)) > 0);
    assert.ok((await looking.idOf(valueSubject(entities), ENTITIES_SCHEMA)) > 0);
    const foreign = Buffer.from([0, 0x7f, 0xff, 0xff, 0xfe, 1, 2, 3]);
    assert.deepEqual(await codecs.toJson(foreign), raw(foreign));
  });

  it('do not take a registry that is away for foreign bytes', async () => {
    const codecs = confluentCodecs({ registry: client(await closedPort()) });
    await assert.rejects(codecs.toJson(Buffer.from([0, 0, 0, 0, 1, 2])), { code: 'REGISTRY_UNREACHABLE' });
  });
});
