/** Scores of an annotator that works on offsets, by the words that the model is scored by: same tokenizer, same counts. */
import type { Span, Task } from '../core/span.ts';
import { type Scores, scores, sum } from '../evaluation/counts.ts';
import { tokenCounts } from '../evaluation/token-scores.ts';
import type { TextTokenizer } from '../model/tokenizer.ts';
import { INSIDE, labelWords, toWords } from '../text/words.ts';
import type { CorpusDocument } from './corpus.ts';

export interface AnnotatorMeasure {
  readonly task: Task;
  /** Gold spans of any of these types are wanted. */
  readonly types: readonly string[];
}

export interface AnnotatorOptions {
  readonly tokenizer: TextTokenizer;
  readonly documents: readonly CorpusDocument[];
  readonly annotate: (text: string, task: Task) => readonly Span[];
}

/** Token-level precision, recall and F1. */
export async function measureAnnotator(
  { tokenizer, documents, annotate }: AnnotatorOptions,
  { task, types }: AnnotatorMeasure,
): Promise<Scores> {
  const counts = [];
  for (const { text, entities } of documents) {
    const tokens = await tokenizer.encode(text);
    const words = toWords(tokens, new Float32Array(tokens.ids.length), 1);
    const gold = labelWords(
      words,
      entities.filter(each => types.includes(each.type)),
    );
    const found = labelWords(words, annotate(text, task)).map(label => (label === INSIDE ? 1 : 0));
    counts.push(tokenCounts(gold, found));
  }
  return scores(sum(counts));
}
