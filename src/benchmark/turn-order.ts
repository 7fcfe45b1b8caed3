/** In which order versions or rivals take turns, so that a machine that warms up or slows down favours none of them. */

export type Side = 'A' | 'B';
export const SIDES = ['A', 'B'] as const satisfies readonly Side[];

/** AB BA BA AB, and so on: neither is ever first more than once more than the other, and a steady drift cancels out. */
export function turnOrder(rounds: number): (readonly [Side, Side])[] {
  return Array.from({ length: rounds }, (_, round) => (round % 4 === 1 || round % 4 === 2 ? ['B', 'A'] : ['A', 'B']));
}

/**
 * Of more than two: forth in an even round and back in the next, then the same from another one on.
 * @param round from 0. Over every two rounds all have the same place on average; over twice as many as there are of them, each has every
 * place twice.
 */
export function fieldOrder<T>(all: readonly T[], round: number): T[] {
  const first = Math.floor(round / 2) % all.length;
  const forth = [...all.slice(first), ...all.slice(0, first)];
  return round % 2 === 0 ? forth : forth.reverse();
}
