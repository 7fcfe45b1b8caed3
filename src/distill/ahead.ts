/** Whether one way of labelling is ahead of another on the same documents, beyond what the choice of documents explains. */
import { type Interval, pairedF1Interval, seeded } from '../evaluation/bootstrap.ts';
import type { Counts } from '../evaluation/counts.ts';

/** Every interval is of the same resamples. */
export const SEED = 1;

export interface Ahead {
  /** 95 % of F1(best) − F1(other), over the same documents. */
  readonly difference: Interval;
  readonly beyondChance: boolean;
}

/** @param best a document each, as are those of `other`. */
export function ahead(best: readonly Counts[], other: readonly Counts[]): Ahead {
  const difference = pairedF1Interval(best, other, seeded(SEED));
  return { difference, beyondChance: difference.low > 0 };
}
