/**
 * Our schemas under their subjects. What is registered must be able to read what was written before (BACKWARD): the registry is
 * asked, and the very reader that the codec uses is tried, because a subject without a rule lets the registry accept anything.
 */
import type { COMPATIBILITY, SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import { whyUnreadable } from './avro-body.ts';
import { DecodeError } from './codec.ts';
import { field, oneLine, RegistryError } from './registry-error.ts';
import type { RegistryHttp } from './registry-http.ts';
import { type AvroRecord, type AvroSchema, fullName } from './schemas.ts';

/** Where a schema stands. */
export interface Registered {
  readonly version: number;
  readonly id: number;
}

/** What registering would do. `latest` is the latest version of the subject. */
export type Verdict =
  | { readonly kind: 'new' }
  | { readonly kind: 'same'; readonly registered: Registered; readonly latest: number }
  | { readonly kind: 'compatible'; readonly latest: number }
  | { readonly kind: 'incompatible'; readonly latest: number; readonly reasons: readonly string[] };

/** Rules that include BACKWARD: a stricter one is its owner's choice and stays. */
const BACKWARD: readonly string[] = ['BACKWARD', 'BACKWARD_TRANSITIVE', 'FULL', 'FULL_TRANSITIVE'];

export class RegistrySubjects {
  readonly #http: RegistryHttp;
  readonly #library: () => Promise<SchemaRegistry>;
  readonly #schema: (id: number) => Promise<AvroSchema>;

  constructor(http: RegistryHttp, library: () => Promise<SchemaRegistry>, schema: (id: number) => Promise<AvroSchema>) {
    this.#http = http;
    this.#library = library;
    this.#schema = schema;
  }

  /** Where `schema` stands under `subject`; undefined when it does not. @throws RegistryError */
  async lookup(subject: string, schema: AvroRecord): Promise<Registered | undefined> {
    const found = await this.#unlessMissing('POST', `/subjects/${encodeURIComponent(subject)}`, bodyOf(schema));
    return found === undefined ? undefined : registered(found, subject);
  }

  /** What `register` would do. Changes nothing. @throws RegistryError */
  async check(subject: string, schema: AvroRecord): Promise<Verdict> {
    const versions = `/subjects/${encodeURIComponent(subject)}/versions`;
    const answer = await this.#unlessMissing('GET', `${versions}/latest`);
    if (answer === undefined) return { kind: 'new' };
    const { version: latest, id } = registered(answer, subject);
    const same = await this.lookup(subject, schema);
    if (same !== undefined) return { kind: 'same', registered: same, latest };
    const reasons = await this.#reasons(subject, schema, id);
    return reasons.length === 0 ? { kind: 'compatible', latest } : { kind: 'incompatible', latest, reasons };
  }

  /**
   * Puts `schema` under `subject` and `subject` under a rule that includes BACKWARD; where it stands already it stays.
   * @throws RegistryError SCHEMA_INCOMPATIBLE, and then nothing is registered.
   */
  async register(subject: string, schema: AvroRecord): Promise<Registered> {
    const verdict = await this.check(subject, schema);
    if (verdict.kind === 'incompatible') {
      throw new RegistryError(
        'SCHEMA_INCOMPATIBLE',
        `${fullName(schema)} cannot read what version ${verdict.latest} of ${subject} wrote: ${verdict.reasons.join('; ')}`,
        { details: { subject, latest: verdict.latest } },
      );
    }
    const level = await this.#requireBackward(subject);
    if (verdict.kind === 'same') return verdict.registered;
    const library = await this.#library();
    const { id } = await library.register(JSON.parse(JSON.stringify(schema)), {
      subject,
      compatibility: level as COMPATIBILITY,
    });
    const there = await this.lookup(subject, schema);
    if (there !== undefined) return there;
    throw new RegistryError(
      'REGISTRY_FAILED',
      `the schema registry took ${fullName(schema)} as schema ${id} and does not show it under ${subject} yet: try again`,
      { retryable: true },
    );
  }

  /** Why `schema` cannot read what the subject's latest schema, of this id, wrote; nothing when it can. */
  async #reasons(subject: string, schema: AvroRecord, id: number): Promise<readonly string[]> {
    let own: string | undefined;
    try {
      own = whyUnreadable(await this.#schema(id), schema);
    } catch (error) {
      if (error instanceof DecodeError) return [error.message];
      throw error;
    }
    const path = `/compatibility/subjects/${encodeURIComponent(subject)}/versions/latest?verbose=true`;
    const answer = await this.#http.ask('POST', path, bodyOf(schema));
    if (field(answer, 'is_compatible') === true) return own === undefined ? [] : [oneLine(own)];
    const messages = field(answer, 'messages');
    const reasons = [own, ...(Array.isArray(messages) ? messages : [])].filter(each => typeof each === 'string');
    return reasons.length > 0 ? reasons.map(oneLine) : ["by the subject's own rule, says the registry, and no more"];
  }

  /** @returns the subject's rule, which includes BACKWARD now. */
  async #requireBackward(subject: string): Promise<string> {
    const path = `/config/${encodeURIComponent(subject)}`;
    const level = field(await this.#unlessMissing('GET', path), 'compatibilityLevel');
    if (typeof level === 'string' && BACKWARD.includes(level)) return level;
    await this.#http.ask('PUT', path, JSON.stringify({ compatibility: 'BACKWARD' }));
    return 'BACKWARD';
  }

  async #unlessMissing(method: string, path: string, body?: string): Promise<unknown> {
    try {
      return await this.#http.ask(method, path, body);
    } catch (error) {
      if (error instanceof RegistryError && error.code === 'REGISTRY_NOT_FOUND') return undefined;
      throw error;
    }
  }
}

function bodyOf(schema: AvroRecord): string {
  return JSON.stringify({ schema: JSON.stringify(schema) });
}

function registered(answer: unknown, subject: string): Registered {
  const version = field(answer, 'version');
  const id = field(answer, 'id');
  if (typeof version === 'number' && typeof id === 'number') return { version, id };
  throw new RegistryError(
    'REGISTRY_FAILED',
    `the schema registry answered for ${subject} without a version and an id: check registry.url`,
  );
}
