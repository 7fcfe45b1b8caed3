/** What every failure of clinstream carries. Each stage has its own class with its own codes; none ever carries note text. */

export type Stage =
  | 'config'
  | 'input'
  | 'output'
  | 'decode'
  | 'privacy'
  | 'model'
  | 'tagging'
  | 'stream'
  | 'registry'
  | 'teacher'
  | 'escalation'
  | 'distill';

export interface ErrorDetails {
  /** Identifiers and numbers that locate the failure: never text of a note, never a secret. */
  readonly [key: string]: string | number | boolean | null;
}

export interface ErrorOptions {
  /** Whether the very same call may succeed later. */
  readonly retryable?: boolean;
  readonly details?: ErrorDetails;
  readonly cause?: unknown;
}

/**
 * The message says what was wrong, where, and what to do about it; `code` is stable and bounded, so that scripts, metrics and
 * dead letters can rely on it.
 */
export abstract class ClinstreamError<Code extends string = string> extends Error {
  abstract readonly stage: Stage;
  readonly code: Code;
  readonly retryable: boolean;
  readonly details: ErrorDetails;

  constructor(code: Code, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.details = options.details ?? {};
  }
}
