/**
 * Avro single-object encoding, in embedded files: C3 01, the fingerprint of the schema that wrote the value, the body.
 */
import { avroBody, type ReadBody } from './avro-body.ts';
import { DEFAULT_MAX_VALUE_BYTES, DecodeError, type EventCodec, requireValue } from './codec.ts';
import { schemaFingerprint } from './fingerprint.ts';
import type { AvroRecord } from './schemas.ts';

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

/**
 * A codec of one event type. `E` must be the type generated from `schema`.
 * @throws IncompatibleSchema when an older schema does not resolve to `schema`.
 */
export function createSingleObjectCodec<E extends object>(options: SingleObjectOptions): EventCodec<E> {
  const { schema, olderSchemas = [], maxBytes = DEFAULT_MAX_VALUE_BYTES } = options;
  const body = avroBody(schema);
  const header = Buffer.concat([MARKER, schemaFingerprint(schema)]);
  const readers = new Map<string, ReadBody>(
    [...olderSchemas, schema].map(writer => [schemaFingerprint(writer).toString('hex'), body.reader(writer)]),
  );

  return {
    async encode(event) {
      return Buffer.concat([header, body.write(event)]);
    },
    async decode(value) {
      const bytes = requireValue(value, maxBytes);
      const read = readers.get(fingerprintOf(bytes).toString('hex'));
      if (read === undefined) {
        throw new DecodeError(
          'SCHEMA_UNKNOWN',
          `the value is Avro, but by no schema of ${body.name} that is known here`,
        );
      }
      return read(bytes.subarray(HEADER_BYTES)) as E;
    },
  };
}

/** @throws DecodeError NOT_AVRO or VALUE_TRUNCATED. */
function fingerprintOf(value: Buffer): Buffer {
  if (!value.subarray(0, MARKER.length).equals(MARKER)) {
    throw new DecodeError('NOT_AVRO', 'the value is not in Avro single-object encoding: it must begin with C3 01');
  }
  if (value.length < HEADER_BYTES)
    throw new DecodeError('VALUE_TRUNCATED', "the value ends inside its schema's fingerprint");
  return value.subarray(MARKER.length, HEADER_BYTES);
}
