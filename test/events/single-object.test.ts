/** If these fail, a value is read as something else than its sender wrote, or one bad value stops the stream. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { DecodeError, EncodeError } from '../../src/events/codec.ts';
import type { EntitiesEvent, NoteEvent } from '../../src/events/generated.ts';
import { type AvroRecord, ENTITIES_SCHEMA, NOTE_SCHEMA } from '../../src/events/schemas.ts';
import { createSingleObjectCodec } from '../../src/events/single-object.ts';
import { CANARY, ENTITIES, NOTE, notes } from './example.ts';

const codec = createSingleObjectCodec<NoteEvent>({ schema: NOTE_SCHEMA });
const entities = createSingleObjectCodec<EntitiesEvent>({ schema: ENTITIES_SCHEMA });

/** The codes with which a value was refused; whatever is refused must not show its text. */
async function refusal(
  value: Buffer | null,
  by: { decode(value: Buffer | null): Promise<unknown> } = codec,
): Promise<string> {
  const error = await by.decode(value).then(
    () => assert.fail('the value was accepted'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof DecodeError, inspect(error));
  assert.equal(error.cause, undefined);
  assert.equal(error.retryable, false);
  assert.ok(!inspect(error, { depth: 9 }).includes(CANARY), 'the error shows text of the note');
  return error.code;
}

describe('single-object encoding', () => {
  it('returns every note as it was, and as a plain object', async () => {
    await fc.assert(
      fc.asyncProperty(notes, async note => assert.deepEqual(await codec.decode(await codec.encode(note)), note)),
    );
  });

  it('returns nested records, arrays and enums', async () => {
    assert.deepEqual(await entities.decode(await entities.encode(ENTITIES)), ENTITIES);
  });

  it('begins with C3 01 and the fingerprint, which changes only when the schema does', async () => {
    assert.equal((await codec.encode(NOTE)).subarray(0, 10).toString('hex'), 'c301fdd0ad3811200a80');
    assert.equal((await entities.encode(ENTITIES)).subarray(0, 10).toString('hex'), 'c30136261cc5be6e2723');
  });

  it('names the field of an event that cannot be written, and never shows it', async () => {
    const wrong = [
      { ...NOTE, noteVersion: 1.5, text: CANARY },
      { ...NOTE, text: `${CANARY}\ud800` },
      { ...NOTE, deidentification: { method: CANARY, version: 3 } },
    ];
    const fields = ['noteVersion', 'text', 'deidentification.version'];
    for (const [index, note] of wrong.entries()) {
      await assert.rejects(codec.encode(note as NoteEvent), (error: unknown) => {
        assert.ok(error instanceof EncodeError);
        assert.equal(error.details.field, fields[index]);
        return !inspect(error, { depth: 9 }).includes(CANARY);
      });
    }
  });
});

describe('refused values', () => {
  it('have a stable code each', async () => {
    const value = await codec.encode(NOTE);
    assert.equal(await refusal(null), 'VALUE_NULL');
    assert.equal(await refusal(Buffer.alloc(0)), 'NOT_AVRO');
    assert.equal(await refusal(Buffer.from(JSON.stringify(NOTE))), 'NOT_AVRO');
    assert.equal(await refusal(value.subarray(0, 6)), 'VALUE_TRUNCATED');
    assert.equal(await refusal(await entities.encode(ENTITIES)), 'SCHEMA_UNKNOWN');
    assert.equal(await refusal(Buffer.concat([value, Buffer.from([0])])), 'VALUE_MALFORMED');
  });

  it('are truncated wherever they end', async () => {
    for (const [by, value] of [
      [codec, await codec.encode(NOTE)],
      [entities, await entities.encode(ENTITIES)],
    ] as const) {
      for (let length = 10; length < value.length; length++) {
        assert.equal(await refusal(value.subarray(0, length), by), 'VALUE_TRUNCATED', `${length} bytes`);
      }
    }
  });

  it('are too large from one byte above the limit', async () => {
    const value = await codec.encode(NOTE);
    const exact = createSingleObjectCodec<NoteEvent>({ schema: NOTE_SCHEMA, maxBytes: value.length });
    const below = createSingleObjectCodec<NoteEvent>({ schema: NOTE_SCHEMA, maxBytes: value.length - 1 });
    assert.deepEqual(await exact.decode(value), NOTE);
    assert.equal(await refusal(value, below), 'VALUE_TOO_LARGE');
    assert.equal(await refusal(Buffer.alloc(10_000_000)), 'VALUE_TOO_LARGE');
  });

  it('hold text that is not UTF-8: U+FFFD would shift every offset after it', async () => {
    const value = await codec.encode(NOTE);
    value[value.indexOf('aspirin')] = 0xff;
    assert.equal(await refusal(value), 'NOTE_TEXT_NOT_UTF8');
    const replacement = { ...NOTE, text: 'the sender wrote \ufffd' };
    assert.deepEqual(await codec.decode(await codec.encode(replacement)), replacement);
  });

  it('cannot make the reader work without end', async () => {
    const value = await entities.encode({ ...ENTITIES, tasks: [], entities: [] });
    const endOfModel = value.lastIndexOf('cd') + 2;
    const countOf2To48 = Buffer.from([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]);
    assert.equal(
      await refusal(Buffer.concat([value.subarray(0, endOfModel), countOf2To48]), entities),
      'VALUE_TRUNCATED',
    );
    const endless = Buffer.alloc(64, 0xff);
    assert.equal(await refusal(Buffer.concat([value.subarray(0, endOfModel), endless]), entities), 'VALUE_MALFORMED');
  });

  it('are refused with a code whatever bytes were changed', async () => {
    const value = await entities.encode(ENTITIES);
    const flips = fc.array(fc.tuple(fc.integer({ min: 10, max: value.length - 1 }), fc.integer({ min: 0, max: 255 })), {
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
      { numRuns: 2_000 },
    );
  });
});

describe('evolution', () => {
  const without = (schema: AvroRecord, ...names: string[]): AvroRecord => ({
    ...schema,
    fields: schema.fields.filter(field => !names.includes(field.name)),
  });

  it('reads what an older program wrote, with the defaults of the fields that it did not know', async () => {
    const older = without(NOTE_SCHEMA, 'specialty', 'source', 'noteVersion');
    const value = await createSingleObjectCodec<Partial<NoteEvent>>({ schema: older }).encode(NOTE);
    const current = createSingleObjectCodec<NoteEvent>({ schema: NOTE_SCHEMA, olderSchemas: [older] });
    assert.deepEqual(await current.decode(value), { ...NOTE, specialty: null, source: '', noteVersion: 1 });
    assert.deepEqual(await current.decode(await codec.encode(NOTE)), NOTE);
    assert.equal(await refusal(value), 'SCHEMA_UNKNOWN');
  });

  it('lets a newer program read what this one writes', async () => {
    const newer: AvroRecord = {
      ...NOTE_SCHEMA,
      fields: [...NOTE_SCHEMA.fields, { name: 'language', type: ['null', 'string'], default: null }],
    };
    const next = createSingleObjectCodec<NoteEvent>({ schema: newer, olderSchemas: [NOTE_SCHEMA] });
    assert.deepEqual(await next.decode(await codec.encode(NOTE)), { ...NOTE, language: null });
  });

  it('refuses at start a version that does not resolve', () => {
    const required: AvroRecord = {
      ...NOTE_SCHEMA,
      fields: [...NOTE_SCHEMA.fields, { name: 'language', type: 'string' }],
    };
    assert.throws(() => createSingleObjectCodec({ schema: required, olderSchemas: [NOTE_SCHEMA] }));
  });
});
