/** `distill review`: the error browser until interrupted, or with --summary what the review has come to. */
import { join, resolve } from 'node:path';
import { type Config, ConfigError } from '../config.ts';
import type { Split } from '../distill/corpus.ts';
import { openReview, servedMeasuresOf } from '../distill/review/review.ts';
import { summariseReview } from '../distill/review/summary.ts';
import { renderSummary } from '../distill/review/summary-text.ts';
import { VerdictLog } from '../distill/review/verdicts.ts';
import { rounded } from '../distill/rounded.ts';
import { type Measure, TEST_SETS } from '../distill/test-sets.ts';
import { writeWhole } from '../distill/write-whole.ts';
import { loadServing } from '../model/store.ts';
import { type Io, write } from './io.ts';
import { currentCommit } from './provenance.ts';
import { startReviewServer } from './review/server.ts';
import { aborted, onInterrupt } from './signals.ts';

export interface ReviewFlags {
  readonly corpus: string;
  readonly file: string;
  readonly split: Split;
  readonly verdicts: string;
  readonly port: number;
  readonly reviewer?: string;
  /** Gold types that stand for a task, for a file that `distill evaluate` does not know. */
  readonly task?: ReadonlyMap<string, readonly string[]>;
  readonly summary?: boolean;
  readonly json?: string;
}

export async function distillReview(config: Config, options: ReviewFlags, io: Io): Promise<void> {
  const corpusDirectory = resolve(options.corpus);
  const { file, split } = options;
  check(options);
  const model = loadServing(config.model);
  const measures = measuresOf(
    options,
    model.heads.map(each => each.task),
  );
  // a file that cannot be read or written is better known before the minutes of work
  const log = new VerdictLog(resolve(options.verdicts));
  if (options.summary === true) log.refresh(true);
  const { workers } = config.inference;
  const progress = (line: string): void => void io.stderr.write(`${line}\n`);
  const review = await openReview(model, { corpusDirectory, file, split, measures, workers, progress });
  if (log.torn > 0) progress(`review: ${log.torn} half-written lines in the verdicts file are left out`);
  if (options.summary === true) {
    const summary = summariseReview(review, log);
    if (options.json !== undefined)
      writeWhole(resolve(options.json), `${JSON.stringify({ commit: currentCommit(), ...summary }, rounded, 1)}\n`);
    await write(io.stdout, renderSummary(summary));
    return;
  }
  const interrupt = onInterrupt();
  const server = await startReviewServer({
    review,
    log,
    port: options.port,
    reviewer: options.reviewer ?? '',
    now: io.now,
    failed: code => progress(`review: ${code}`),
  });
  progress(`review: ${review.errors.length} errors to review at ${server.url} (Ctrl-C ends; what is saved stays)`);
  await aborted(interrupt.signal);
  await server.stop();
  interrupt.dispose();
}

function check({ corpus, file, verdicts, json, summary }: ReviewFlags): void {
  const gold = join(resolve(corpus), file);
  const [log, figures] = [resolve(verdicts), json === undefined ? undefined : resolve(json)];
  if (log === gold) throw refused(`--verdicts: ${verdicts} is the gold file, and would be added to`);
  if (figures === undefined) return;
  if (summary !== true) throw refused('--json is of the summary: say --summary too');
  if (figures === gold || figures === log) throw refused(`--json: ${json} is read, and would be replaced`);
}

/** What is measured on a file, by its types: those said, or those that are known of it. @throws ConfigError */
export function measuresOf(
  { file, task: types }: Pick<ReviewFlags, 'file' | 'task'>,
  heads: readonly string[],
): readonly Measure[] {
  if (types === undefined) {
    const known = TEST_SETS.map(each => each.file).join(', ');
    const measures = servedMeasuresOf(file);
    if (measures === undefined)
      throw refused(`--file: ${file} is none of ${known}: say with --task TASK=TYPES what its types stand for`);
    return measures;
  }
  const unknown = [...types.keys()].find(each => !heads.includes(each));
  if (unknown !== undefined) throw refused(`--task: the model has no ${unknown}, only ${heads.join(', ')}`);
  return Array.from(types, ([task, own]) => ({ label: task, types: own, channels: [{ task }] }));
}

function refused(what: string): ConfigError {
  return new ConfigError('CONFIG_INVALID', what);
}
