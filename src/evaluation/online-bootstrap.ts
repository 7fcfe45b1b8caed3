/**
 * A bootstrap over a stream without an end: instead of drawing documents again, each document enters resample r so many times as a
 * Poisson(1) number says, when it comes by (Hanley and MacGibbon, 2006; Chamandy et al., 2012). What is kept has the size of the
 * resamples, not of the stream. A document's numbers depend on its seed alone, so counting may stop, go on, and change its order.
 */
import { type Interval, percentiles, RESAMPLES, seeded } from './bootstrap.ts';

/** How often a document enters each resample. @param seed of the document. */
export function poissonWeights(seed: number, resamples = RESAMPLES): Uint8Array {
  const random = seeded(seed);
  return Uint8Array.from({ length: resamples }, () => poisson(random()));
}

/** P(X ≤ k) of Poisson(1); the one in twelve thousand beyond the last counts as the next. */
const CUMULATIVE = [0.367879441, 0.735758882, 0.919698603, 0.981011843, 0.996340153, 0.999405815, 0.999916759];

function poisson(uniform: number): number {
  const found = CUMULATIVE.findIndex(below => uniform < below);
  return found === -1 ? CUMULATIVE.length : found;
}

/** 95 % of a figure over its resamples, those left out in which it has no value; null where it has none in any. */
export function onlineInterval(values: readonly (number | null)[]): Interval | null {
  const known = values.filter(value => value !== null);
  return known.length === 0 ? null : percentiles(known);
}
