/**
 * What the schema registry refused, or why it could not be asked. None of this says anything about a value: a record must never be
 * given up because the registry was away, so these are not DecodeErrors.
 */
import { ClinstreamError, type ErrorOptions } from '../core/errors.ts';

export type RegistryCode =
  /** No answer: refused connection, untrusted certificate, silence. */
  | 'REGISTRY_UNREACHABLE'
  /** 401 or 403. */
  | 'REGISTRY_DENIED'
  /** The registry says, in its own words, that it has no such schema, subject or version. */
  | 'REGISTRY_NOT_FOUND'
  /** Any other failure; 5xx, 408 and 429 may pass. */
  | 'REGISTRY_FAILED'
  | 'SCHEMA_NOT_REGISTERED'
  | 'SCHEMA_INCOMPATIBLE';

export class RegistryError extends ClinstreamError<RegistryCode> {
  readonly stage = 'registry';
  /** Of the answer, where there was one; @kafkajs/confluent-schema-registry looks for it here. */
  readonly status: number | undefined;

  constructor(code: RegistryCode, message: string, options: ErrorOptions & { readonly status?: number } = {}) {
    super(code, message, options);
    this.status = options.status;
  }
}

/** The error that an answer other than 2xx stands for. `place` names the registry and what was asked, without any secret. */
export function refusal(status: number, body: unknown, place: string): RegistryError {
  const make = (code: RegistryCode, what: string, retryable = false): RegistryError =>
    new RegistryError(code, `${place} ${what}`, { status, retryable, details: { status } });
  if (status === 401 || status === 403) {
    return make('REGISTRY_DENIED', `answered ${status}: check registry.username and its password, and what it may do`);
  }
  if (status === 404) {
    // a proxy and a wrong path answer 404 as well, Confluent's own registry with error_code 404: they know nothing about schemas
    return /^404\d\d$/.test(String(field(body, 'error_code')))
      ? make('REGISTRY_NOT_FOUND', 'answered that there is none')
      : make('REGISTRY_FAILED', 'answered 404, but not as a schema registry does: check the path of registry.url');
  }
  if (status === 409) return make('SCHEMA_INCOMPATIBLE', `refused the schema as incompatible${reasonOf(body)}`);
  if (status === 422) return make('REGISTRY_FAILED', `refused the schema as invalid${reasonOf(body)}`);
  return make('REGISTRY_FAILED', `answered ${status}`, status >= 500 || status === 408 || status === 429);
}

/** The registry's own words about a schema, on one line. */
function reasonOf(body: unknown): string {
  const message = field(body, 'message');
  return typeof message === 'string' ? `: ${oneLine(message)}` : '';
}

/** Words about schemas that are not ours, fit for a terminal and a log. */
export function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, ' ').slice(0, 500);
}

/** A property of a parsed JSON value, if it is an object that has it. */
export function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
