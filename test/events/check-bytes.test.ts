/** If these fail, bytes that are no event reach a library that trusts them, or bytes that are one are refused. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compileCheck } from '../../src/events/check-bytes.ts';
import { typeOf, writerTypeOf } from '../../src/events/fingerprint.ts';
import type { AvroSchema } from '../../src/events/schemas.ts';

const SCHEMA: AvroSchema = {
  type: 'record',
  name: 'Sample',
  namespace: 'x',
  fields: [
    { name: 'flag', type: 'boolean' },
    { name: 'count', type: 'int' },
    { name: 'at', type: 'long' },
    { name: 'small', type: 'float' },
    { name: 'large', type: 'double' },
    { name: 'raw', type: 'bytes' },
    { name: 'text', type: ['null', 'string'] },
    { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['A', 'B'] } },
    { name: 'kinds', type: { type: 'array', items: 'x.Kind' } },
    { name: 'code', type: { type: 'fixed', name: 'Code', size: 3 } },
    { name: 'codes', type: { type: 'map', values: ['null', 'Code'] } },
    { name: 'amount', type: { type: 'bytes', logicalType: 'decimal' } },
    {
      name: 'list',
      type: ['null', { type: 'record', name: 'List', fields: [{ name: 'rest', type: ['null', 'List'] }] }],
    },
  ],
};

const code = fc.uint8Array({ minLength: 3, maxLength: 3 }).map(bytes => Buffer.from(bytes));
const samples = fc.record({
  flag: fc.boolean(),
  count: fc.integer(),
  at: fc.integer({ min: -(2 ** 52) + 1, max: 2 ** 52 - 1 }),
  small: fc.float(),
  large: fc.double(),
  raw: fc.uint8Array().map(bytes => Buffer.from(bytes)),
  text: fc.option(fc.string({ unit: 'binary' })),
  kind: fc.constantFrom('A', 'B'),
  kinds: fc.array(fc.constantFrom('A', 'B')),
  code,
  codes: fc.dictionary(fc.string({ unit: 'binary' }), fc.option(code), { noNullPrototype: true }),
  amount: fc.uint8Array().map(bytes => Buffer.from(bytes)),
  list: fc.nat({ max: 5 }).map(length => Array.from({ length }).reduce<object | null>(rest => ({ rest }), null)),
});

const refused = (schema: AvroSchema, hex: string, code: string) =>
  assert.throws(() => compileCheck(writerTypeOf(schema))(Buffer.from(hex, 'hex')), { code }, hex);

describe('the check of bytes', () => {
  it('accepts whatever can be written, and no prefix of it', () => {
    const type = typeOf(SCHEMA);
    const check = compileCheck(type);
    fc.assert(
      fc.property(samples, fc.nat(), (sample, cut) => {
        const bytes = type.toBuffer(sample);
        check(bytes);
        assert.throws(() => check(bytes.subarray(0, cut % bytes.length)), { code: 'VALUE_TRUNCATED' });
      }),
    );
  });

  it('accepts array blocks that tell their size, as other writers make them', () => {
    const schema: AvroSchema = { type: 'array', items: 'int' };
    const blocks = Buffer.from('03040204' + '0206' + '00', 'hex');
    compileCheck(writerTypeOf(schema))(blocks);
    assert.deepEqual(typeOf(schema).fromBuffer(blocks), [1, 2, 3]);
  });

  it('refuses numbers, lengths, branches and symbols out of range', () => {
    refused('int', '8080808010', 'VALUE_MALFORMED');
    refused('long', 'ffffffffffffffffff01', 'VALUE_MALFORMED');
    refused('long', 'ffffffffffffffffffff01', 'VALUE_MALFORMED');
    refused('boolean', '02', 'VALUE_MALFORMED');
    refused('bytes', '01', 'VALUE_MALFORMED');
    refused(['null', 'int'], '04', 'VALUE_MALFORMED');
    refused(['null', 'int'], '01', 'VALUE_MALFORMED');
    refused({ type: 'enum', name: 'Kind', symbols: ['A'] }, '02', 'VALUE_MALFORMED');
    refused({ type: 'array', items: 'null' }, 'fefffffffffff70f00', 'VALUE_MALFORMED');
    refused({ type: 'fixed', name: 'Code', size: 3 }, '0102', 'VALUE_TRUNCATED');
    refused({ type: 'map', values: 'int' }, '020161', 'VALUE_MALFORMED');
    refused({ type: 'map', values: 'int' }, '0202ff0200', 'NOTE_TEXT_NOT_UTF8');
  });

  it('refuses blocks of another size than they say', () => {
    const schema: AvroSchema = { type: 'array', items: 'int' };
    refused(schema, '03020204' + '00', 'VALUE_MALFORMED');
    refused(schema, '03060204' + '00', 'VALUE_MALFORMED');
    refused({ type: 'map', values: 'int' }, '010802610200', 'VALUE_MALFORMED');
  });

  it('refuses text that is not UTF-8: overlong, half a surrogate, cut', () => {
    for (const hex of ['02ff', '04c080', '06eda080', '04e282']) refused('string', hex, 'NOTE_TEXT_NOT_UTF8');
  });

  it('refuses at start a schema that uses what it does not define', () => {
    assert.throws(() => compileCheck(writerTypeOf({ type: 'array', items: 'x.Unknown' })), /x\.Unknown/);
  });
});
