/** If these fail, other Kafka programs read something else than we wrote, or we lose what they wrote. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import fc from 'fast-check';
import { DecodeError, EncodeError, type EventCodec, type EventDecoder } from '../../src/events/codec.ts';
import { createConfluentCodec, valueSubject } from '../../src/events/confluent.ts';
import { writerTypeOf } from '../../src/events/fingerprint.ts';
import type { EntitiesEvent, NoteEvent } from '../../src/events/generated.ts';
import type { SchemaRegistryClient } from '../../src/events/registry.ts';
import { RegistryError } from '../../src/events/registry-error.ts';
import { type AvroRecord, ENTITIES_SCHEMA, NOTE_SCHEMA } from '../../src/events/schemas.ts';
import { createSingleObjectCodec } from '../../src/events/single-object.ts';
import { kafkaNeeds } from '../kafka/needs.ts';
import { sharedKafka } from '../kafka/shared.ts';
import { CANARY, ENTITIES, NOTE, notes } from './example.ts';
import { client, freshTopic } from './front.ts';
import { newerVersions } from './newer-schemas.ts';

const { skip } = kafkaNeeds();

/** The body of NOTE, field by field. If it changes, files and topics that exist can no longer be read. */
const GOLDEN_BODY = [
  '0c6e6f74652d31',
  '04',
  '1270617469656e742d37',
  '00',
  '1070726f6772657373',
  '80d7dd8b9567',
  '021463617264696f6c6f6779',
  '0c666565642d61',
  '705a797863616e6172792074616b6573206173706972696e20f09f928a20666f722063616665cc81206175206c6169742073706f74732e0d0a',
  '0214737572726f67617465730233',
].join('');

