/** The user's own gold as one more test set, beside those that every evaluation knows. */
import { readCorpus, type Split } from './corpus.ts';
import { DistillError } from './distill-error.ts';
import type { Measure, TestSet } from './test-sets.ts';

const MEASURED: readonly Split[] = ['dev', 'test'];

/**
 * @param file of the corpus directory; the set has its name.
 * @throws DistillError CORPUS_ROW_INVALID; CORPUS_MISSING where nothing can be measured: no such file, no dev or test document, or no
 * mention of a measure's types in them.
 */
export function ownSet(corpusDirectory: string, file: string, measures: readonly Measure[]): TestSet {
  const documents = MEASURED.flatMap(split => readCorpus(corpusDirectory, file, split));
  if (documents.length === 0) throw new DistillError('CORPUS_MISSING', `${file} has no dev or test document`);
  const marked = new Set(documents.flatMap(({ entities }) => entities.map(each => each.type)));
  const empty = measures.find(({ types }) => !types.some(each => marked.has(each)));
  if (empty !== undefined) {
    const why = `no dev or test document of ${file} has a mention of type ${empty.types.join(' or ')}`;
    throw new DistillError('CORPUS_MISSING', `${empty.label}: ${why}`);
  }
  return { name: file, file, origin: 'given to `evaluate`', measures };
}

/** What a person types to have it measured; nothing for none. */
export function ownArguments(own: TestSet | undefined): string[] {
  if (own === undefined) return [];
  return [`--file ${own.file}`, ...own.measures.map(({ label, types }) => `--task ${label}=${types.join(',')}`)];
}
