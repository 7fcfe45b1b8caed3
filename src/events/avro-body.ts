/**
 * The Avro body of an event, the same bytes however a value names its schema. A body is checked by the very schema that wrote it,
 * read, and resolved to ours, or refused: nothing is guessed. Names count in full: `clinstream.v2.NoteEvent` is another event.
 */
import type { Type } from 'avsc';
import { compileCheck } from './check-bytes.ts';
import { DecodeError, EncodeError } from './codec.ts';
import { typeOf, writerTypeOf } from './fingerprint.ts';
import { type AvroRecord, type AvroSchema, fullName } from './schemas.ts';

/** Reads a body as our schema. @throws DecodeError */
export type ReadBody = (body: Buffer) => unknown;

export interface AvroBody {
  /** Full name of our schema. */
  readonly name: string;
  /** @throws EncodeError EVENT_INVALID naming the field. */
  write(event: object): Buffer;
  /** A reader of bodies that another version wrote. @throws IncompatibleSchema when it does not resolve to ours. */
  reader(writer: AvroSchema): ReadBody;
}

/** The writer's schema does not resolve to ours; the message says why in terms of the schemas. */
export class IncompatibleSchema extends Error {}

export function avroBody(schema: AvroRecord): AvroBody {
  const type = typeOf(schema);
  const name = fullName(schema);
  return {
    name,
    write(event) {
      requireValid(type, event, name);
      return type.toBuffer(event);
    },
    reader: writer => bodyReader(writer, type),
  };
}

/** Why what `writer` wrote cannot be read as `reader`; undefined when it can. */
export function whyUnreadable(writer: AvroSchema, reader: AvroSchema): string | undefined {
  try {
    bodyReader(writer, typeOf(reader));
    return undefined;
  } catch (error) {
    if (error instanceof IncompatibleSchema) return error.message;
    throw error;
  }
}

function bodyReader(schema: AvroSchema, reader: Type): ReadBody {
  const { resolver, check } = resolve(schema, reader);
  return body => {
    check(body);
    try {
      return plain(reader.fromBuffer(body, resolver));
    } catch {
      throw new DecodeError('VALUE_MALFORMED', 'the value passed the check of its schema and still could not be read');
    }
  };
}

/** @throws IncompatibleSchema also when nothing can be made of the writer's schema. */
function resolve(schema: AvroSchema, reader: Type): { resolver: Resolver; check: (body: Buffer) => void } {
  try {
    const writer = writerTypeOf(schema);
    return { resolver: reader.createResolver(writer), check: compileCheck(writer, reader) };
  } catch (error) {
    throw new IncompatibleSchema(error instanceof Error ? error.message : String(error));
  }
}

type Resolver = ReturnType<Type['createResolver']>;

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
