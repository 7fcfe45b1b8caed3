/** Precision, recall and F1 from counts. Counts are kept per document, so that a bootstrap only has to add them up again. */

export interface Counts {
  readonly tp: number;
  readonly fp: number;
  readonly fn: number;
}

export interface Scores {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

export function sum(counts: readonly Counts[]): Counts {
  let [tp, fp, fn] = [0, 0, 0];
  for (const each of counts) {
    tp += each.tp;
    fp += each.fp;
    fn += each.fn;
  }
  return { tp, fp, fn };
}

/** A ratio with nothing below the line is 0: a head that finds nothing has no precision to speak of. */
export function scores({ tp, fp, fn }: Counts): Scores {
  const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);
  return { precision: ratio(tp, tp + fp), recall: ratio(tp, tp + fn), f1: ratio(2 * tp, 2 * tp + fp + fn) };
}
