/**
 * Which of the waiting windows run together next. Pure: it holds no clock and no queue. A batch costs its padded tokens
 * (longest × count), so windows of like length go together; the one that waits longest always goes, so none ever starves.
 */

export interface Sized {
  /** Tokens, special tokens included. */
  readonly length: number;
}

/** Bounds of one batch. */
export interface BatchLimits {
  /** Padded tokens; a longer window runs alone, or it would never leave. */
  readonly tokens: number;
  /** Windows; at least 1. */
  readonly windows: number;
}

/**
 * @param waiting in order of arrival.
 * @returns positions in `waiting` that make the batch, the longest waiting among them; empty only when nothing waits.
 */
export function nextBatch(waiting: readonly Sized[], limits: BatchLimits): number[] {
  if (waiting.length === 0) return [];
  const byLength = waiting.map((_, i) => i).sort((a, b) => lengthAt(a) - lengthAt(b) || a - b);
  function lengthAt(i: number): number {
    return (waiting[i] as Sized).length;
  }
  const oldest = byLength.indexOf(0);
  let low = oldest;
  let high = oldest;
  while (high - low + 1 < limits.windows) {
    const count = high - low + 2;
    const longest = lengthAt(byLength[high] as number);
    const shorter = low > 0 ? lengthAt(byLength[low - 1] as number) : undefined;
    const longer = high + 1 < byLength.length ? lengthAt(byLength[high + 1] as number) : undefined;
    // padding that each neighbour would bring: a shorter one its own, a longer one that of all others
    const wasteShorter =
      shorter === undefined || longest * count > limits.tokens ? Number.POSITIVE_INFINITY : longest - shorter;
    const wasteLonger =
      longer === undefined || longer * count > limits.tokens
        ? Number.POSITIVE_INFINITY
        : (longer - longest) * (count - 1);
    if (wasteShorter === Number.POSITIVE_INFINITY && wasteLonger === Number.POSITIVE_INFINITY) break;
    if (wasteShorter <= wasteLonger) low--;
    else high++;
  }
  return byLength.slice(low, high + 1);
}
