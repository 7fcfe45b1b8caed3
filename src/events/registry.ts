/**
 * The schema registry as codecs see it: the schema under an id, and the id of our own schema. What an id stands for never changes
 * and is kept for ever; that an id is unknown may change at any moment and is believed for a few seconds only; that the registry is
 * away is never remembered.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import { DecodeError } from './codec.ts';
import { RegistryError } from './registry-error.ts';
import { RegistryHttp, type RegistryOptions } from './registry-http.ts';
import { lazyLibrary } from './registry-library.ts';
import { RegistrySubjects } from './registry-subjects.ts';
import { type AvroRecord, type AvroSchema, fullName } from './schemas.ts';

export interface SchemaRegistryOptions extends RegistryOptions {
  /** Whether `idOf` registers a schema that is not there yet. */
  readonly autoRegister: boolean;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

const MAX_ID = 2 ** 31 - 1;
/** How long an unusable id is refused without asking again. */
const UNUSABLE_MS = 5_000;
const MAX_UNUSABLE = 1_000;
/** Another replica of the registry may have a new schema a moment later. */
const ASK_AGAIN_MS = 200;

export class SchemaRegistryClient {
  /** For `schemas check` and `schemas register`. */
  readonly subjects: RegistrySubjects;
  readonly #options: SchemaRegistryOptions;
  readonly #http: RegistryHttp;
  readonly #library: () => Promise<SchemaRegistry>;
  readonly #schemas = new Map<number, Promise<AvroSchema>>();
  readonly #unusable = new Map<number, { readonly until: number; readonly message: string }>();
  readonly #ids = new Map<string, Promise<number>>();

  constructor(options: SchemaRegistryOptions) {
    this.#options = options;
    this.#http = new RegistryHttp(options);
    this.#library = lazyLibrary(this.#http);
    this.subjects = new RegistrySubjects(this.#http, this.#library, id => this.schema(id));
  }

  /**
   * The Avro schema under an id.
   * @throws DecodeError SCHEMA_UNKNOWN: there is none, or one of another kind.
   * @throws RegistryError when the registry could not say.
   */
  async schema(id: number): Promise<AvroSchema> {
    const unusable = this.#unusable.get(id);
    if (unusable !== undefined && this.#options.now() < unusable.until) throw unknown(unusable.message);
    return remembered(this.#schemas, id, () => this.#find(id));
  }

  /**
   * The id under which `schema` is registered for `subject`.
   * @throws RegistryError SCHEMA_NOT_REGISTERED unless it may be registered now; SCHEMA_INCOMPATIBLE when it must not be.
   */
  idOf(subject: string, schema: AvroRecord): Promise<number> {
    return remembered(this.#ids, `${subject} ${JSON.stringify(schema)}`, async () => {
      const there = await this.subjects.lookup(subject, schema);
      if (there !== undefined) return there.id;
      if (this.#options.autoRegister) return (await this.subjects.register(subject, schema)).id;
      throw new RegistryError(
        'SCHEMA_NOT_REGISTERED',
        `${fullName(schema)} is not registered as ${subject} at ${this.#http.url}: ` +
          "run 'clinstream schemas register' before a deploy, or set registry.autoRegister",
      );
    });
  }

  async #find(id: number): Promise<AvroSchema> {
    if (id < 1 || id > MAX_ID) throw unknown(`no registry gives the id ${id} to a schema`);
    const library = await this.#library();
    try {
      return await avroSchema(library, id).catch(async (error: unknown) => {
        if (!isMissing(error)) throw error;
        await sleep(ASK_AGAIN_MS);
        return avroSchema(library, id);
      });
    } catch (error) {
      if (error instanceof RegistryError && !isMissing(error)) throw error;
      const message = isMissing(error) ? `the schema registry has no schema ${id}` : `schema ${id} is not one of Avro`;
      // whoever writes garbage with ever new ids must not fill memory
      if (this.#unusable.size >= MAX_UNUSABLE) this.#unusable.clear();
      this.#unusable.set(id, { until: this.#options.now() + UNUSABLE_MS, message });
      throw unknown(message);
    }
  }
}

/** @throws RegistryError, or an Error of the library's when it can make nothing of the schema. */
async function avroSchema(library: SchemaRegistry, id: number): Promise<AvroSchema> {
  const schema = await library.getSchema(id);
  if (library.cache.getSchema(id)?.type !== 'AVRO') throw new Error(`schema ${id} is of another kind`);
  // as plain data, references resolved
  return JSON.parse(JSON.stringify(schema)) as AvroSchema;
}

function isMissing(error: unknown): boolean {
  return error instanceof RegistryError && error.code === 'REGISTRY_NOT_FOUND';
}

function unknown(message: string): DecodeError {
  return new DecodeError('SCHEMA_UNKNOWN', message);
}

/** One answer for all who ask; a failure is forgotten. */
function remembered<K, V>(answers: Map<K, Promise<V>>, key: K, ask: () => Promise<V>): Promise<V> {
  const known = answers.get(key);
  if (known !== undefined) return known;
  const asked = ask();
  answers.set(key, asked);
  asked.catch(() => answers.delete(key));
  return asked;
}
