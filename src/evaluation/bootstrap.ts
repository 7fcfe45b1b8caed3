/**
 * Confidence intervals by resampling documents (Efron's percentile bootstrap): words of one document are not independent. A draw in which
 * nothing is to be found has no score, and is left out: counted as 0 it would make two models alike that are not.
 */
import { type Counts, type Scores, scores, sum } from './counts.ts';

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export const RESAMPLES = 1000;

/** 95 % interval of F1 over documents. @param random uniform in [0, 1), seeded by the caller. */
export function f1Interval(documents: readonly Counts[], random: () => number, resamples = RESAMPLES): Interval {
  return percentiles(
    resampled(documents.length, random, resamples, pick => scoresOf(pick.map(i => documents[i] as Counts)).f1),
  );
}

/** 95 % intervals of the three scores over documents, of the same resamples; F1's is that of `f1Interval`. */
export function scoreIntervals(
  documents: readonly Counts[],
  random: () => number,
  resamples = RESAMPLES,
): { readonly precision: Interval; readonly recall: Interval; readonly f1: Interval } {
  const [precision, recall, f1] = intervals(
    documents.length,
    random,
    pick => {
      const found = scoresOf(pick.map(i => documents[i] as Counts));
      return [found.precision, found.recall, found.f1];
    },
    resamples,
  );
  return { precision: precision as Interval, recall: recall as Interval, f1: f1 as Interval };
}

/**
 * Interval of the difference F1(a) − F1(b) on the same documents, drawn together.
 * @param level the share inside, 95 % unless told; at 90 % each end alone is a bound of 95 %.
 */
export function pairedF1Interval(
  a: readonly Counts[],
  b: readonly Counts[],
  random: () => number,
  resamples = RESAMPLES,
  level = 0.95,
): Interval {
  return pairedInterval(a, b, documents => scoresOf(documents).f1, random, resamples, level);
}

/** As pairedF1Interval, of any measure of documents; NaN where a draw has none. */
export function pairedInterval<T>(
  a: readonly T[],
  b: readonly T[],
  measure: (documents: readonly T[]) => number,
  random: () => number,
  resamples = RESAMPLES,
  level = 0.95,
): Interval {
  if (a.length !== b.length) throw new RangeError('paired scores need the same documents');
  const of = (documents: readonly T[], pick: readonly number[]): number => measure(pick.map(i => documents[i] as T));
  return percentiles(
    resampled(a.length, random, resamples, pick => of(a, pick) - of(b, pick)),
    level,
  );
}

/** 95 % intervals of several figures at once. @param measure of documents by number, drawn with replacement; always as many figures. */
export function intervals(
  size: number,
  random: () => number,
  measure: (pick: readonly number[]) => readonly number[],
  resamples = RESAMPLES,
): Interval[] {
  const rows = Array.from({ length: resamples }, () => measure(draw(size, random)));
  return (rows[0] ?? []).map((_, column) => percentiles(rows.map(row => row[column] as number)));
}

/** Not numbers where nothing is to be found. */
function scoresOf(documents: readonly Counts[]): Scores {
  const counts = sum(documents);
  return counts.tp + counts.fn === 0 ? { precision: Number.NaN, recall: Number.NaN, f1: Number.NaN } : scores(counts);
}

function resampled(
  size: number,
  random: () => number,
  times: number,
  measure: (pick: readonly number[]) => number,
): number[] {
  return Array.from({ length: times }, () => measure(draw(size, random)));
}

function draw(size: number, random: () => number): number[] {
  return Array.from({ length: size }, () => Math.floor(random() * size));
}

/** The middle of resampled values, without those that are no number. @param level the share inside. */
export function percentiles(values: readonly number[], level = 0.95): Interval {
  const sorted = values.filter(value => !Number.isNaN(value)).sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  const tail = (1 - level) / 2;
  return { low: at(tail), high: at(1 - tail) };
}

/** A small seeded generator (mulberry32), so that an interval can be computed again to the digit. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
