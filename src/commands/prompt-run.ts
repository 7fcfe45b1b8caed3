/** The folder of one prompt version's run: what was asked by whom about what, what came, and what it cost and was worth. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ConfigError } from '../config.ts';
import type { Task } from '../core/span.ts';
import type { Annotations } from '../distill/annotate.ts';
import type { CorpusDocument } from '../distill/corpus.ts';
import { readJson } from '../distill/json-file.ts';
import { rounded } from '../distill/rounded.ts';
import { writeWhole } from '../distill/write-whole.ts';
import type { GuidelineText } from '../teachers/guideline-text.ts';
import { instructionsFor } from '../teachers/prompts.ts';
import type { AskedTeacher } from './asked-teacher.ts';

/** Notes stand in it. */
const OWNER = 0o600;

/** What must be the same for a run to be written over the one before. */
export interface RunSubject {
  readonly version: string;
  readonly teacher: string;
  readonly file: string;
  readonly split: string;
  readonly tasks: readonly Task[];
  /** By task, of all that is asked around a text: guidelines, frame, schema, sampling and whom. */
  readonly prompts: Readonly<Record<Task, string>>;
  /** Who was asked, by task. */
  readonly models: Readonly<Record<Task, string>>;
}

/** @throws ConfigError where the folder is of something else. */
export function requireSameRun(out: string, subject: RunSubject): void {
  const path = join(out, subject.version, 'run.json');
  if (!existsSync(path)) return;
  const before = z.record(z.string(), z.unknown()).safeParse(readJson(path));
  if (!before.success) {
    const what = `--out: ${path} is no run of 'distill prompts': move it away, or give the comparison another folder`;
    throw new ConfigError('CONFIG_INVALID', what);
  }
  const differing = Object.entries(subject).find(
    ([key, value]) => JSON.stringify(before.data[key]) !== JSON.stringify(value),
  )?.[0];
  if (differing === undefined) return;
  throw new ConfigError(
    'CONFIG_INVALID',
    `--prompt ${subject.version}: ${path} is of other ${differing}: give the version another name, or the comparison another folder`,
    { details: { key: differing } },
  );
}

/** What a version's answers used, also those of earlier runs: kept replies say it. */
export interface Usage {
  /** Documents about which everything was answered. */
  readonly documents: number;
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly usd: number;
  /** US dollars. */
  readonly usdANote: number;
  /** Replies that could not be used, by code. */
  readonly unusable: Readonly<Record<string, number>>;
}

export function usageOf(asked: AskedTeacher, documents: readonly CorpusDocument[]): Usage {
  const answered = documents.map(each => asked.answered(each) ?? []).filter(replies => replies.length > 0);
  const replies = answered.flat();
  const total = (of: 'inputTokens' | 'outputTokens' | 'usd'): number =>
    replies.reduce((sum, { usage }) => sum + usage[of], 0);
  const unusable: Record<string, number> = {};
  for (const { code } of replies) if (code !== null) unusable[code] = (unusable[code] ?? 0) + 1;
  return {
    documents: answered.length,
    requests: replies.length,
    inputTokens: total('inputTokens'),
    outputTokens: total('outputTokens'),
    usd: total('usd'),
    usdANote: answered.length === 0 ? 0 : total('usd') / answered.length,
    unusable,
  };
}

/** Every file whole, the report last. @param about what the report says beside `subject`. @throws DistillError OUTPUT_FAILED */
export function writePromptRun(
  out: string,
  subject: RunSubject,
  { guidelines, annotations, about }: { guidelines: GuidelineText | null; annotations: Annotations; about: object },
): void {
  const { labelled, undecided, left } = annotations;
  const folder = join(out, subject.version);
  for (const task of subject.tasks)
    writeWhole(join(folder, 'prompt', `${task}.txt`), `${instructionsFor(task, guidelines ?? undefined)}\n`);
  if (guidelines !== null) writeWhole(join(folder, 'guidelines.md'), guidelines.text);
  writeWhole(join(folder, 'labels.jsonl'), labelled.map(each => `${JSON.stringify(each)}\n`).join(''), OWNER);
  const report = {
    ...subject,
    guidelines: guidelines === null ? BUILT_IN : { sha256: guidelines.sha256 },
    ...about,
    ...{ labelled: labelled.length, undecided, left },
  };
  writeWhole(join(folder, 'run.json'), `${JSON.stringify(report, roundedButMoney, 1)}\n`, OWNER);
}

/** The version whose guidelines are the program's own. */
export const BUILT_IN = 'built-in';

/** A note may cost far below a hundred-thousandth of a dollar. */
export function roundedButMoney(key: string, value: unknown): unknown {
  return key.startsWith('usd') && typeof value === 'number' ? Number(value.toPrecision(6)) : rounded(key, value);
}
