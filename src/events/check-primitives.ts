/** The checks of Avro's primitive types: each moves a cursor past one value, or throws before it would leave the bytes. */
import { isUtf8 } from 'node:buffer';
import { DecodeError } from './codec.ts';

/** Reads one value at the cursor and leaves it behind the value. `path` names the field, for messages. */
export type Check = (cursor: Cursor, path: string) => void;

export interface Cursor {
  readonly bytes: Buffer;
  at: number;
  /** How many records the cursor is inside. */
  depth: number;
}

/** `readAs` are the names of the types that the reader has in this place; none where the value is skipped. */
export function primitive(name: string, readAs: readonly string[]): Check {
  // Avro lets bytes be read as a string, and avsc would replace what is not UTF-8
  if (name === 'bytes') return readAs.includes('string') && !readAs.includes('bytes') ? takeText : takeSized;
  if (name === 'long') return readAs.includes('long') ? readLong : takeLong;
  const check = PRIMITIVES[name];
  if (check === undefined) throw new TypeError(`values of the type ${name} cannot be checked`);
  return check;
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
  float: (cursor, path) => {
    take(cursor, 4, path);
  },
  double: (cursor, path) => {
    take(cursor, 8, path);
  },
  string: takeText,
};

/** Moves past `count` bytes and returns where they start. */
export function take(cursor: Cursor, count: number, path: string): number {
  const start = cursor.at;
  if (count > cursor.bytes.length - start) {
    throw new DecodeError('VALUE_TRUNCATED', `the value ends inside ${path}`, { details: { field: path } });
  }
  cursor.at = start + count;
  return start;
}

/** Moves past a length and that many bytes, and returns where these start. */
function takeSized(cursor: Cursor, path: string): number {
  const length = readLong(cursor, path);
  if (length < 0) throw malformed(path, 'a length of 0 or more');
  return take(cursor, length, path);
}

export function takeText(cursor: Cursor, path: string): void {
  const start = takeSized(cursor, path);
  if (isUtf8(cursor.bytes.subarray(start, cursor.at))) return;
  throw new DecodeError('NOTE_TEXT_NOT_UTF8', `${path} is not UTF-8: its offsets would be wrong`, {
    details: { field: path },
  });
}

/** A zigzag varint of at most 10 bytes; numbers beyond 2^52 have no exact place in what avsc reads and are refused. */
export function readLong(cursor: Cursor, path: string): number {
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

/** Any integer of 64 bits, for longs that nobody reads. */
function takeLong(cursor: Cursor, path: string): void {
  for (let index = 0; index < 10; index++) {
    const byte = cursor.bytes[take(cursor, 1, path)] ?? 0;
    if (index === 9 && byte > 1) break;
    if (byte < 0x80) return;
  }
  throw malformed(path, 'an integer of 64 bits');
}

/** The item at an index that the bytes give. */
export function pick<T>(items: readonly T[], index: number, path: string): T {
  const item = items[index];
  if (item === undefined) throw malformed(path, `a branch or symbol below ${items.length}`);
  return item;
}

export function malformed(path: string, expected: string): DecodeError {
  return new DecodeError('VALUE_MALFORMED', `${path} should hold ${expected}`, { details: { field: path } });
}
