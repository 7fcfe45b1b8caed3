/** A distribution known by quantiles: what was measured, ready to draw from. */

export interface Distribution {
  readonly mean: number;
  /** Squared coefficient of variation: variance over the square of the mean. */
  readonly cv2: number;
  /** @param share uniform in [0, 1). */
  at(share: number): number;
}

/**
 * Linear between quantiles.
 * @param quantiles evenly spaced from 0 to 1, rising, at least two. @param mean all values are stretched so that this is the mean.
 */
export function stretched(quantiles: readonly number[], mean: number): Distribution {
  const pieces = quantiles.length - 1;
  if (pieces < 1) throw new RangeError('a distribution needs two quantiles at least');
  let [first, second] = [0, 0];
  for (let i = 0; i < pieces; i++) {
    const [a, b] = [quantiles[i] as number, quantiles[i + 1] as number];
    if (!(a >= 0 && b >= a)) throw new RangeError('quantiles rise and are not negative');
    // moments of a uniform piece
    first += (a + b) / 2 / pieces;
    second += (a * a + a * b + b * b) / 3 / pieces;
  }
  if (!(first > 0)) throw new RangeError('a distribution of nothing but zeros cannot be stretched');
  const scale = mean / first;
  return {
    mean,
    cv2: second / (first * first) - 1,
    at: share => {
      const place = share * pieces;
      const i = Math.min(pieces - 1, Math.floor(place));
      const [a, b] = [quantiles[i] as number, quantiles[i + 1] as number];
      return scale * (a + (place - i) * (b - a));
    },
  };
}

/** Evenly spaced quantiles of a sample, from its least to its largest. @param count at least 2. */
export function quantilesOf(values: Iterable<number>, count: number): number[] {
  const sorted = Float64Array.from(values).sort();
  if (sorted.length === 0) throw new RangeError('a sample of nothing has no quantiles');
  return Array.from({ length: count }, (_, i) => quantileOf(sorted, i / (count - 1)));
}

/** @param sorted rising. @returns NaN of nothing. */
export function quantileOf(sorted: Float64Array, share: number): number {
  if (sorted.length === 0) return Number.NaN;
  const place = share * (sorted.length - 1);
  const low = sorted[Math.floor(place)] as number;
  const high = sorted[Math.ceil(place)] as number;
  return low + (place - Math.floor(place)) * (high - low);
}
