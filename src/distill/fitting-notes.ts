/** Dev notes that temperatures and thresholds are fitted on: a test note that stands in one of them would be judged by what was fitted on it. */
import { type CorpusDocument, readCorpus } from './corpus.ts';
import { DistillError } from './distill-error.ts';
import { findLeaks } from './leakage.ts';
import { TEACHER_NOTES } from './test-sets.ts';

export interface FittingNotes {
  readonly notes: readonly CorpusDocument[];
  /** Ids of the dev notes that hold a test note, whole or for the most part. */
  readonly leftOut: readonly string[];
}

/** Share of a test note's shingles in the notes fitted on, from which on it is a leak: as `distill promote` takes it unless told otherwise. */
export const LEAK = 0.5;

/** The teacher's dev notes without those that a test note leaks from. @throws DistillError CORPUS_MISSING where none is left, or as readCorpus. */
export function fittingNotes(corpusDirectory: string): FittingNotes {
  const { file } = TEACHER_NOTES;
  const test = readCorpus(corpusDirectory, file, 'test');
  const leftOut = new Set<string>();
  const dev = readCorpus(corpusDirectory, file, 'dev');
  const kept = (): CorpusDocument[] => dev.filter(each => !leftOut.has(each.id));
  for (;;) {
    const { leaks } = findLeaks(test, [{ file, documents: kept() }], LEAK);
    if (leaks.length === 0) break;
    // the note that holds most of it; where several hold it together, the others by another round
    for (const { trainId } of leaks) leftOut.add(trainId);
  }
  const notes = kept();
  if (notes.length === 0) {
    const why = leftOut.size === 0 ? '' : ' that share no text with its test documents';
    throw new DistillError('CORPUS_MISSING', `${file} holds no dev documents${why}`);
  }
  return { notes, leftOut: [...leftOut] };
}
