/** What a candidate must pass before it serves: each gate is a verdict from numbers, and says in one line what it saw. Pure. */

import { pairedF1Interval, pairedInterval, seeded } from '../evaluation/bootstrap.ts';
import { type Counts, scores, sum } from '../evaluation/counts.ts';
import { median } from '../evaluation/median.ts';
import type { Calibration } from './calibrate.ts';
import { baseRateLoss, type Loss, meanLoss } from './likelihood.ts';

export interface Verdict {
  readonly gate: 'f1' | 'calibration' | 'likelihood' | 'speed' | 'size' | 'routing' | 'data' | 'leakage';
  readonly task?: string;
  readonly passed: boolean;
  readonly says: string;
  /** What the verdict was made of: numbers, ids and hashes, never text. */
  readonly figures: Readonly<Record<string, unknown>>;
}

export interface Limits {
  /** Least token F1 of a task that no serving model has. */
  readonly f1: number;
  /** Tasks may serve that the gold documents say nothing about. */
  readonly allowUnjudged: boolean;
  /** Largest expected calibration error of a task. */
  readonly ece: number;
  /** Least tokens/s, over those of the model that serves. */
  readonly speed: number;
  /** Of all files of the model together. */
  readonly bytes: number;
  /** Share of a document's shingles in what trained the candidate, from which on it counts as trained on. */
  readonly leak: number;
  /** The corpus directory may lack, or hold changed, files that trained the candidate. */
  readonly allowOtherData: boolean;
}

export const SEED = 1;
/** Both ends outside: so each end alone is a bound of 95 %. */
const LEVEL = 0.9;
const ALONE = 'no serving model: absolute only';
const ALONE_IN_TASK = 'no serving model has the task: absolute only';

/**
 * Refuses what is credibly worse: where even the upper 95 % bound of F1(candidate) − F1(serving), over the same documents, is below 0.
 * @param candidate, serving token counts of each document; undefined where the model has no head for the task, or nothing was counted.
 * @param least F1 where there is no serving model to compare with.
 */
export function f1Gate(
  task: string,
  candidate: readonly Counts[] | undefined,
  serving: readonly Counts[] | undefined,
  least: number,
): Verdict {
  const f1Of = (counts: readonly Counts[]): number => scores(sum(counts)).f1;
  const before = serving === undefined ? null : f1Of(serving);
  if (candidate === undefined) {
    const has = before === null ? 'the serving model has one' : `the serving model has F1 ${digits(before)}`;
    const says = `the candidate has no head for it; ${has}`;
    return { gate: 'f1', task, passed: false, says, figures: { candidate: null, serving: before } };
  }
  const f1 = f1Of(candidate);
  const documents = candidate.length;
  if (serving === undefined || before === null) {
    const says = `token F1 ${digits(f1)}, at least ${least}, on ${documents} documents (${ALONE_IN_TASK})`;
    return { gate: 'f1', task, passed: f1 >= least, says, figures: { candidate: f1, serving: null, least, documents } };
  }
  const { high } = pairedF1Interval(candidate, serving, seeded(SEED), undefined, LEVEL);
  const passed = high >= 0;
  const worse = passed ? 'not credibly worse' : 'worse beyond chance';
  const says = `token F1 ${digits(f1)}, serving ${digits(before)}: ${worse} (95 % bound of the difference ${signed(high)}, ${documents} documents)`;
  return { gate: 'f1', task, passed, says, figures: { candidate: f1, serving: before, upperBound: high, documents } };
}

/** A task that the gold documents say nothing about: it would serve whatever it finds. */
export function unjudged(task: string, allowed: boolean): Verdict {
  const otherwise = allowed ? ' (allowed by --allow-unjudged)' : ', and --allow-unjudged is not given';
  const says = `not judged: no --task names its gold types${otherwise}`;
  return { gate: 'f1', task, passed: allowed, says, figures: { allowed } };
}

export function calibrationGate({ task, ece, words }: Calibration, limit: number): Verdict {
  const passed = ece <= limit;
  const says = `ECE ${ece.toFixed(4)}, limit ${limit}`;
  return { gate: 'calibration', task, passed, says, figures: { ece, limit, words } };
}

/**
 * Refuses probabilities that are credibly worse: where even the lower 95 % bound of NLL(candidate) − NLL(serving), a word, is above 0. The
 * expected calibration error hardly sees them, since nearly all words are surely Outside. Alone, a model must beat the bare base rate.
 * @param candidate, serving of each document, on the same words; serving undefined where no serving model has the task.
 */
