/** If these fail, a note that a newer program wrote is lost or misread, or bytes that are no event crash the reader. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { avroBody, IncompatibleSchema, whyUnreadable } from '../../src/events/avro-body.ts';
import { DecodeError } from '../../src/events/codec.ts';
import { writerTypeOf } from '../../src/events/fingerprint.ts';
import { type AvroField, type AvroRecord, ENTITIES_SCHEMA, NOTE_SCHEMA } from '../../src/events/schemas.ts';
import { ENTITIES, NOTE, notes } from './example.ts';
import { newerVersions } from './newer-schemas.ts';

const noteBody = avroBody(NOTE_SCHEMA);
const entitiesBody = avroBody(ENTITIES_SCHEMA);

const withField = (schema: AvroRecord, field: AvroField): AvroRecord => ({
  ...schema,
  fields: [field, ...schema.fields],
});
/** What a writer with this schema writes, and what we read of it. */
const through = (schema: AvroRecord, event: object): unknown =>
  noteBody.reader(schema)(writerTypeOf(schema).toBuffer(event));
const retyped = (name: string, type: AvroField['type']): AvroRecord => ({
  ...NOTE_SCHEMA,
  fields: NOTE_SCHEMA.fields.map(field => (field.name === name ? { name, type } : field)),
});

describe('a body by a newer writer', () => {
  it('holds the same note under every compatible newer schema', () => {
    fc.assert(
      fc.property(newerVersions(NOTE_SCHEMA), notes, ({ schema, write }, note) =>
        assert.deepEqual(noteBody.reader(schema)(write(note)), note),
      ),
      { numRuns: 300 },
    );
  });

  it('holds the same entities under every compatible newer schema', () => {
    fc.assert(
      fc.property(newerVersions(ENTITIES_SCHEMA), ({ schema, write }) =>
        assert.deepEqual(entitiesBody.reader(schema)(write(ENTITIES)), ENTITIES),
      ),
      { numRuns: 300 },
    );
  });

  it('gives an event or a DecodeError, whatever happened to its bytes', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 });
    const cut = fc.option(fc.nat());
    fc.assert(
      fc.property(newerVersions(ENTITIES_SCHEMA), changes, cut, ({ schema, write }, flips, end) => {
        const bytes = write(ENTITIES);
        for (const [at, byte] of flips) bytes[at % bytes.length] = byte;
        try {
          entitiesBody.reader(schema)(end === null ? bytes : bytes.subarray(0, end % bytes.length));
        } catch (error) {
          assert.ok(error instanceof DecodeError, inspect(error));
          assert.notEqual(error.message, 'the value passed the check of its schema and still could not be read');
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('may use our own types by name, and names that only their namespace tells apart', () => {
    const schema: AvroRecord = {
      ...NOTE_SCHEMA,
      fields: [
        {
          name: 'other',
          type: { type: 'record', name: 'Deidentification', namespace: 'y', fields: [{ name: 'n', type: 'long' }] },
          default: { n: 0 },
        },
        ...NOTE_SCHEMA.fields,
        { name: 'before', type: { type: 'array', items: 'Deidentification' }, default: [] },
      ],
    };
    const more = { other: { n: 7 }, before: [{ method: 'm', version: '1' }] };
    assert.deepEqual(through(schema, { ...NOTE, ...more }), NOTE);
  });

  it('may hold integers of 64 bits where nobody reads them', () => {
    const schema = withField(NOTE_SCHEMA, { name: 'hash', type: 'long', default: 0 });
    const rest = noteBody.write(NOTE);
    const longest = Buffer.from('ffffffffffffffffff01', 'hex');
    assert.deepEqual(noteBody.reader(schema)(Buffer.concat([longest, rest])), NOTE);
    assert.throws(() => noteBody.reader(schema)(Buffer.concat([Buffer.from('ffffffffffffffffff02', 'hex'), rest])), {
      code: 'VALUE_MALFORMED',
    });
  });

  it('has text in bytes only when they are UTF-8: U+FFFD would shift every offset after it', () => {
    const schema = retyped('text', 'bytes');
    assert.deepEqual(through(schema, { ...NOTE, text: Buffer.from(NOTE.text) }), NOTE);
    assert.throws(() => through(schema, { ...NOTE, text: Buffer.from([0x61, 0xff]) }), { code: 'NOTE_TEXT_NOT_UTF8' });
  });

  it('cannot lie about the length of a block that is skipped', () => {
    const schema = withField(NOTE_SCHEMA, { name: 'tags', type: { type: 'array', items: 'string' }, default: [] });
    const block = (size: string): Buffer =>
      Buffer.concat([Buffer.from(`01${size}026100`, 'hex'), noteBody.write(NOTE)]);
    assert.deepEqual(noteBody.reader(schema)(block('04')), NOTE);
    for (const size of ['02', '06', '03', 'feffffff0f']) {
      assert.throws(() => noteBody.reader(schema)(block(size)), { code: 'VALUE_MALFORMED' }, size);
    }
  });

  it('cannot be deeper than the stack', () => {
    const node: AvroField = {
      name: 'node',
      type: ['null', { type: 'record', name: 'Node', fields: [{ name: 'next', type: ['null', 'Node'] }] }],
      default: null,
    };
    const read = noteBody.reader(withField(NOTE_SCHEMA, node));
    const deep = (levels: number): Buffer =>
      Buffer.concat([Buffer.alloc(levels, 2), Buffer.from([0]), noteBody.write(NOTE)]);
    assert.deepEqual(read(deep(150)), NOTE);
    assert.throws(() => read(deep(1_000_000)), { code: 'VALUE_MALFORMED' });
  });
});

describe('a schema that does not resolve to ours', () => {
  const wrong: readonly (readonly [AvroRecord, RegExp])[] = [
    [{ ...NOTE_SCHEMA, fields: NOTE_SCHEMA.fields.filter(field => field.name !== 'text') }, /NoteEvent\.text/],
    [retyped('text', 'int'), /cannot read "int" as "string"/],
    [{ ...NOTE_SCHEMA, namespace: 'clinstream.v2' }, /clinstream\.v2\.NoteEvent/],
    [ENTITIES_SCHEMA, /EntitiesEvent/],
  ];

  it('is refused before any value, with the reason', () => {
    for (const [schema, reason] of wrong) {
      assert.throws(() => noteBody.reader(schema), IncompatibleSchema);
      assert.match(whyUnreadable(schema, NOTE_SCHEMA) ?? '', reason);
    }
    assert.equal(whyUnreadable(NOTE_SCHEMA, NOTE_SCHEMA), undefined);
  });
});
