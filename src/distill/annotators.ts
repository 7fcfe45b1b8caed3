/** What several annotators say of the same gold documents, as votes on the words that the model is scored by. */
import type { Task } from '../core/span.ts';
import type { VotedDocument } from '../evaluation/fusion.ts';
import type { TextTokenizer } from '../model/tokenizer.ts';
import { INSIDE, labelWords, toWords, type Words } from '../text/words.ts';
import { type CorpusDocument, readRows, type Split } from './corpus.ts';
import { DistillError } from './distill-error.ts';

export interface Annotator {
  readonly name: string;
  /** Its documents by id; the types of their entities are tasks. */
  readonly documents: ReadonlyMap<string, CorpusDocument>;
}

/** @throws DistillError CORPUS_MISSING, CORPUS_ROW_INVALID: also for an id that stands there twice. */
export function readAnnotator(name: string, path: string, split: Split): Annotator {
  return { name, documents: byId(readRows(path, split), `annotator ${name}`) };
}

/**
 * The gold documents that can be scored: all of them, or with `covered` those that every annotator has.
 * @throws DistillError CORPUS_ROW_INVALID for a gold id that stands there twice, ANNOTATIONS_INCOMPLETE for an annotator that lacks
 * documents or has another text for one, and where no document is left.
 */
export function scorable(
  gold: readonly CorpusDocument[],
  annotators: readonly Annotator[],
  covered: boolean,
): CorpusDocument[] {
  byId(gold, 'gold');
  for (const { name, documents } of annotators) {
    const missing = covered ? [] : gold.filter(({ id }) => !documents.has(id));
    const differing = gold.filter(({ id, text }) => (documents.get(id)?.text ?? text) !== text);
    const first = missing[0] ?? differing[0];
    if (first === undefined) continue;
    const remedy =
      missing.length > 0 && differing.length === 0 ? ': have them labelled, or leave them out by --covered' : '';
    throw new DistillError(
      'ANNOTATIONS_INCOMPLETE',
      `annotator ${name}: of ${gold.length} documents ${missing.length} are missing and ${differing.length} have another text, first ${first.id}${remedy}`,
    );
  }
  const scored = gold.filter(({ id }) => annotators.every(({ documents }) => documents.has(id)));
  if (scored.length === 0) throw new DistillError('ANNOTATIONS_INCOMPLETE', 'all annotators together have no document');
  return scored;
}

/** @param whose for the message. @throws DistillError CORPUS_ROW_INVALID for an id that stands there twice. */
export function byId(documents: readonly CorpusDocument[], whose: string): Map<string, CorpusDocument> {
  const found = new Map<string, CorpusDocument>();
  for (const document of documents) {
    if (found.has(document.id))
      throw new DistillError('CORPUS_ROW_INVALID', `${whose}: two ${document.split} documents are ${document.id}`);
    found.set(document.id, document);
  }
  return found;
}

/** Documents, and those that mention a task. Of five, even five wins of five are within chance. */
export const FEWEST = 6;

/** @param tasks gold types that stand for each. @throws DistillError ANNOTATIONS_INCOMPLETE where they cannot tell annotators apart. */
export function requireEnough(documents: readonly CorpusDocument[], tasks: ReadonlyMap<Task, readonly string[]>): void {
  const few = (what: string): DistillError =>
    new DistillError(
      'ANNOTATIONS_INCOMPLETE',
      `${what} are too few to tell annotators apart by: at least ${FEWEST} are needed`,
    );
  if (documents.length < FEWEST) throw few(`${documents.length} documents`);
  for (const [task, types] of tasks) {
    const mentioning = documents.filter(({ entities }) => entities.some(({ type }) => types.includes(type))).length;
    if (mentioning > 0 && mentioning < FEWEST) throw few(`--task ${task}: ${mentioning} documents that mention it`);
  }
}

/** For each task, the documents' votes. @param tasks gold types that stand for each. @param documents that all annotators have. */
export async function votesOn(
  tokenizer: TextTokenizer,
  documents: readonly CorpusDocument[],
  annotators: readonly Annotator[],
  tasks: ReadonlyMap<Task, readonly string[]>,
): Promise<Map<Task, VotedDocument[]>> {
  const voted = new Map<Task, VotedDocument[]>(Array.from(tasks.keys(), task => [task, []]));
  for (const { id, text, entities } of documents) {
    const words = await wordsOf(tokenizer, text);
    const answers = annotators.map(each => each.documents.get(id) ?? { entities: [] });
    for (const [task, types] of tasks) {
      const gold = labelWords(
        words,
        entities.filter(each => types.includes(each.type)),
      );
      voted.get(task)?.push({ gold, votes: votesFor(words, task, answers) });
    }
  }
  return voted;
}

/** Each annotator's vote on each word, by the entities of `task`. */
export function votesFor(
  words: Words,
  task: Task,
  documents: readonly Pick<CorpusDocument, 'entities'>[],
): Uint8Array[] {
  return documents.map(({ entities }) =>
    labelWords(
      words,
      entities.filter(each => each.type === task),
    ).map(label => (label === INSIDE ? 1 : 0)),
  );
}

export async function wordsOf(tokenizer: TextTokenizer, text: string): Promise<Words> {
  const tokens = await tokenizer.encode(text);
  return toWords(tokens, new Float32Array(tokens.ids.length), 1);
}

export interface Speaking<A> {
  readonly documents: readonly VotedDocument[];
  readonly annotators: readonly A[];
  /** Those that mark nothing in any document: they were not asked, or their types are no tasks. */
  readonly silent: readonly A[];
}

/** The votes without those of annotators that never vote for Inside. @param annotators in the order of the votes. */
export function speaking<A>(documents: readonly VotedDocument[], annotators: readonly A[]): Speaking<A> {
  const speaks = annotators.map((_, i) => documents.some(({ votes }) => votes[i]?.includes(1)));
  const only = <T>(each: readonly T[]): T[] => each.filter((_, i) => speaks[i]);
  return {
    documents: documents.map(({ gold, votes }) => ({ gold, votes: only(votes) })),
    annotators: only(annotators),
    silent: annotators.filter((_, i) => !speaks[i]),
  };
}
