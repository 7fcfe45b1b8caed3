/** Compatible newer versions of a schema as other writers may make them: more fields of any type, in any place, in another order. */
import fc from 'fast-check';
import { writerTypeOf } from '../../src/events/fingerprint.ts';
import type { AvroRecord, AvroSchema } from '../../src/events/schemas.ts';

/** A type that our schemas do not have, with a default and a value. */
interface Extra {
  readonly name: string;
  readonly type: unknown;
  readonly default: unknown;
  readonly value: unknown;
}

type Kind = (name: string) => fc.Arbitrary<Omit<Extra, 'name'>>;

const bytes = (length?: number): fc.Arbitrary<Buffer> =>
  fc
    .uint8Array(length === undefined ? { maxLength: 40 } : { minLength: length, maxLength: length })
    .map(each => Buffer.from(each));
const long = fc.integer({ min: -(2 ** 52) + 1, max: 2 ** 52 - 1 });
const text = fc.string({ unit: 'binary' }).filter(each => each.isWellFormed());
const of = (type: unknown, empty: unknown, values: fc.Arbitrary<unknown>): fc.Arbitrary<Omit<Extra, 'name'>> =>
  values.map(value => ({ type, default: empty, value }));

const KINDS: readonly Kind[] = [
  () => of({ type: 'map', values: 'long' }, {}, fc.dictionary(text, long, { noNullPrototype: true })),
  name => of({ type: 'fixed', name, size: 5 }, '\u0000'.repeat(5), bytes(5)),
  name => of({ type: 'enum', name, symbols: ['A', 'B', 'C'] }, 'A', fc.constantFrom('A', 'B', 'C')),
  () => of({ type: 'bytes', logicalType: 'decimal', precision: 12, scale: 2 }, '', bytes()),
  name => of({ type: 'fixed', name, size: 12, logicalType: 'duration' }, '\u0000'.repeat(12), bytes(12)),
  () => of({ type: 'long', logicalType: 'timestamp-micros' }, 0, long),
  () => of({ type: 'string', logicalType: 'uuid' }, '', text),
  () => of(['null', 'double', 'string'], null, fc.option(fc.oneof(fc.double(), text))),
  () => of(['boolean', { type: 'array', items: 'float' }], false, fc.array(fc.constantFrom(0.5, -1))),
  name =>
    of(
      ['null', { type: 'record', name, namespace: 'other.house', fields: [{ name: 'key', type: 'bytes' }] }],
      null,
      fc.option(bytes().map(key => ({ key }))),
    ),
  name =>
    of(
      {
        type: 'record',
        name,
        fields: [
          { name: 'value', type: 'int' },
          { name: 'next', type: ['null', name], default: null },
        ],
      },
      { value: 0, next: null },
      fc
        .array(fc.integer(), { minLength: 1, maxLength: 8 })
        .map(values => values.reduceRight<object | null>((next, value) => ({ value, next }), null)),
    ),
  name =>
    of(
      { type: 'array', items: { type: 'map', values: { type: 'enum', name, symbols: ['X'] } } },
      [],
      fc.array(fc.dictionary(text, fc.constant('X'), { maxKeys: 3, noNullPrototype: true }), { maxLength: 4 }),
    ),
];

interface Change {
  readonly extras: readonly Extra[];
  readonly rotateBy: number;
}

export interface Newer {
  readonly schema: AvroRecord;
  /** An event of ours as the newer writer would write it. */
  write(event: object): Buffer;
}

export function newerVersions(schema: AvroRecord): fc.Arbitrary<Newer> {
  const names = recordNames(schema);
  return fc.tuple(...names.map(changes)).map(all => {
    const byRecord = new Map(names.map((name, i) => [name, all[i] as Change]));
    const newer = evolve(schema, byRecord) as AvroRecord;
    const type = writerTypeOf(newer);
    return { schema: newer, write: event => type.toBuffer(extend(event, schema, byRecord)) };
  });
}

function changes(record: string): fc.Arbitrary<Change> {
  const slot = (i: number): fc.Arbitrary<Extra | null> => {
    const name = `${record}Extra${i}`;
    return fc.option(fc.oneof(...KINDS.map(kind => kind(name).map(extra => ({ name, ...extra })))));
  };
  return fc.record({
    extras: fc.tuple(slot(0), slot(1), slot(2)).map(slots => slots.filter(each => each !== null)),
    rotateBy: fc.nat({ max: 12 }),
  });
}

function recordNames(schema: AvroSchema): string[] {
  if (typeof schema === 'string') return [];
  if ('length' in schema) return schema.flatMap(recordNames);
  if (schema.type === 'array') return recordNames(schema.items);
  if (schema.type !== 'record') return [];
  return [schema.name, ...schema.fields.flatMap(field => recordNames(field.type))];
}

function evolve(schema: AvroSchema, byRecord: ReadonlyMap<string, Change>): AvroSchema {
  if (typeof schema === 'string') return schema;
  if ('length' in schema) return schema.map(branch => evolve(branch, byRecord));
  if (schema.type === 'array') return { ...schema, items: evolve(schema.items, byRecord) };
  if (schema.type !== 'record') return schema;
  const { extras, rotateBy } = byRecord.get(schema.name) as Change;
  const added = extras.map(({ name, type, default: empty }) => ({ name, type: type as AvroSchema, default: empty }));
  const fields = [...added, ...schema.fields.map(field => ({ ...field, type: evolve(field.type, byRecord) }))];
  const at = rotateBy % fields.length;
  return { ...schema, fields: [...fields.slice(at), ...fields.slice(0, at)] };
}

/** The event with a value in every added field. */
function extend(value: unknown, schema: AvroSchema, byRecord: ReadonlyMap<string, Change>): unknown {
  if (value === null || typeof schema === 'string') return value;
  if ('length' in schema) {
    return schema.reduce<unknown>((inner, branch) => extend(inner, branch, byRecord), value);
  }
  if (schema.type === 'array') return (value as readonly unknown[]).map(item => extend(item, schema.items, byRecord));
  if (schema.type !== 'record') return value;
  const event = value as Readonly<Record<string, unknown>>;
  const { extras } = byRecord.get(schema.name) as Change;
  return Object.fromEntries([
    ...schema.fields.map(field => [field.name, extend(event[field.name], field.type, byRecord)]),
    ...extras.map(({ name, value: extra }) => [name, extra]),
  ]);
}
