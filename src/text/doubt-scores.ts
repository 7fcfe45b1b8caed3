/**
 * The doubt scores that were compared on dev notes (benchmarks/results/risk-coverage.json): each a function of a note's evidence, larger
 * where the tagger is more likely wrong. Which one serves, and from which value on a task escalates, is data beside the model.
 */
import { type Evidence, expectedF1 } from './evidence.ts';

/**
 * Removing notes from a set with risk r = 1 − F1 = E / (2T + E), for E errors and T right words, lowers r where a note's E − λT is above
 * 0, with λ = 2r / (1 − r) (Dinkelbach, 1967, for ratios). Here for r = 0.05, a token-level F1 of 0.95 on what is kept.
 */
const PRICE_OF_RIGHT_WORD = (2 * 0.05) / (1 - 0.05);

const errors = ({ wrong, missed }: Evidence): number => wrong + missed;
const entropy = ({ entropyFound, entropyOutside }: Evidence): number => entropyFound + entropyOutside;
const perWord = (value: number, { words }: Evidence): number => (words === 0 ? 0 : value / words);

const SCORES = {
  /** The least confident finding; sees no misses. */
  'minimum-span': (e: Evidence) => 1 - e.leastSpan,
  /** Findings on average; sees no misses. */
  'mean-span': (e: Evidence) => (e.spans === 0 ? 0 : 1 - e.spanConfidence / e.spans),
  /** E[FP] + E[FN] in words: favours long notes. */
  'expected-errors': errors,
  'expected-errors-per-word': (e: Evidence) => perWord(errors(e), e),
  /** 1 − expected token-level F1, the complement of the confidence that events carry: favours short notes. */
  'expected-loss': (e: Evidence) => 1 - expectedF1(e),
  /** Geometric mean of the expected errors and of the expected loss of F1. */
  balanced: (e: Evidence) => Math.sqrt(errors(e) * (1 - expectedF1(e))),
  /** Expected errors beyond what the right words beside them pay for; may be below 0. */
  'excess-errors': (e: Evidence) => errors(e) - PRICE_OF_RIGHT_WORD * e.right,
  /** −log P(every word is right). */
  'any-error': (e: Evidence) => 0 - e.logAllRight,
  /** In nats. */
  entropy,
  'entropy-outside': (e: Evidence) => e.entropyOutside,
  'entropy-per-word': (e: Evidence) => perWord(entropy(e), e),
  'likeliest-miss': (e: Evidence) => e.likeliestMiss,
  /** Words whose probability is between 5 and 95 %. */
  'doubtful-words': (e: Evidence) => e.doubtful,
} as const satisfies Record<string, (evidence: Evidence) => number>;

export type DoubtScore = keyof typeof SCORES;

export const DOUBT_SCORES = Object.keys(SCORES) as readonly DoubtScore[];

export function isDoubtScore(name: string): name is DoubtScore {
  return Object.hasOwn(SCORES, name);
}

/** Finite for any evidence; larger is more doubtful. */
export function doubtScore(name: DoubtScore, evidence: Evidence): number {
  return SCORES[name](evidence);
}
