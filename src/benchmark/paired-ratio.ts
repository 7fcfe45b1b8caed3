/**
 * How one version stands to another in a figure that both were measured in round by round. The two of a round are neighbours in time,
 * so what the machine does meanwhile mostly cancels out of their ratio; the interval is of the median of these ratios.
 */
import { type Interval, percentiles, seeded } from '../evaluation/bootstrap.ts';
import { median } from '../evaluation/median.ts';

export interface PairedRatio {
  /** Median of B / A over the rounds. */
  readonly ratio: number;
  /** Bootstrap interval of it, 95 %, over the rounds; null when they are too few to have one. */
  readonly interval: Interval | null;
  readonly rounds: number;
  readonly finding: Finding;
}

export type Finding = 'more' | 'less' | 'no difference' | 'too few rounds';

/** With fewer, not even all ratios on one side of 1 would be rarer than one time in twenty: 2 · (1/2)⁵ is 6 %. */
export const FEWEST_ROUNDS = 6;
const RESAMPLES = 10_000;
const SEED = 20_261_125;

/** @returns null when a figure is missing in a round, as on a system without /proc. @param pairs one a round. */
export function pairedRatio(pairs: readonly { readonly A: number; readonly B: number }[]): PairedRatio | null {
  const ratios = pairs.map(({ A, B }) => B / A);
  if (ratios.length === 0 || !ratios.every(each => Number.isFinite(each) && each > 0)) return null;
  const interval = ratios.length < FEWEST_ROUNDS ? null : medianInterval(ratios);
  return { ratio: median(ratios), interval, rounds: ratios.length, finding: findingOf(interval) };
}

function findingOf(interval: Interval | null): Finding {
  if (interval === null) return 'too few rounds';
  if (interval.low > 1) return 'more';
  return interval.high < 1 ? 'less' : 'no difference';
}

/** Of the median, 95 %, by resampling the values; the same values always give the same interval. */
function medianInterval(values: readonly number[]): Interval {
  const random = seeded(SEED);
  const draw = (): number => values[Math.floor(random() * values.length)] as number;
  const medians = Array.from({ length: RESAMPLES }, () => median(values.map(draw)));
  return percentiles(medians, expandedLevel(values.length));
}

/**
 * Few values spread less than what they are drawn from, so that the middle 95 % of resamples would hold the truth less often (88 % of
 * the time for seven values). Hesterberg's expanded percentile interval (doi:10.1080/00031305.2015.1089789) takes a
 * larger middle: the share of the normal distribution within √(n / (n − 1)) · t of the n − 1 degrees of freedom. @param size from 2.
 */
export function expandedLevel(size: number): number {
  return 2 * normalShareBelow(Math.sqrt(size / (size - 1)) * studentQuantile(size - 1)) - 1;
}

/** The 97.5 % quantile of Student's t by its expansion (Abramowitz and Stegun 26.7.5); within 0.01 from 4 degrees on. */
function studentQuantile(degrees: number): number {
  const z = 1.959964;
  return (
    z +
    (z ** 3 + z) / (4 * degrees) +
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * degrees ** 2) +
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * degrees ** 3)
  );
}

/** Abramowitz and Stegun 7.1.26, for x from 0. */
function normalShareBelow(x: number): number {
  const t = 1 / (1 + (0.3275911 * x) / Math.SQRT2);
  const series = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return 1 - (series * Math.exp((-x * x) / 2)) / 2;
}
