/**
 * Whether bytes are exactly one value of a schema, found out before avsc reads them. avsc trusts its input: it turns invalid UTF-8
 * into U+FFFD (which would shift every offset after it), reads past the end, and follows an array length of 2^50.
 */
import { isUtf8 } from 'node:buffer';
import { DecodeError } from './codec.ts';
import type { AvroSchema } from './schemas.ts';

/** Reads one value at the cursor and leaves it behind the value. `path` names the field, for messages. */
type Check = (cursor: Cursor, path: string) => void;

interface Cursor {
  readonly bytes: Buffer;
  at: number;
}

/**
 * A check of whole values of `schema`.
 * @throws DecodeError VALUE_TRUNCATED, VALUE_MALFORMED or NOTE_TEXT_NOT_UTF8 naming the field.
 */
export function compileCheck(schema: AvroSchema): (bytes: Buffer) => void {
  const check = compile(schema, new Map());
  return bytes => {
    const cursor: Cursor = { bytes, at: 0 };
    check(cursor, '');
    if (cursor.at !== bytes.length) {
      throw new DecodeError('VALUE_MALFORMED', `${bytes.length - cursor.at} bytes follow the end of the event`);
    }
  };
}

function compile(schema: AvroSchema, named: Map<string, Check>): Check {
  if (typeof schema === 'string') return PRIMITIVES[schema] ?? known(named, schema);
  if (isUnion(schema)) {
    const branches = schema.map(branch => compile(branch, named));
    return (cursor, path) => pick(branches, readLong(cursor, path), path)(cursor, path);
  }
  switch (schema.type) {
    case 'record': {
      const fields = schema.fields.map(field => ({ name: field.name, check: compile(field.type, named) }));
      const check: Check = (cursor, path) => {
        for (const field of fields) field.check(cursor, path === '' ? field.name : `${path}.${field.name}`);
      };
      named.set(schema.name, check);
      return check;
    }
    case 'enum': {
      const symbols = schema.symbols.map(() => () => {});
      const check: Check = (cursor, path) => pick(symbols, readLong(cursor, path), path)(cursor, path);
      named.set(schema.name, check);
      return check;
    }
    case 'array':
      return array(compile(schema.items, named));
    default:
      return compile(schema.type, named);
  }
}

function isUnion(schema: AvroSchema): schema is readonly AvroSchema[] {
  return Array.isArray(schema);
}

function known(named: ReadonlyMap<string, Check>, name: string): Check {
  const check = named.get(name.slice(name.lastIndexOf('.') + 1));
  if (check === undefined) throw new TypeError(`the schema uses ${name}, which it does not define`);
  return check;
}

function pick(checks: readonly Check[], index: number, path: string): Check {
  const check = checks[index];
  if (check === undefined) throw malformed(path, `a branch or symbol below ${checks.length}`);
  return check;
}

/** Blocks of a count and that many items; a negative count is followed by the block's size in bytes; 0 ends. */
function array(item: Check): Check {
  return (cursor, path) => {
    for (let count = readLong(cursor, path); count !== 0; count = readLong(cursor, path)) {
      if (count < 0) readLong(cursor, path);
      for (let left = Math.abs(count); left > 0; left--) {
        const before = cursor.at;
        item(cursor, path);
        if (cursor.at === before) throw malformed(path, 'items that take at least one byte');
      }
    }
  };
}

const PRIMITIVES: Readonly<Record<string, Check>> = {
  null: () => {},
  boolean: (cursor, path) => {
    if ((cursor.bytes[take(cursor, 1, path)] ?? 0) > 1) throw malformed(path, 'a boolean');
  },
  int: (cursor, path) => {
    const value = readLong(cursor, path);
    if (value !== (value | 0)) throw malformed(path, 'an integer of 32 bits');
  },
  long: (cursor, path) => {
    readLong(cursor, path);
  },
  float: (cursor, path) => {
    take(cursor, 4, path);
  },
  double: (cursor, path) => {
    take(cursor, 8, path);
  },
  bytes: (cursor, path) => {
    takeSized(cursor, path);
  },
  string: (cursor, path) => {
    const start = takeSized(cursor, path);
    if (!isUtf8(cursor.bytes.subarray(start, cursor.at))) {
      throw new DecodeError('NOTE_TEXT_NOT_UTF8', `${path} is not UTF-8: its offsets would be wrong`, {
        details: { field: path },
      });
    }
  },
};

/** Moves past `count` bytes and returns where they start. */
function take(cursor: Cursor, count: number, path: string): number {
  const start = cursor.at;
  if (count > cursor.bytes.length - start) {
    throw new DecodeError('VALUE_TRUNCATED', `the value ends inside ${path}`, { details: { field: path } });
  }
  cursor.at = start + count;
  return start;
}

function takeSized(cursor: Cursor, path: string): number {
  const length = readLong(cursor, path);
  if (length < 0) throw malformed(path, 'a length of 0 or more');
  return take(cursor, length, path);
}

/** A zigzag varint of at most 10 bytes; numbers beyond 2^53 have no exact place in JavaScript and are refused. */
function readLong(cursor: Cursor, path: string): number {
  let value = 0;
  let scale = 1;
  for (let index = 0; index < 10; index++) {
    const byte = cursor.bytes[take(cursor, 1, path)] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) {
      if (value > Number.MAX_SAFE_INTEGER) break;
      return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
    scale *= 128;
  }
  throw malformed(path, 'an integer within ±2^52');
}

function malformed(path: string, expected: string): DecodeError {
  return new DecodeError('VALUE_MALFORMED', `${path} should hold ${expected}`, { details: { field: path } });
}