describe('Confluent wire format', { skip, timeout: 300_000 }, () => {
  let url: string;
  let registry: SchemaRegistryClient;
  let foreign: SchemaRegistry;
  let codec: EventCodec<NoteEvent>;
  let entities: EventCodec<EntitiesEvent>;
  const subject = valueSubject(freshTopic('notes'));

  before(async () => {
    ({ registryUrl: url } = await sharedKafka());
    registry = client(url, { autoRegister: true });
    foreign = new SchemaRegistry({ host: url });
    codec = createConfluentCodec<NoteEvent>({ schema: NOTE_SCHEMA, registry, subject });
    entities = createConfluentCodec<EntitiesEvent>({
      schema: ENTITIES_SCHEMA,
      registry,
      subject: valueSubject(freshTopic('entities')),
    });
  });

  /** The code with which a value was refused; whatever is refused must not show its text. */
  async function refusal(value: Buffer | null, by: EventDecoder<unknown> = codec): Promise<string> {
    const error = await by.decode(value).then(
      () => assert.fail('the value was accepted'),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof DecodeError, inspect(error));
    assert.equal(error.cause, undefined);
    assert.ok(!inspect(error, { depth: 9 }).includes(CANARY), 'the error shows text of the note');
    return error.code;
  }

  /** A value by another program, whose schema is registered for itself. */
  async function foreignValue(schema: AvroRecord, body: Buffer): Promise<Buffer> {
    const { id } = await foreign.register(
      { type: SchemaType.AVRO, schema: JSON.stringify(schema) },
      { subject: valueSubject(freshTopic('foreign')) },
    );
    return withId(id, body);
  }

  it('returns every note as it was', async () => {
    await fc.assert(
      fc.asyncProperty(notes, async note => assert.deepEqual(await codec.decode(await codec.encode(note)), note)),
    );
    assert.deepEqual(await entities.decode(await entities.encode(ENTITIES)), ENTITIES);
  });

  it('is a zero byte, the id in four bytes, and the very body of the embedded log', async () => {
    const single = createSingleObjectCodec<NoteEvent>({ schema: NOTE_SCHEMA });
    const singleEntities = createSingleObjectCodec<EntitiesEvent>({ schema: ENTITIES_SCHEMA });
    const id = await registry.idOf(subject, NOTE_SCHEMA);
    const golden = await codec.encode(NOTE);
    assert.deepEqual(golden.subarray(0, 5), withId(id, Buffer.alloc(0)));
    assert.equal(golden.subarray(5).toString('hex'), GOLDEN_BODY);
    await fc.assert(
      fc.asyncProperty(notes, async note =>
        assert.deepEqual((await codec.encode(note)).subarray(5), (await single.encode(note)).subarray(10)),
      ),
    );
    const mention = ENTITIES.entities[0] as EntitiesEvent['entities'][number];
    for (const event of [
      ENTITIES,
      { ...ENTITIES, encounterId: null, entities: [], tasks: [] },
      { ...ENTITIES, entities: Array.from({ length: 5_000 }, (_, i) => ({ ...mention, start: i, text: '💊e\u0301' })) },
    ]) {
      assert.deepEqual((await entities.encode(event)).subarray(5), (await singleEntities.encode(event)).subarray(10));
    }
  });

  it('is what the library reads and writes', async () => {
    const read: unknown = await foreign.decode(await codec.encode(NOTE));
    assert.deepEqual(JSON.parse(JSON.stringify(read)), NOTE);
    const id = await registry.idOf(subject, NOTE_SCHEMA);
    assert.deepEqual(await codec.decode(await foreign.encode(id, NOTE)), NOTE);
  });

  it('names the field of an event that cannot be written, and never shows it', async () => {
    await assert.rejects(codec.encode({ ...NOTE, noteVersion: 1.5, text: CANARY }), (error: unknown) => {
      assert.ok(error instanceof EncodeError);
      assert.equal(error.details.field, 'noteVersion');
      return !inspect(error, { depth: 9 }).includes(CANARY);
    });
  });

  it('is read under every compatible newer schema that the registry holds', async () => {
    await fc.assert(
      fc.asyncProperty(newerVersions(NOTE_SCHEMA), notes, async ({ schema, write }, note) =>
        assert.deepEqual(await codec.decode(await foreignValue(schema, write(note))), note),
      ),
      { numRuns: 25 },
    );
  });

  it('is read when the schema takes a type from another subject', async () => {
    const version = { type: 'record', name: 'Ward', namespace: 'hospital', fields: [{ name: 'code', type: 'int' }] };
    const wards = valueSubject(freshTopic('wards'));
    await foreign.register({ type: SchemaType.AVRO, schema: JSON.stringify(version) }, { subject: wards });
    const schema = { ...NOTE_SCHEMA, fields: [{ name: 'ward', type: 'hospital.Ward' }, ...NOTE_SCHEMA.fields] };
    const { id } = await foreign.register(
      {
        type: SchemaType.AVRO,
        schema: JSON.stringify(schema),
        references: [{ name: 'hospital.Ward', subject: wards, version: 1 }],
      },
      { subject: valueSubject(freshTopic('foreign')) },
    );
    const body = Buffer.concat([Buffer.from([14]), (await codec.encode(NOTE)).subarray(5)]);
    assert.deepEqual(await codec.decode(withId(id, body)), NOTE);
  });

  it('has a stable code for everything that it is not', async () => {
    const value = await codec.encode(NOTE);
    assert.equal(await refusal(null), 'VALUE_NULL');
    assert.equal(await refusal(Buffer.alloc(0)), 'NOT_AVRO');
    assert.equal(await refusal(Buffer.from(JSON.stringify(NOTE))), 'NOT_AVRO');
    assert.equal(await refusal(await createSingleObjectCodec({ schema: NOTE_SCHEMA }).encode(NOTE)), 'NOT_AVRO');
    assert.equal(await refusal(Buffer.from([0, 0, 0])), 'VALUE_TRUNCATED');
    assert.equal(await refusal(value.subarray(0, 5)), 'VALUE_TRUNCATED');
    assert.equal(await refusal(Buffer.concat([value, Buffer.from([0])])), 'VALUE_MALFORMED');
    for (const id of [0, 2 ** 31 - 2, 2 ** 31, 2 ** 32 - 1]) {
      assert.equal(await refusal(withId(id, value.subarray(5))), 'SCHEMA_UNKNOWN', String(id));
    }
    assert.equal(await refusal(await entities.encode(ENTITIES)), 'SCHEMA_INCOMPATIBLE');
    value[value.indexOf('aspirin')] = 0xff;
    assert.equal(await refusal(value), 'NOTE_TEXT_NOT_UTF8');
  });

  it('is no JSON Schema and no Protobuf, whatever else the registry holds', async t => {
    const { mock } = t.mock.method(console, 'warn', () => {});
    const others = [
      { schemaType: 'JSON', schema: '{"type":"object","properties":{"a":{"type":"string"}}}' },
      { schemaType: 'JSON', schema: '{"type":"object","properties":{"a":{"format":"unheard-of"}}}' },
      { schemaType: 'PROTOBUF', schema: 'syntax = "proto3"; message Note { string text = 1; }' },
    ];
    for (const other of others) {
      const response = await fetch(`${url}/subjects/${valueSubject(freshTopic('other'))}/versions`, {
        method: 'POST',
        headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
        body: JSON.stringify(other),
      });
      const { id } = (await response.json()) as { id: number };
      for (const _ of [1, 2])
        assert.equal(await refusal(withId(id, Buffer.from('{}'))), 'SCHEMA_UNKNOWN', other.schema);
    }
    assert.equal(mock.callCount(), 0, "the library's compiler of JSON Schema writes to the console");
  });

  it('is refused from one byte above the limit, and where its schema does not resolve, each time', async () => {
    const value = await codec.encode(NOTE);
    const limited = (maxBytes: number): EventCodec<NoteEvent> =>
      createConfluentCodec<NoteEvent>({ schema: NOTE_SCHEMA, registry, subject, maxBytes });
    assert.deepEqual(await limited(value.length).decode(value), NOTE);
    assert.equal(await refusal(value, limited(value.length - 1)), 'VALUE_TOO_LARGE');

    const fields = NOTE_SCHEMA.fields.filter(field => field.name !== 'text');
    const schema = { ...NOTE_SCHEMA, fields };
    const withoutText = await foreignValue(schema, writerTypeOf(schema).toBuffer(NOTE));
    for (const _ of [1, 2]) assert.equal(await refusal(withoutText), 'SCHEMA_INCOMPATIBLE');
  });

  it('gives an event or a DecodeError, whatever happened to its bytes', async () => {
    const value = await entities.encode(ENTITIES);
    const flips = fc.array(fc.tuple(fc.integer({ min: 5, max: value.length - 1 }), fc.nat({ max: 255 })), {
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(flips, async changes => {
        const changed = Buffer.from(value);
        for (const [at, byte] of changes) changed[at] = byte;
        const event = await entities.decode(changed).catch((error: unknown) => error);
        if (event instanceof Error) assert.ok(event instanceof DecodeError, inspect(event));
      }),
      { numRuns: 1_000 },
    );
  });

  it('is not written before its schema is registered, unless that may be done now', async () => {
    const topic = freshTopic('unregistered');
    const careful = createConfluentCodec<NoteEvent>({
      schema: NOTE_SCHEMA,
      registry: client(url),
      subject: valueSubject(topic),
    });
    const rejected = (): Promise<void> =>
      assert.rejects(careful.encode(NOTE), (error: unknown) => {
        assert.ok(error instanceof RegistryError);
        assert.equal(error.code, 'SCHEMA_NOT_REGISTERED');
        assert.match(error.message, /clinstream schemas register/);
        return error.message.includes(topic);
      });
    await rejected();
    await registry.idOf(valueSubject(topic), NOTE_SCHEMA); // somebody else registers it
    assert.deepEqual(await careful.decode(await careful.encode(NOTE)), NOTE);
  });
});

function withId(id: number, body: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(id, 1);
  return Buffer.concat([header, body]);
}
