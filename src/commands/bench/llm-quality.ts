/** Token-level scores of what readers found in the same documents, word by word of the tagger's own words. */
import type { TaskQuality } from '../../benchmark/llm-comparison.ts';
import type { Span, Task } from '../../core/span.ts';
import { wordsOf } from '../../distill/annotators.ts';
import type { CorpusDocument } from '../../distill/corpus.ts';
import { f1Interval, seeded } from '../../evaluation/bootstrap.ts';
import { type Counts, scores, sum } from '../../evaluation/counts.ts';
import { tokenCounts } from '../../evaluation/token-scores.ts';
import type { TextTokenizer } from '../../model/tokenizer.ts';
import { INSIDE, labelWords, type Words } from '../../text/words.ts';

/** What a reader found: spans of each task by document; a document without an entry was not read. */
export type Findings = ReadonlyMap<string, ReadonlyMap<Task, readonly Span[]>>;

const SEED = 1;

export class GoldScorer {
  readonly tasks: readonly Task[];
  readonly #documents: readonly { readonly document: CorpusDocument; readonly words: Words }[];

  private constructor(documents: readonly { document: CorpusDocument; words: Words }[], tasks: readonly Task[]) {
    this.#documents = documents;
    this.tasks = tasks;
  }

  /** @param tasks of which those count that some document has a label of. */
  static async open(
    documents: readonly CorpusDocument[],
    tasks: readonly Task[],
    tokenizer: TextTokenizer,
  ): Promise<GoldScorer> {
    const labelled = tasks.filter(task => documents.some(({ entities }) => entities.some(each => each.type === task)));
    const read: { document: CorpusDocument; words: Words }[] = [];
    for (const document of documents) read.push({ document, words: await wordsOf(tokenizer, document.text) });
    return new GoldScorer(read, labelled);
  }

  /** On the documents that both have read. */
  score(found: Findings, own: Findings): TaskQuality[] {
    return this.tasks.flatMap(task => {
      const both = this.#documents.filter(
        ({ document: { id } }) => found.get(id)?.has(task) === true && own.get(id)?.has(task) === true,
      );
      if (both.length === 0) return [];
      const counts = (by: Findings): Counts[] => both.map(each => countsOf(each, task, by));
      const theirs = counts(found);
      return [
        {
          task,
          documents: both.length,
          f1: scores(sum(theirs)).f1,
          interval: f1Interval(theirs, seeded(SEED)),
          ownF1: scores(sum(counts(own))).f1,
        },
      ];
    });
  }
}

function countsOf(
  { document: { id, entities }, words }: { document: CorpusDocument; words: Words },
  task: Task,
  by: Findings,
): Counts {
  const gold = labelWords(
    words,
    entities.filter(each => each.type === task),
  );
  const found = labelWords(words, by.get(id)?.get(task) ?? []).map(label => (label === INSIDE ? 1 : 0));
  return tokenCounts(gold, found);
}
