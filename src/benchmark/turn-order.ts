/** In which order versions, rivals or modes take turns, so that a machine that warms up or slows down favours none of them. */

export type Side = 'A' | 'B';
export const SIDES = ['A', 'B'] as const satisfies readonly Side[];

/**
 * Round by round: forth and back, then the same from the next one on; of two, AB BA BA AB. Over every two rounds all have the same place on
 * average, so that a steady drift cancels out; over twice as many as there are of them, each has every place twice.
 */
export function turnOrder<T>(all: readonly T[], rounds: number): T[][] {
  return Array.from({ length: rounds }, (_, round) => {
    const first = Math.floor(round / 2) % all.length;
    const forth = [...all.slice(first), ...all.slice(0, first)];
    return round % 2 === 0 ? forth : forth.reverse();
  });
}
