/**
 * Which of the waiting windows run together next. Pure: it holds no clock and no queue. A batch costs its padded tokens
 * (longest × count), so windows of like length go together; the one that waits longest always goes, so none ever starves.
 */

export interface Sized {
  /** Tokens, special tokens included. */
  readonly length: number;
}

/**
 * @param waiting in order of arrival. @param budget padded tokens of a batch; a longer window runs alone, or it would never leave.
 * @returns positions in `waiting` that make the batch, the longest waiting among them; empty only when nothing waits.
 */
export function nextBatch(waiting: readonly Sized[], budget: number): number[] {
  if (waiting.length === 0) return [];
  const byLength = waiting.map((_, i) => i).sort((a, b) => lengthAt(a) - lengthAt(b) || a - b);
  function lengthAt(i: number): number {
    return (waiting[i] as Sized).length;
  }
  const oldest = byLength.indexOf(0);
  let low = oldest;
  let high = oldest;
  for (;;) {
    const count = high - low + 2;
    const longest = lengthAt(byLength[high] as number);
    const shorter = low > 0 ? lengthAt(byLength[low - 1] as number) : undefined;
    const longer = high + 1 < byLength.length ? lengthAt(byLength[high + 1] as number) : undefined;
    // padding that each neighbour would bring: a shorter one its own, a longer one that of all others
    const wasteShorter =
      shorter === undefined || longest * count > budget ? Number.POSITIVE_INFINITY : longest - shorter;
    const wasteLonger =
      longer === undefined || longer * count > budget ? Number.POSITIVE_INFINITY : (longer - longest) * (count - 1);
    if (wasteShorter === Number.POSITIVE_INFINITY && wasteLonger === Number.POSITIVE_INFINITY) break;
    if (wasteShorter <= wasteLonger) low--;
    else high++;
  }
  return byLength.slice(low, high + 1);
}
