/** In which order two versions take turns, so that a machine that warms up or slows down favours neither. */

export type Side = 'A' | 'B';
export const SIDES = ['A', 'B'] as const satisfies readonly Side[];

/** AB BA BA AB, and so on: neither is ever first more than once more than the other, and a steady drift cancels out. */
export function turnOrder(rounds: number): (readonly [Side, Side])[] {
  return Array.from({ length: rounds }, (_, round) => (round % 4 === 1 || round % 4 === 2 ? ['B', 'A'] : ['A', 'B']));
}
