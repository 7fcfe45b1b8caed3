/**
 * How events become record values and come back. The port is asynchronous because a schema registry must be asked; what every
 * implementation shares is the error below, whose code is all that a dead letter tells about a value that is not an event.
 */
import { ClinstreamError } from '../core/errors.ts';

export interface EventDecoder<E> {
  /**
   * @throws DecodeError for every value that is not an event: it will never decode, so nothing is gained by a retry.
   * @throws RegistryError when the schema registry could not be asked: that says nothing about the value.
   */
  decode(value: Buffer | null): Promise<E>;
}

export interface EventCodec<E> extends EventDecoder<E> {
  /**
   * @throws EncodeError when the event does not satisfy its schema: a fault of the caller, never of the input.
   * @throws RegistryError when the schema registry could not be asked, or does not know our schema.
   */
  encode(event: E): Promise<Buffer>;
}

/** Larger values are refused before they are looked at. */
export const DEFAULT_MAX_VALUE_BYTES = 8 * 1024 * 1024;

/** No cause is ever chained: parsers quote their input in their messages. */
export class DecodeError extends ClinstreamError<
  | 'VALUE_NULL'
  | 'VALUE_TOO_LARGE'
  | 'NOT_AVRO'
  /** No Avro schema is known by what the value names. */
  | 'SCHEMA_UNKNOWN'
  /** The schema that the value names does not resolve to ours. */
  | 'SCHEMA_INCOMPATIBLE'
  | 'VALUE_TRUNCATED'
  | 'VALUE_MALFORMED'
  | 'NOTE_TEXT_NOT_UTF8'
  | 'NOTE_INVALID'
> {
  readonly stage = 'decode';
}

/** The event holds a value that its schema does not allow; the message names the field, never the value. */
export class EncodeError extends ClinstreamError<'EVENT_INVALID'> {
  readonly stage = 'input';
}

/** @throws DecodeError VALUE_NULL or VALUE_TOO_LARGE. */
export function requireValue(value: Buffer | null, maxBytes: number): Buffer {
  if (value === null) {
    throw new DecodeError('VALUE_NULL', 'the record has no value (a tombstone): an event was expected');
  }
  if (value.length > maxBytes) {
    throw new DecodeError('VALUE_TOO_LARGE', `the value has ${value.length} bytes; the limit is ${maxBytes}`, {
      details: { bytes: value.length, maxBytes },
    });
  }
  return value;
}
