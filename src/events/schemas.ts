/** The schemas in `schemas/`, the single truth about what is on the wire, read once at start. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

export type AvroPrimitive = 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'bytes' | 'string';

export interface AvroField {
  readonly name: string;
  readonly type: AvroSchema;
  readonly doc?: string;
  readonly default?: unknown;
}

/** Avro, as our schemas and those of other writers use it; a name stands for a primitive or for a type defined before. */
export type AvroSchema =
  | string
  | readonly AvroSchema[]
  | { readonly type: AvroPrimitive; readonly logicalType?: string }
  | AvroRecord
  | { readonly type: 'enum'; readonly name: string; readonly symbols: readonly string[]; readonly doc?: string }
  | { readonly type: 'fixed'; readonly name: string; readonly size: number }
  | { readonly type: 'array'; readonly items: AvroSchema }
  | { readonly type: 'map'; readonly values: AvroSchema };

export interface AvroRecord {
  readonly type: 'record';
  readonly name: string;
  readonly namespace?: string;
  readonly doc?: string;
  readonly fields: readonly AvroField[];
}

/** Folder of the `.avsc` files. */
export const SCHEMAS_FOLDER = resolve(import.meta.dirname, '../../schemas');

export const NOTE_SCHEMA = readSchema('note-event.avsc');
export const ENTITIES_SCHEMA = readSchema('entities-event.avsc');

/** Name with namespace, as in `ce_type`. */
export function fullName(schema: AvroRecord): string {
  return schema.namespace === undefined ? schema.name : `${schema.namespace}.${schema.name}`;
}

/** A schema of the folder; our own files are records. */
export function readSchema(file: string): AvroRecord {
  return JSON.parse(readFileSync(resolve(SCHEMAS_FOLDER, file), 'utf8')) as AvroRecord;
}
