/**
 * What reviewers said of errors: JSON Lines that only grow, one verdict a line, each on disk before it is answered for. Several
 * processes may append to one file: a line is one write, and every reader takes in what others have added. No note text.
 */
import { closeSync, existsSync, fstatSync, fsyncSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { DistillError } from '../distill-error.ts';
import { type ErrorIdentity, errorKey } from './errors.ts';

/**
 * `tagger-right`: a gap or mistake in the gold. `gold-right`: a true error. `border`: the same mention with another start or end.
 */
export const VERDICTS = ['tagger-right', 'gold-right', 'border', 'cannot-tell'] as const;
export type Verdict = (typeof VERDICTS)[number];

export const MAX_COMMENT = 2000;
export const MAX_REVIEWER = 100;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const rowSchema = z.strictObject({
  format: z.literal(1),
  document: z.string(),
  textSha256: sha256,
  task: z.string(),
  kind: z.enum(['fp', 'fn']),
  start: z.int().min(0),
  end: z.int().min(1),
  verdict: z.enum(VERDICTS),
  reviewer: z.string().min(1).max(MAX_REVIEWER),
  comment: z.string().max(MAX_COMMENT).optional(),
  /** ISO 8601. */
  at: z.string(),
  model: sha256,
  gold: z.strictObject({ file: z.string(), split: z.string(), sha256 }),
});

export type VerdictRow = Readonly<z.output<typeof rowSchema>>;

/** A line that is no verdict: left out, and told until it is corrected. */
export interface InvalidLine {
  /** From 1. */
  readonly number: number;
  readonly why: string;
}

export class VerdictLog {
  readonly #path: string;
  readonly #rows: VerdictRow[] = [];
  /** Last row of each reviewer by error. */
  readonly #byError = new Map<string, Map<string, VerdictRow>>();
  /** Bytes taken in, and lines. */
  #read = 0;
  #lines = 0;
  #torn = 0;
  readonly #invalid: InvalidLine[] = [];

  /** @throws DistillError VERDICTS_INVALID, OUTPUT_FAILED */
  constructor(path: string) {
    this.#path = path;
    this.refresh();
  }

  /** In the order of the file. */
  get rows(): readonly VerdictRow[] {
    return this.#rows;
  }

  /** Lines that a crash left half-written; they hold no verdict that was ever answered for. */
  get torn(): number {
    return this.#torn;
  }

  /** The last verdict of each reviewer on an error, by reviewer. */
  on(error: ErrorIdentity): ReadonlyMap<string, VerdictRow> {
    return this.#byError.get(errorKey(error)) ?? new Map();
  }

  /**
   * Takes in what has been appended, by whomever. @param toEnd as takeIn. @throws DistillError OUTPUT_FAILED; VERDICTS_INVALID, each time,
   * where there is a line that is no verdict: all others are taken.
   */
  refresh(toEnd = false): void {
    const invalid = this.takeIn(toEnd);
    if (invalid.length === 0) return;
    const lines = invalid.map(({ number, why }) => `${this.#path}:${number}: ${why}`);
    throw new DistillError('VERDICTS_INVALID', lines.join('; '));
  }

  /**
   * As `refresh`, and goes on without lines that are no verdicts. @param toEnd what follows the last line end counts as a line too: for
   * whoever reads once. @returns all such lines that were ever met. @throws DistillError
   * OUTPUT_FAILED; VERDICTS_INVALID where the file has become shorter.
   */
  takeIn(toEnd = false): readonly InvalidLine[] {
    if (!existsSync(this.#path)) return this.#invalid;
    const text = withFile(this.#path, 'r', file => {
      const size = fstatSync(file).size;
      if (size < this.#read)
        throw new DistillError('VERDICTS_INVALID', `${this.#path} has become shorter while it was in use: start again`);
      const bytes = Buffer.alloc(size - this.#read);
      readSync(file, bytes, 0, bytes.length, this.#read);
      // what follows the last line end may still be under way
      return toEnd ? bytes : bytes.subarray(0, bytes.lastIndexOf(0x0a) + 1);
    });
    this.#read += text.length;
    const lines = text.toString('utf8').split('\n');
    if (lines.at(-1) === '') lines.pop();
    for (const line of lines) this.#take(line, ++this.#lines);
    return this.#invalid;
  }

  /** Resolved on disk. @throws DistillError OUTPUT_FAILED; the verdict is then not kept. */
  append(row: VerdictRow): void {
    const line = `${JSON.stringify(rowSchema.parse(row))}\n`;
    const isNew = !existsSync(this.#path);
    if (isNew) makeFolder(this.#path);
    withFile(this.#path, 'a+', file => {
      const bytes = Buffer.from(endsInLine(file) ? line : `\n${line}`);
      if (writeSync(file, bytes) < bytes.length) throw new Error('written in part');
      fsyncSync(file);
    });
    if (isNew) withFile(dirname(this.#path), 'r', fsyncSync);
    // another's line that is no verdict does not undo this one
    this.takeIn();
  }

  #take(line: string, number: number): void {
    if (line.trim() === '') return;
    const value = parse(line);
    if (value === undefined) {
      this.#torn++;
      return;
    }
    const row = rowSchema.safeParse(value);
    if (!row.success) {
      const issue = row.error.issues[0];
      const why = `${issue?.path.join('.') || 'row'}: ${issue?.message ?? 'not a verdict'}`;
      this.#invalid.push({ number, why });
      return;
    }
    this.#rows.push(row.data);
    const key = errorKey(row.data);
    const verdicts = this.#byError.get(key) ?? new Map<string, VerdictRow>();
    this.#byError.set(key, verdicts);
    verdicts.set(row.data.reviewer, row.data);
  }
}

function endsInLine(file: number): boolean {
  const { size } = fstatSync(file);
  if (size === 0) return true;
  const last = Buffer.alloc(1);
  readSync(file, last, 0, 1, size - 1);
  return last[0] === 0x0a;
}

function makeFolder(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (cause) {
    throw unusable(path, cause);
  }
}

function withFile<T>(path: string, flags: 'r' | 'a+', use: (file: number) => T): T {
  try {
    const file = openSync(path, flags);
    try {
      return use(file);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw cause instanceof DistillError ? cause : unusable(path, cause);
  }
}

function unusable(path: string, cause: unknown): DistillError {
  const code = (cause as NodeJS.ErrnoException).code ?? 'written in part';
  return new DistillError('OUTPUT_FAILED', `${path} cannot be read or written (${code})`, { cause });
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
