/**
 * The teacher's dev notes that temperatures and thresholds are fitted on: a test note that stands in one of them would be judged by what was
 * fitted on it. Whoever fits writes down which notes were left out, and of which file; the leakage gate believes that of this very file only.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type CorpusDocument, corpusHash, readCorpus } from './corpus.ts';
import { DistillError } from './distill-error.ts';
import { findLeaks } from './leakage.ts';
import { TEACHER_NOTES } from './test-sets.ts';

/** Share of a test note's shingles in dev notes from which on it leaks: what the leakage gate takes unless it is told otherwise. */
export const LEAK = 0.5;

const { file } = TEACHER_NOTES;

const fittedSchema = z.object({
  file: z.literal(file),
  split: z.literal('dev'),
  sha256: z.string(),
  /** Ids of the dev notes in which a test note stands, at least half of it. */
  leftOut: z.array(z.string()),
});

/** As it stands in a manifest and in routing thresholds. */
export type Fitted = z.output<typeof fittedSchema>;

/** @throws DistillError CORPUS_MISSING where no note is left, or as readCorpus */
export function fittingNotes(corpusDirectory: string): { readonly notes: CorpusDocument[]; readonly fitted: Fitted } {
  const dev = readCorpus(corpusDirectory, file, 'dev');
  const leftOut = leaking(dev, readCorpus(corpusDirectory, file, 'test'));
  const notes = dev.filter(({ id }) => !leftOut.has(id));
  if (notes.length === 0) {
    const why = dev.length === 0 ? '' : ': test documents stand in all of them';
    throw new DistillError('CORPUS_MISSING', `${file} holds no dev documents to fit on${why}`);
  }
  const sha256 = corpusHash(corpusDirectory, file);
  return { notes, fitted: { file, split: 'dev', sha256, leftOut: [...leftOut] } };
}

/** Dev notes that alone hold half of a test note; and of several that do together the one with most, until they do no longer. */
function leaking(dev: readonly CorpusDocument[], test: readonly CorpusDocument[]): Set<string> {
  const found = new Set<string>();
  for (;;) {
    const documents = dev.filter(({ id }) => !found.has(id));
    const leaks = findLeaks(test, [{ file, documents }], LEAK).leaks.toSorted((a, b) => b.most - a.most);
    if (leaks.length === 0) return found;
    leaks.forEach(({ trainId, most }, i) => {
      if (i === 0 || most >= LEAK) found.add(trainId);
    });
  }
}

/** @param record of a training, or of thresholds. @returns undefined for one that does not say it, as older ones. */
export function fittedOf({ fitted }: Readonly<Record<string, unknown>>): Fitted | undefined {
  return fittedSchema.safeParse(fitted).data;
}

/**
 * Dev notes that were left out of every fit. @param fits what is known of each of them; one of which nothing is, or that was on another
 * file than the corpus at hand has, was on all.
 */
export function leftOutOf(fits: readonly (Fitted | undefined)[], corpusDirectory: string): string[] {
  const sha256 = existsSync(join(corpusDirectory, file)) ? corpusHash(corpusDirectory, file) : undefined;
  const each = fits.map(fitted => new Set(fitted?.sha256 === sha256 ? fitted?.leftOut : []));
  const [first = new Set<string>(), ...others] = each;
  return [...others.reduce((common, other) => common.intersection(other), first)];
}
