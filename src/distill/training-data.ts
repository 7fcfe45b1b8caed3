/** What trained a model, by its own manifest, found again in a corpus directory and compared by hash. */
import { existsSync } from 'node:fs';
import { isAbsolute, join, normalize, relative } from 'node:path';
import { z } from 'zod';
import type { Manifest } from '../model/manifest.ts';
import { corpusHash, readCorpus, type Split } from './corpus.ts';
import { type EarlierModel, earlierModels, earlierSchema } from './earlier-models.ts';
import type { Fitted } from './fitting-notes.ts';
import type { Text } from './leakage.ts';
import { TEACHER_NOTES } from './test-sets.ts';

export interface TrainingFile {
  /** Such as `gold/maccrobat.jsonl`. */
  readonly file: string;
  /** As the manifest has it. */
  readonly sha256: string;
  readonly found: 'same' | 'another' | 'missing';
}

export interface TrainingData {
  readonly files: readonly TrainingFile[];
  /** Files that the run read and `training.data` does not name: unlabelled text, of which the trainer takes what it did not find in dev and test. */
  readonly unlabelled: readonly string[];
  /** What these had learnt from is not known here. */
  readonly earlier: readonly EarlierModel[];
}

const named = z.array(z.object({ file: z.string().min(1), sha256: z.string() }));
const trainingSchema = z.object({
  data: named.min(1),
  run: earlierSchema.extend({ data: named.optional() }).optional(),
});

/** @param fits of the model: what it was fitted on counts too, where that was another file. @returns null where the manifest does not say what trained the model. */
export function trainingDataOf(
  { training }: Pick<Manifest, 'training'>,
  fits: readonly (Fitted | undefined)[],
  corpusDirectory: string,
): TrainingData | null {
  const parsed = trainingSchema.safeParse(training);
  if (!parsed.success) return null;
  const { data, run } = parsed.data;
  const names = new Set(data.map(each => each.file));
  const hashes = new Set(data.map(each => each.sha256));
  const others = fits.flatMap(fit =>
    fit === undefined || hashes.has(fit.sha256) ? [] : [{ file: fit.file, sha256: fit.sha256 }],
  );
  return {
    files: [...data, ...others].map(each => ({ ...each, found: compare(corpusDirectory, each) })),
    unlabelled: (run?.data ?? []).map(each => each.file).filter(file => !names.has(file)),
    earlier: run === undefined ? [] : earlierModels(run),
  };
}

/** Whether this is the split that temperatures and thresholds are fitted on (calibrate.ts). */
export function isFitted(file: string, split: Split): boolean {
  return split === 'dev' && normalize(file) === TEACHER_NOTES.file;
}

/**
 * All that a model may have learnt from, one file at a time: the train split of every file that is there, and the teacher's dev notes
 * that it was fitted on.
 * @param leftOut ids of the others. @param judging its documents: where they are the teacher's dev notes, those are left out.
 * @throws DistillError as readCorpus
 */
export function* learntFrom(
  data: TrainingData | null,
  leftOut: readonly string[],
  corpusDirectory: string,
  judging: { readonly file: string; readonly split: Split },
): Generator<{ file: string; documents: readonly Text[] }> {
  const files = (data?.files ?? []).filter(({ found }) => found !== 'missing').map(({ file }) => file);
  for (const file of new Set(files)) yield { file, documents: readCorpus(corpusDirectory, file, 'train') };
  const { file } = TEACHER_NOTES;
  if (isFitted(judging.file, judging.split) || !existsSync(join(corpusDirectory, file))) return;
  const dev = readCorpus(corpusDirectory, file, 'dev');
  yield { file: `${file}, dev`, documents: dev.filter(({ id }) => !leftOut.includes(id)) };
}

function compare(directory: string, { file, sha256 }: { file: string; sha256: string }): TrainingFile['found'] {
  const inside = relative(directory, join(directory, file));
  if (inside.startsWith('..') || isAbsolute(inside) || !existsSync(join(directory, file))) return 'missing';
  return corpusHash(directory, file) === sha256 ? 'same' : 'another';
}
