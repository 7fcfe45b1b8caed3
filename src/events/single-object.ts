/**
 * Avro single-object encoding: C3 01, the writer schema's fingerprint, the body. A value is read with the very schema that wrote
 * it and then resolved to ours, or refused: nothing is guessed.
 */
import type { Type } from 'avsc';
import { compileCheck } from './check-bytes.ts';
import { DEFAULT_MAX_VALUE_BYTES, DecodeError, EncodeError, type EventCodec } from './codec.ts';
import { schemaFingerprint, typeOf } from './fingerprint.ts';
import { type AvroRecord, fullName } from './schemas.ts';

const MARKER = Buffer.from([0xc3, 0x01]);
const HEADER_BYTES = 10;

export interface SingleObjectOptions {
  /** The schema that we write, and to which older values are resolved. */
  readonly schema: AvroRecord;
  /** Older versions that values may still be written in; each must resolve to `schema` (BACKWARD compatibility). */
  readonly olderSchemas?: readonly AvroRecord[];
  /** Values above this size, header included, are refused. */
  readonly maxBytes?: number;
}

/** Reads a body, without its header, as the current schema. */
type ReadBody = (body: Buffer) => unknown;

/**
 * A codec of one event type. `E` must be the type generated from `schema`.
 * @throws Error when an older schema does not resolve to `schema`: the versions are not compatible.
 */
export function createSingleObjectCodec<E extends object>(options: SingleObjectOptions): EventCodec<E> {
  const { schema, olderSchemas = [], maxBytes = DEFAULT_MAX_VALUE_BYTES } = options;
  const type = typeOf(schema);
  const header = Buffer.concat([MARKER, schemaFingerprint(schema)]);
  const readers = new Map<string, ReadBody>(
    [...olderSchemas, schema].map(writer => [schemaFingerprint(writer).toString('hex'), bodyReader(writer, type)]),
  );
  const name = fullName(schema);

  return {
    async encode(event) {
      requireValid(type, event, name);
      return Buffer.concat([header, type.toBuffer(event)]);
    },
    async decode(value) {
      const read = readers.get(fingerprintOf(value, maxBytes).toString('hex'));
      if (read === undefined) {
        throw new DecodeError('SCHEMA_UNKNOWN', `the value is Avro, but by no schema of ${name} that is known here`);
      }
      return read(value?.subarray(HEADER_BYTES) ?? Buffer.alloc(0)) as E;
    },
  };
}

/** @throws DecodeError VALUE_NULL, VALUE_TOO_LARGE, NOT_AVRO or VALUE_TRUNCATED. */
function fingerprintOf(value: Buffer | null, maxBytes: number): Buffer {
  if (value === null) {
    throw new DecodeError('VALUE_NULL', 'the record has no value (a tombstone): an event was expected');
  }
  if (value.length > maxBytes) {
    throw new DecodeError('VALUE_TOO_LARGE', `the value has ${value.length} bytes; the limit is ${maxBytes}`, {
      details: { bytes: value.length, maxBytes },
    });
  }
  if (!value.subarray(0, MARKER.length).equals(MARKER)) {
    throw new DecodeError('NOT_AVRO', 'the value is not in Avro single-object encoding: it must begin with C3 01');
  }
  if (value.length < HEADER_BYTES)
    throw new DecodeError('VALUE_TRUNCATED', "the value ends inside its schema's fingerprint");
  return value.subarray(MARKER.length, HEADER_BYTES);
}

function bodyReader(writer: AvroRecord, reader: Type): ReadBody {
  const check = compileCheck(writer);
  const writerType = typeOf(writer);
  const resolver = reader.createResolver(writerType);
  return body => {
    check(body);
    try {
      return plain(reader.fromBuffer(body, resolver));
    } catch {
      throw new DecodeError('VALUE_MALFORMED', 'the value passed the check of its schema and still could not be read');
    }
  };
}

/** avsc's record instances as plain objects, so that events compare, clone and print as what they are. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

/** @throws EncodeError EVENT_INVALID naming the field; avsc's own message would quote the value. */
function requireValid(type: Type, event: object, name: string): void {
  let field = illFormed(event, '');
  if (field === undefined) {
    type.isValid(event, {
      errorHook: path => {
        field ??= path.join('.');
      },
    });
  }
  if (field === undefined) return;
  throw new EncodeError('EVENT_INVALID', `${name} cannot be written: ${field} does not fit its schema`, {
    details: { field },
  });
}

/** The first string with half a surrogate pair: UTF-8 has no bytes for it, and U+FFFD would take its place silently. */
function illFormed(value: unknown, path: string): string | undefined {
  if (typeof value === 'string') return value.isWellFormed() ? undefined : path;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const found = illFormed(inner, path === '' ? key : `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
