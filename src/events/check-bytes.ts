/**
 * Whether bytes are exactly one value of the schema that wrote them, found out before avsc reads them. avsc trusts its input: it
 * turns invalid UTF-8 into U+FFFD (which would shift every offset after it), reads past the end, follows an array length of 2^50,
 * and skips as many bytes as a block claims to have. Any type that a foreign writer may use can be checked.
 */
import avsc, { type Type, type types } from 'avsc';
import { type Check, type Cursor, malformed, pick, primitive, readLong, take, takeText } from './check-primitives.ts';
import { DecodeError } from './codec.ts';

/** Records inside records; only a schema that contains itself can have more, and the stack would end. */
const MAX_DEPTH = 200;
const RECORDS = ['record', 'error'];

/**
 * A check of whole values written with `writer` and then read as `reader`. Fields that the reader does not know may hold anything
 * that their type allows; what it reads must also have an exact place in JavaScript.
 * @throws DecodeError VALUE_TRUNCATED, VALUE_MALFORMED or NOTE_TEXT_NOT_UTF8 naming the field.
 */
export function compileCheck(writer: Type, reader: Type = writer): (bytes: Buffer) => void {
  const check = compile(writer, reader, new Map());
  return bytes => {
    const cursor: Cursor = { bytes, at: 0, depth: 0 };
    check(cursor, '');
    if (cursor.at !== bytes.length) {
      throw new DecodeError('VALUE_MALFORMED', `${bytes.length - cursor.at} bytes follow the end of the event`);
    }
  };
}

/** Checks of records by writer and reader: the same record may be read in one place and skipped in another. */
type Known = Map<Type, Map<Type | undefined, Check>>;

/** `reader` is undefined where nothing of the value is read. */
function compile(writer: Type, reader: Type | undefined, known: Known): Check {
  if (isUnion(writer)) {
    const branches = writer.types.map(branch => compile(branch, reader, known));
    return (cursor, path) => pick(branches, readLong(cursor, path), path)(cursor, path);
  }
  if (isRecord(writer)) return record(writer, taker(writer, reader), known);
  if (isType(writer, 'enum')) {
    const { symbols } = writer as types.EnumType;
    return (cursor, path) => {
      pick(symbols, readLong(cursor, path), path);
    };
  }
  if (isType(writer, 'fixed')) {
    const { size } = writer as types.FixedType;
    return (cursor, path) => {
      take(cursor, size, path);
    };
  }
  if (isType(writer, 'array')) {
    const items = taker(writer, reader) as types.ArrayType | undefined;
    return blocks(compile((writer as types.ArrayType).itemsType, items?.itemsType, known));
  }
  if (isType(writer, 'map')) {
    const values = taker(writer, reader) as types.MapType | undefined;
    const value = compile((writer as types.MapType).valuesType, values?.valuesType, known);
    return blocks((cursor, path) => {
      takeText(cursor, path);
      value(cursor, path);
    });
  }
  return primitive(
    writer.typeName,
    branchesOf(reader).map(branch => branch.typeName),
  );
}

function record(writer: types.RecordType, reader: Type | undefined, known: Known): Check {
  const byReader = known.get(writer) ?? new Map<Type | undefined, Check>();
  known.set(writer, byReader);
  const done = byReader.get(reader);
  if (done !== undefined) return done;
  const fields: { readonly name: string; readonly check: Check }[] = [];
  const check: Check = (cursor, path) => {
    if (++cursor.depth > MAX_DEPTH) throw malformed(path, `at most ${MAX_DEPTH} records inside each other`);
    for (const field of fields) field.check(cursor, path === '' ? field.name : `${path}.${field.name}`);
    cursor.depth--;
  };
  // known before its fields are compiled: they may hold the record itself
  byReader.set(reader, check);
  for (const { name, type } of writer.fields) fields.push({ name, check: compile(type, fieldOf(reader, name), known) });
  return check;
}

/** What the reader makes of the writer's field, if anything. */
function fieldOf(reader: Type | undefined, name: string): Type | undefined {
  if (reader === undefined || !isRecord(reader)) return undefined;
  return reader.fields.find(field => field.name === name || field.aliases.includes(name))?.type;
}

/** The type or the branch of the reader's that takes a composite value of the writer's. */
function taker(writer: Type, reader: Type | undefined): Type | undefined {
  const kinds = isRecord(writer) ? RECORDS : [writer.typeName];
  const alike = branchesOf(reader).filter(branch => isType(branch, ...kinds));
  return alike.find(branch => branch.name === writer.name) ?? alike[0];
}

function branchesOf(reader: Type | undefined): readonly Type[] {
  if (reader === undefined) return [];
  return isUnion(reader) ? reader.types : [reader];
}

function isUnion(type: Type): type is types.UnwrappedUnionType | types.WrappedUnionType {
  return isType(type, 'union');
}

function isRecord(type: Type): type is types.RecordType {
  return isType(type, ...RECORDS);
}

/** By the start of its `typeName`, so that 'union' is either kind of union. */
function isType(type: Type, ...names: readonly string[]): boolean {
  return avsc.Type.isType(type, ...names);
}

/** Blocks of a count and that many items; a negative count is followed by the block's size in bytes; 0 ends. */
function blocks(item: Check): Check {
  return (cursor, path) => {
    for (let count = readLong(cursor, path); count !== 0; count = readLong(cursor, path)) {
      const size = count < 0 ? readLong(cursor, path) : undefined;
      const start = cursor.at;
      for (let left = Math.abs(count); left > 0; left--) {
        const before = cursor.at;
        item(cursor, path);
        if (cursor.at === before) throw malformed(path, 'items that take at least one byte');
      }
      if (size !== undefined && cursor.at - start !== size) throw malformed(path, 'a block as long as it says');
    }
  };
}
