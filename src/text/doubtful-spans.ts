/** Where in a note a task's expected errors come from: doubtful findings and probable misses, the largest first. */
import type { Span } from '../core/span.ts';
import type { Head } from '../core/tokens.ts';
import type { CodePointIndex } from './code-points.ts';
import { probabilities } from './decode.ts';
import { type Run, runsOf } from './runs.ts';
import type { Words } from './words.ts';

export interface DoubtfulSpan extends Span {
  /** `found`: decided to be a mention, or part of one. `missed`: decided to be none. */
  readonly decided: 'found' | 'missed';
  readonly text: string;
  /** Mean calibrated probability that its words belong to a mention. */
  readonly probability: number;
  /** Words expected to be wrong: Σ (1 − p) of a finding, Σ p of a miss. */
  readonly expectedErrors: number;
}

/** Words that are less likely to belong to a mention are not worth a reader's time one by one. */
const WORTH_SHOWING = 0.01;

/**
 * For head `h`. Runs of found words and runs of words not found with a probability of at least 1 %, each on one line. Their expected errors
 * add up to the note's, but for the surely outside words.
 */
export function doubtfulSpans(
  index: CodePointIndex,
  words: Words,
  heads: readonly Head[],
  h: number,
): readonly DoubtfulSpan[] {
  const p = probabilities(words, heads, h);
  const threshold = heads[h]?.threshold ?? 1;
  const at = (i: number): number => p[i] as number;
  const describe = ({ first, last }: Run, decided: DoubtfulSpan['decided']): DoubtfulSpan => {
    let sum = 0;
    for (let i = first; i < last; i++) sum += at(i);
    const start = words.starts[first] as number;
    const end = words.ends[last - 1] as number;
    const expectedErrors = decided === 'found' ? last - first - sum : sum;
    return { decided, start, end, text: index.slice(start, end), probability: sum / (last - first), expectedErrors };
  };
  const found = runsOf(index, words, i => at(i) >= threshold).map(run => describe(run, 'found'));
  const missed = runsOf(index, words, i => at(i) < threshold && at(i) >= WORTH_SHOWING).map(run =>
    describe(run, 'missed'),
  );
  return [...found, ...missed].sort((a, b) => b.expectedErrors - a.expectedErrors || a.start - b.start);
}
