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
export const ESCALATION_SCHEMA = whole(readSchema('escalation-event.avsc'), [NOTE_SCHEMA, ENTITIES_SCHEMA]);
export const REVIEW_SCHEMA = whole(readSchema('review-event.avsc'), [ENTITIES_SCHEMA]);

/** Name with namespace, as in `ce_type`. */
export function fullName(schema: AvroRecord): string {
  return schema.namespace === undefined ? schema.name : `${schema.namespace}.${schema.name}`;
}

/**
 * A schema that names types of other files, with their definitions put in where each is first named: what a registry or another
 * program can read by itself. @throws TypeError for a name that no file defines.
 */
export function whole(schema: AvroRecord, others: readonly AvroRecord[]): AvroRecord {
  const definitions = new Map<string, AvroSchema>();
  for (const other of others) define(other, other.namespace ?? '', definitions);
  const done = new Set<string>();
  const put = (type: AvroSchema): AvroSchema => {
    if (typeof type === 'string') {
      if (!type.includes('.') || done.has(type)) return type;
      const definition = definitions.get(type);
      if (definition === undefined) throw new TypeError(`no schema defines ${type}`);
      done.add(type);
      return put(definition);
    }
    if ('length' in type) return type.map(put);
    if (type.type === 'record') {
      return { ...type, fields: type.fields.map(field => ({ ...field, type: put(field.type) })) };
    }
    if (type.type === 'array') return { ...type, items: put(type.items) };
    return type.type === 'map' ? { ...type, values: put(type.values) } : type;
  };
  return put(schema) as AvroRecord;
}

/** Every named type in `type`, by its full name. */
function define(type: AvroSchema, namespace: string, found: Map<string, AvroSchema>): void {
  if (typeof type === 'string') return;
  if ('length' in type) {
    for (const branch of type) define(branch, namespace, found);
    return;
  }
  if ('name' in type) found.set(`${namespace}.${type.name}`, type);
  if (type.type === 'record') for (const field of type.fields) define(field.type, namespace, found);
  else if (type.type === 'array') define(type.items, namespace, found);
  else if (type.type === 'map') define(type.values, namespace, found);
}

/** A schema of the folder; our own files are records. */
export function readSchema(file: string): AvroRecord {
  return JSON.parse(readFileSync(resolve(SCHEMAS_FOLDER, file), 'utf8')) as AvroRecord;
}
