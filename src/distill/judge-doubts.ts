/** What the tagger thought of each note and how wrong it was there: evidence beside counts, by the decisions that serve. */
import type { Task } from '../core/span.ts';
import type { Head } from '../core/tokens.ts';
import type { Counts } from '../evaluation/counts.ts';
import type { JudgedNote } from '../evaluation/risk-coverage.ts';
import { tokenCounts } from '../evaluation/token-scores.ts';
import { CodePointIndex } from '../text/code-points.ts';
import { decodeEntities, probabilities } from '../text/decode.ts';
import { type DoubtScore, doubtScore } from '../text/doubt-scores.ts';
import type { Evidence } from '../text/evidence.ts';
import { labelWords } from '../text/words.ts';
import type { ScoredDocument } from './score-documents.ts';

export interface WeighedNote {
  readonly evidence: Evidence;
  /** Token-level: a word that a gold span cuts counts nowhere. */
  readonly counts: Counts;
  readonly words: number;
}

export function weigh(
  { document, words }: ScoredDocument,
  heads: readonly Head[],
  { task, types }: { readonly task: Task; readonly types: readonly string[] },
): WeighedNote {
  const h = heads.findIndex(head => head.task === task);
  const head = heads[h];
  const judged = decodeEntities(new CodePointIndex(document.text), words, heads).tasks[h];
  if (head === undefined || judged === undefined) throw new RangeError(`the model has no head ${task}`);
  const gold = labelWords(
    words,
    document.entities.filter(each => types.includes(each.type)),
  );
  const found = Uint8Array.from(probabilities(words, heads, h), p => (p >= head.threshold ? 1 : 0));
  return { evidence: judged.evidence, counts: tokenCounts(gold, found), words: words.count };
}

export function judgedBy(score: DoubtScore, notes: readonly WeighedNote[]): JudgedNote[] {
  return notes.map(({ evidence, counts, words }) => ({ doubt: doubtScore(score, evidence), counts, words }));
}
