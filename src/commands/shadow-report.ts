/**
 * The report file of a shadow: figures to read, and the sums and offsets that the next process goes on from. It is written whole before
 * the group's offset moves, so the file is never behind the group, and what it holds already is passed over when it comes again.
 */
import { existsSync, type Stats, statSync } from 'node:fs';
import { z } from 'zod';
import { DistillError } from '../distill/distill-error.ts';
import { readJson } from '../distill/json-file.ts';
import { rounded } from '../distill/rounded.ts';
import type { ShadowLedger } from '../distill/shadow/ledger.ts';
import { figuresOf } from '../distill/shadow/report.ts';
import { type ShadowState, stateSchema } from '../distill/shadow/state.ts';
import { writeWhole } from '../distill/write-whole.ts';

const model = z.strictObject({ name: z.string(), version: z.string(), sha256: z.string() });

/** What must be the same for counting to go on. */
const subject = z.strictObject({
  serving: model,
  candidate: model,
  transport: z.enum(['embedded', 'kafka']),
  topic: z.string(),
  /** Which doubts escalate, by task. */
  rules: z.record(z.string(), z.unknown()),
});

const schema = z.object({
  kind: z.literal('clinstream.shadow'),
  format: z.literal(1),
  ...subject.shape,
  group: z.string().regex(/-shadow-[0-9a-f]{12}-[0-9a-f]{8}$/),
  from: z.enum(['beginning', 'end']),
  /** ISO 8601. */
  began: z.string(),
  /** Processes that counted. */
  starts: z.int().min(1),
  state: stateSchema,
});

export type ShadowSubject = z.output<typeof subject>;
export interface ShadowOrigin extends ShadowSubject {
  readonly group: string;
  readonly from: 'beginning' | 'end';
  readonly began: string;
  readonly starts: number;
}

export interface FoundReport {
  readonly origin: ShadowOrigin;
  readonly state: ShadowState;
}

/** @returns undefined where there is none. @throws DistillError SHADOW_REPORT_INVALID, SHADOW_REPORT_MISMATCH */
export function readShadowReport(path: string, wanted: ShadowSubject): FoundReport | undefined {
  if (!existsSync(path)) return undefined;
  const parsed = schema.safeParse(readJson(path));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = issue === undefined || issue.path.length === 0 ? 'it' : issue.path.join('.');
    throw new DistillError(
      'SHADOW_REPORT_INVALID',
      `${path} is no report of a shadow that counting could go on from (${where}: ${issue?.message}): name another with --report`,
    );
  }
  const { state, group, from, began, starts, ...rest } = parsed.data;
  for (const key of Object.keys(subject.shape) as (keyof ShadowSubject)[]) {
    if (JSON.stringify(rest[key]) === JSON.stringify(wanted[key])) continue;
    throw new DistillError(
      'SHADOW_REPORT_MISMATCH',
      `${path} is about another ${key}: counting cannot go on in it, so name another with --report`,
      { details: { key } },
    );
  }
  return { origin: { ...wanted, group, from, began, starts }, state };
}

export class ShadowReportFile {
  readonly #path: string;
  readonly #about: ShadowOrigin & Readonly<Record<string, unknown>>;
  readonly #now: () => number;
  #mine: Stats | undefined;

  /** @param about stands at the head of the report. @param now milliseconds since the Unix epoch. */
  constructor(path: string, about: ShadowOrigin & Readonly<Record<string, unknown>>, now: () => number) {
    this.#path = path;
    this.#about = about;
    this.#now = now;
    this.#mine = statSync(path, { throwIfNoEntry: false });
  }

  /** On the disk when it returns. @throws DistillError OUTPUT_FAILED; SHADOW_REPORT_TAKEN when another process wrote the file. */
  write(ledger: ShadowLedger): void {
    const there = statSync(this.#path, { throwIfNoEntry: false });
    if (there !== undefined && (there.ino !== this.#mine?.ino || there.mtimeMs !== this.#mine.mtimeMs)) {
      throw new DistillError(
        'SHADOW_REPORT_TAKEN',
        `${this.#path} was changed by another process: one shadow writes a report, so stop the other or name another with --report`,
      );
    }
    const figures = JSON.parse(JSON.stringify(figuresOf(ledger), rounded)) as object;
    const report = {
      ...{ kind: 'clinstream.shadow', format: 1, ...this.#about },
      updated: new Date(this.#now()).toISOString(),
      ...figures,
      state: ledger.state(),
    };
    writeWhole(this.#path, `${JSON.stringify(report, null, 1)}\n`);
    this.#mine = statSync(this.#path);
  }
}
