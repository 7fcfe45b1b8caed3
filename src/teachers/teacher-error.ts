/** Why a teacher gave no usable reply. `fault` says what it means to the breaker, and a reply that was paid for says what it cost. */
import { ClinstreamError, type ErrorOptions } from '../core/errors.ts';
import type { Usage } from './teacher.ts';

/**
 * - `provider`: it is unwell: hanging, unreachable, 5xx. The breaker counts it.
 * - `busy`: it is well and asks to wait (429): no failure.
 * - `reply`: it answered, and the answer cannot be used; another attempt may cost and say the same.
 * - `setup`: credentials, model, host or settings are wrong: a person must change something.
 */
export type Fault = 'provider' | 'busy' | 'reply' | 'setup';

const FAULTS = {
  TEACHER_UNREACHABLE: 'provider',
  TEACHER_TIMEOUT: 'provider',
  TEACHER_FAILED: 'provider',
  /** The stream or body ended early. */
  TEACHER_HUNG_UP: 'provider',
  TEACHER_BUSY: 'busy',
  REPLY_EMPTY: 'reply',
  REPLY_REFUSED: 'reply',
  REPLY_CUT: 'reply',
  REPLY_NOT_JSON: 'reply',
  REPLY_WRONG_SCHEMA: 'reply',
  /** 400 and its like, where this text may be why: too long, or not told. */
  REQUEST_REJECTED: 'reply',
  /** It refuses what is the same in every request: a parameter, a schema, an API version. */
  REQUEST_UNSUPPORTED: 'setup',
  TEACHER_DENIED: 'setup',
  /** 429 with no end in sight: the account's money is spent. */
  TEACHER_UNPAID: 'setup',
  MODEL_UNKNOWN: 'setup',
  EGRESS_DENIED: 'setup',
} as const satisfies Record<string, Fault>;

export type TeacherCode = keyof typeof FAULTS;

export interface TeacherErrorOptions extends ErrorOptions {
  /** Milliseconds that the provider asks to wait. */
  readonly retryAfterMs?: number;
  /** Where the reply was paid for all the same. */
  readonly usage?: Usage;
}

/** Messages name the teacher, the status and the code; never the note, the prompt, the reply or the key. */
export class TeacherError extends ClinstreamError<TeacherCode> {
  readonly stage = 'teacher';
  readonly fault: Fault;
  readonly retryAfterMs: number | undefined;
  readonly usage: Usage | undefined;

  constructor(code: TeacherCode, message: string, options: TeacherErrorOptions = {}) {
    const fault = FAULTS[code];
    super(code, message, { retryable: fault === 'provider' || fault === 'busy', ...options });
    this.fault = fault;
    this.retryAfterMs = options.retryAfterMs;
    this.usage = options.usage;
  }
}
