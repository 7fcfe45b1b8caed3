/**
 * The fingerprint by which a value names its schema: CRC-64-AVRO (Rabin) of the schema's Parsing Canonical Form, as the Avro
 * specification defines both. Documentation, defaults and logical types do not change it.
 */
import avsc, { type Type } from 'avsc';
import type { AvroSchema } from './schemas.ts';

/** The Rabin polynomial, and also the fingerprint of nothing. */
const EMPTY = 0xc15d213aa4d7a795n;

const TABLE: readonly bigint[] = Array.from({ length: 256 }, (_, byte) => {
  let value = BigInt(byte);
  for (let bit = 0; bit < 8; bit++) value = (value & 1n) === 1n ? (value >> 1n) ^ EMPTY : value >> 1n;
  return value;
});

/** CRC-64-AVRO of bytes, as an unsigned number. */
export function crc64Avro(bytes: Uint8Array): bigint {
  let value = EMPTY;
  for (const byte of bytes) value = (value >> 8n) ^ (TABLE[Number((value ^ BigInt(byte)) & 0xffn)] ?? 0n);
  return value;
}

/** The schema's Parsing Canonical Form, whose bytes are fingerprinted. */
export function canonicalForm(schema: AvroSchema): string {
  return JSON.stringify(typeOf(schema).schema());
}

/** CRC-64-AVRO of the canonical form, in the 8 little-endian bytes of single-object encoding. */
export function schemaFingerprint(schema: AvroSchema): Buffer {
  const fingerprint = Buffer.alloc(8);
  fingerprint.writeBigUInt64LE(crc64Avro(Buffer.from(canonicalForm(schema), 'utf8')));
  return fingerprint;
}

/** avsc's type of a schema of ours; logical types stay the numbers that they are on the wire. */
export function typeOf(schema: AvroSchema): Type {
  return avsc.Type.forSchema(JSON.parse(JSON.stringify(schema)), { wrapUnions: 'never' });
}

/** avsc's type of a schema that something else wrote with: its unions may have branches that only their index tells apart. */
export function writerTypeOf(schema: AvroSchema): Type {
  return avsc.Type.forSchema(JSON.parse(JSON.stringify(schema)), { wrapUnions: 'auto' });
}
