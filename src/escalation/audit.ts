/**
 * What left this machine: one JSON line before each request is sent and one when its outcome is known, appended and never
 * rewritten, each on the disk (fdatasync) before the next step. Whoever may read it learns who was asked about which text (by its
 * sha-256), never the text. A request whose line cannot be written is not sent.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fdatasyncSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { EscalationError } from './escalation-error.ts';

interface AuditAbout {
  /** Identifies the request within the file: the line before and the line after have the same. */
  readonly request: string;
  readonly teacher: string;
  readonly provider: string;
  readonly host: string;
  readonly model: string;
  readonly task: string;
  readonly noteId: string;
  readonly noteVersion: number;
  readonly noteSha256: string;
  readonly sectionSha256: string;
  readonly promptSha256: string;
}

export type AuditEntry =
  | (AuditAbout & { readonly event: 'asked' })
  | (AuditAbout & {
      readonly event: 'ended';
      /** OK, or the code of what went wrong. */
      readonly outcome: string;
      readonly inputTokens: number;
      readonly outputTokens: number;
      readonly usd: number;
      /** The provider may have charged for it, and did not say what; see charge.ts. */
      readonly estimated: boolean;
      readonly ms: number;
    });

/** What is read is its last byte. */
const APPEND = constants.O_APPEND | constants.O_CREAT | constants.O_RDWR;
const NEWLINE = 10;

export class AuditTrail {
  readonly #path: string;
  readonly #file: number;
  readonly #now: () => number;

  /** @param now milliseconds since the Unix epoch. @throws EscalationError AUDIT_UNWRITABLE */
  constructor(path: string, now: () => number) {
    this.#path = path;
    this.#now = now;
    this.#file = this.#doing(() => {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      const file = openSync(path, APPEND, 0o600);
      // it may be there already, for others to read
      fchmodSync(file, 0o600);
      return file;
    });
  }

  /**
   * One write, so that lines of several processes never mix; one that was written in part, as by a full disk or a loss of power, is ended
   * first, or this one would be lost with it. @throws EscalationError AUDIT_UNWRITABLE
   */
  append(entry: AuditEntry): void {
    const { event, ...about } = entry;
    const json = JSON.stringify({ at: new Date(this.#now()).toISOString(), event, ...about });
    this.#doing(() => {
      const line = Buffer.from(`${this.#isTorn() ? '\n' : ''}${json}\n`, 'utf8');
      if (writeSync(this.#file, line) !== line.length) throw new Error('a line was written in part');
      fdatasyncSync(this.#file);
    });
  }

  #isTorn(): boolean {
    const { size } = fstatSync(this.#file);
    const last = Buffer.alloc(1);
    return size > 0 && readSync(this.#file, last, 0, 1, size - 1) === 1 && last[0] !== NEWLINE;
  }

  close(): void {
    closeSync(this.#file);
  }

  #doing<T>(work: () => T): T {
    try {
      return work();
    } catch (cause) {
      const { code = 'unknown' } = cause as { code?: string };
      throw new EscalationError(
        'AUDIT_UNWRITABLE',
        `cannot write the audit trail ${this.#path} (${code}): nothing is sent without it; check escalation.state and the disk`,
        { cause },
      );
    }
  }
}
