/** Token-level scores, the measure of Vedula et al. (arXiv 2501.00031): each word counts by itself, whatever span it is in. */
import { INSIDE, MISSING } from '../text/words.ts';
import type { Counts } from './counts.ts';

/** @param gold OUTSIDE, INSIDE or MISSING for each word; a missing word counts nowhere. @param found 1 for Inside. */
export function tokenCounts(gold: Uint8Array, found: Uint8Array): Counts {
  let [tp, fp, fn] = [0, 0, 0];
  for (let i = 0; i < gold.length; i++) {
    if (gold[i] === MISSING) continue;
    const inside = gold[i] === INSIDE;
    if (found[i] === 1) {
      if (inside) tp++;
      else fp++;
    } else if (inside) fn++;
  }
  return { tp, fp, fn };
}
