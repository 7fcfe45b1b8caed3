/** How far two annotators of the same items agree, neither of them being the truth: F1 of one against the other, and Cohen's kappa. */
import { INSIDE, MISSING } from '../text/words.ts';

/** Items by who marked them. */
export interface Agreement {
  readonly both: number;
  readonly onlyFirst: number;
  readonly onlySecond: number;
  readonly neither: number;
}

/** @param first OUTSIDE, INSIDE or MISSING for each word, as is `second`; a word that is missing in either counts nowhere. */
export function wordAgreement(first: Uint8Array, second: Uint8Array): Agreement {
  let [both, onlyFirst, onlySecond, neither] = [0, 0, 0, 0];
  for (let i = 0; i < first.length; i++) {
    if (first[i] === MISSING || second[i] === MISSING) continue;
    const [one, other] = [first[i] === INSIDE, second[i] === INSIDE];
    if (one && other) both++;
    else if (one) onlyFirst++;
    else if (other) onlySecond++;
    else neither++;
  }
  return { both, onlyFirst, onlySecond, neither };
}

/** The same whichever of the two is taken for the truth; null where neither marked anything. */
export function agreementF1({ both, onlyFirst, onlySecond }: Omit<Agreement, 'neither'>): number | null {
  const marked = 2 * both + onlyFirst + onlySecond;
  return marked === 0 ? null : (2 * both) / marked;
}

/** Cohen, 1960: agreement beyond chance; null where chance alone would agree on everything, or on nothing at all. */
export function cohensKappa({ both, onlyFirst, onlySecond, neither }: Agreement): number | null {
  const all = both + onlyFirst + onlySecond + neither;
  if (all === 0) return null;
  const observed = (both + neither) / all;
  const [first, second] = [(both + onlyFirst) / all, (both + onlySecond) / all];
  const expected = first * second + (1 - first) * (1 - second);
  return expected === 1 ? null : (observed - expected) / (1 - expected);
}
