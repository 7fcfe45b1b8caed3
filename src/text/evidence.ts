/**
 * What the calibrated word probabilities of one task say about one note, in sums: everything that a confidence or a doubt score is made
 * of, gathered in the one pass that decides the words. A probable miss counts as a doubtful finding does, so a note in which nothing
 * was found has evidence too.
 */

export interface Evidence {
  readonly words: number;
  /** Expected number of found words that belong to a mention: E[TP] = Σ p over Inside words. */
  readonly right: number;
  /** Expected number of found words that do not: E[FP] = Σ (1 − p) over Inside words. */
  readonly wrong: number;
  /** Expected number of words that belong to a mention and were not found: E[FN] = Σ p over Outside words. */
  readonly missed: number;
  /** Largest p of an Outside word: the likeliest miss; 0 where there is none. */
  readonly likeliestMiss: number;
  /** log P(no Outside word belongs to a mention), words taken as independent; at most 0. */
  readonly logNothingMissed: number;
  /** log P(every word is decided rightly), words taken as independent; at most 0. */
  readonly logAllRight: number;
  /** Σ H(p) over Inside words, in nats. */
  readonly entropyFound: number;
  /** Σ H(p) over Outside words, in nats. */
  readonly entropyOutside: number;
  /** Words with 0.05 < p < 0.95. */
  readonly doubtful: number;
  readonly spans: number;
  /** Σ of the spans' confidences. */
  readonly spanConfidence: number;
  /** The least confident span; 1 where nothing was found. */
  readonly leastSpan: number;
}

/** Keeps logarithms finite where a probability has reached 0 or 1 in floating point. */
const SMALLEST = 1e-12;
const DOUBTFUL = 0.05;

type Sums = { -readonly [K in keyof Evidence]: Evidence[K] };

export class EvidenceGatherer {
  readonly #sums: Sums = {
    words: 0,
    right: 0,
    wrong: 0,
    missed: 0,
    likeliestMiss: 0,
    logNothingMissed: 0,
    logAllRight: 0,
    entropyFound: 0,
    entropyOutside: 0,
    doubtful: 0,
    spans: 0,
    spanConfidence: 0,
    leastSpan: 1,
  };

  /** @param p calibrated probability that the word belongs to a mention. @param inside what was decided. */
  word(p: number, inside: boolean): void {
    const sums = this.#sums;
    const logIn = Math.log(Math.max(p, SMALLEST));
    const logOut = Math.log1p(-Math.min(p, 1 - SMALLEST));
    const entropy = -p * logIn - (1 - p) * logOut;
    sums.words++;
    if (p > DOUBTFUL && p < 1 - DOUBTFUL) sums.doubtful++;
    if (inside) {
      sums.right += p;
      sums.wrong += 1 - p;
      sums.logAllRight += logIn;
      sums.entropyFound += entropy;
    } else {
      sums.missed += p;
      sums.logNothingMissed += logOut;
      sums.logAllRight += logOut;
      sums.entropyOutside += entropy;
      if (p > sums.likeliestMiss) sums.likeliestMiss = p;
    }
  }

  span(confidence: number): void {
    const sums = this.#sums;
    sums.spans++;
    sums.spanConfidence += confidence;
    if (confidence < sums.leastSpan) sums.leastSpan = confidence;
  }

  evidence(): Evidence {
    return { ...this.#sums };
  }
}

/**
 * E[F1] ≈ 2·E[TP] / (2·E[TP] + E[FP] + E[FN]); where nothing was found, the probability that there is nothing to find. It
 * falls with doubtful findings and with probable misses alike. In [0, 1].
 */
export function expectedF1({ right, wrong, missed, logNothingMissed }: Evidence): number {
  if (right === 0) return Math.exp(logNothingMissed);
  return (2 * right) / (2 * right + wrong + missed);
}