export function likelihoodGate(
  task: string,
  candidate: readonly Loss[],
  serving: readonly Loss[] | undefined,
): Verdict {
  const nll = meanLoss(candidate);
  const figures = { candidate: nll, documents: candidate.length };
  if (serving === undefined) {
    const baseRate = baseRateLoss(candidate);
    const says = `NLL ${nll.toFixed(4)} nats a word, at most that of the base rate, ${baseRate.toFixed(4)} (${ALONE_IN_TASK})`;
    return {
      gate: 'likelihood',
      task,
      passed: nll <= baseRate,
      says,
      figures: { ...figures, serving: null, baseRate },
    };
  }
  const before = meanLoss(serving);
  const some = (losses: readonly Loss[]): Loss[] => losses.filter(each => each.words > 0);
  const { low } = pairedInterval(some(candidate), some(serving), meanLoss, seeded(SEED), undefined, LEVEL);
  // where one is not a number, the order of resamples is none
  const passed = Number.isFinite(nll - before) && low <= 0;
  const worse = passed ? 'not credibly worse' : 'worse beyond chance';
  const says = `NLL ${nll.toFixed(4)} nats a word, serving ${before.toFixed(4)}: ${worse} (95 % bound of the difference ${signed(low, 4)}, ${candidate.length} documents)`;
  return { gate: 'likelihood', task, passed, says, figures: { ...figures, serving: before, lowerBound: low } };
}

/** Seconds that each model took for the same documents, and their tokens by one tokenizer. */
export interface Round {
  readonly tokens: number;
  readonly candidateSeconds: number;
  readonly servingSeconds: number | null;
}

export function speedGate(rounds: readonly Round[], least: number): Verdict {
  const candidate = median(rounds.map(each => each.tokens / each.candidateSeconds));
  const ratios = rounds.flatMap(each =>
    each.servingSeconds === null ? [] : each.servingSeconds / each.candidateSeconds,
  );
  if (ratios.length === 0) {
    const says = `${Math.round(candidate)} tokens/s (${ALONE})`;
    return { gate: 'speed', passed: true, says, figures: { candidate, serving: null, rounds: rounds.length } };
  }
  const serving = median(rounds.map(each => each.tokens / (each.servingSeconds ?? Number.NaN)));
  const ratio = median(ratios);
  const says = `${Math.round(candidate)} tokens/s, serving ${Math.round(serving)}: ratio ${ratio.toFixed(2)}, at least ${least} (median of ${ratios.length} rounds in turns)`;
  return { gate: 'speed', passed: ratio >= least, says, figures: { candidate, serving, ratio, least, ratios } };
}

export function sizeGate(bytes: number, limit: number): Verdict {
  const says = `${megabytes(bytes)} MB, limit ${megabytes(limit)} MB`;
  return { gate: 'size', passed: bytes <= limit, says, figures: { bytes, limit } };
}

/** The escalation rates that thresholds were measured for, by task, rising. */
export type MeasuredRates = ReadonlyMap<string, readonly number[]>;

/** A model escalates by no rate outside of those measured for the task, and a worker that is told to would not start. */
export function routingGate(candidate: MeasuredRates | null, serving: MeasuredRates | null): Verdict {
  const had = [...(serving ?? [])];
  const lost = had.filter(([task]) => candidate?.has(task) !== true).map(([task]) => task);
  const narrower = had.flatMap(([task, before]) => {
    const now = candidate?.get(task);
    return now === undefined || covers(now, before)
      ? []
      : `${task} for rates of ${range(now)}, not of ${range(before)}`;
  });
  const failures = [
    ...(lost.length === 0 ? [] : [`and the serving model has them for ${lost.join(', ')}`]),
    ...(narrower.length === 0 ? [] : [`and, unlike the serving model's, those of ${narrower.join(', of ')}`]),
  ];
  const has = candidate === null ? 'no routing.json' : `escalation thresholds for ${[...candidate.keys()].join(', ')}`;
  const measure = "measure them with 'clinstream distill doubt --corpus CORPUS --model CANDIDATE --write'";
  const onMore = narrower.length === 0 ? '' : ', on so many dev notes that the least rate is one of them';
  return {
    gate: 'routing',
    passed: failures.length === 0,
    says: failures.length === 0 ? has : `${[has, ...failures].join(', ')}: ${measure}${onMore}`,
    figures: { candidate: rangesOf(candidate), serving: rangesOf(serving) },
  };
}

function covers(rates: readonly number[], others: readonly number[]): boolean {
  return Math.min(...rates) <= Math.min(...others) && Math.max(...rates) >= Math.max(...others);
}

function range(rates: readonly number[]): string {
  return `${Math.min(...rates)} to ${Math.max(...rates)}`;
}

function rangesOf(measured: MeasuredRates | null): Record<string, readonly number[]> | null {
  if (measured === null) return null;
  return Object.fromEntries(Array.from(measured, ([task, rates]) => [task, [Math.min(...rates), Math.max(...rates)]]));
}

export function lineOf({ gate, task, passed, says }: Verdict): string {
  return `${passed ? 'pass' : 'FAIL'}  ${task === undefined ? gate : `${gate} ${task}`}: ${says}`;
}

export function nameOf({ gate, task }: Verdict): string {
  return task === undefined ? gate : `${gate} ${task}`;
}

function digits(value: number): string {
  return value.toFixed(3).replace(/^0/, '');
}

function signed(value: number, places = 3): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(places).replace(/^0/, '')}`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
