/**
 * Stand-off labels: spans that were published without their notes, of texts that may not be passed on. They are joined with the texts of a
 * corpus directory by id, and only where the text is, letter by letter, the one that was labelled.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { sha256Of } from '../model/manifest.ts';
import { type CorpusDocument, SPLITS } from './corpus.ts';
import { DistillError } from './distill-error.ts';
import { readJsonLines } from './json-lines.ts';
import { TEACHER_NOTES } from './test-sets.ts';

/** That teachers label. */
const TASKS = TEACHER_NOTES.measures.map(each => each.label);

const labelsSchema = z.object({
  id: z.string().min(1),
  split: z.enum(SPLITS),
  source: z.string().optional(),
  /** Of the corpus directory, such as `text/mtsamples.jsonl.gz`: rows `{id, text}`. */
  file: z.string().regex(/^[\w-]+\/[\w.-]+$/),
  /** Of the text, in UTF-8. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  entities: z.array(z.object({ start: z.int().min(0), end: z.int().min(1), type: z.enum(TASKS) })),
});

export type StandOffLabels = z.output<typeof labelsSchema>;

const textSchema = z.object({ id: z.string(), text: z.string() });

/** @throws DistillError as readJsonLines, and CORPUS_ROW_INVALID for a note that stands there twice, or none at all. */
export function readStandOff(path: string): StandOffLabels[] {
  const labels = readJsonLines(path, labelsSchema);
  if (labels.length === 0) throw invalid(`${path} holds no labels`);
  const ids = new Set<string>();
  for (const { id } of labels) {
    if (ids.has(id)) throw invalid(`${path}: ${id} stands there twice`);
    ids.add(id);
  }
  return labels;
}

/**
 * The labelled notes, in the order of the labels.
 * @throws DistillError as readStandOff for the files of texts, and CORPUS_ROW_INVALID for a text that is missing or not the one labelled, and
 * for spans outside of it.
 */
export function withTexts(labels: readonly StandOffLabels[], corpusDirectory: string): CorpusDocument[] {
  const texts = new Map(
    [...new Set(labels.map(each => each.file))].map(file => [
      file,
      new Map(readJsonLines(join(corpusDirectory, file), textSchema).map(({ id, text }) => [id, text])),
    ]),
  );
  return labels.map(({ id, split, source, file, sha256, entities }) => {
    const text = texts.get(file)?.get(id);
    if (text === undefined) throw invalid(`${file} has no ${id}, which was labelled`);
    if (sha256Of(text) !== sha256) throw invalid(`${file}: ${id} is not the text that was labelled`);
    const length = [...text].length;
    if (entities.some(({ start, end }) => start >= end || end > length))
      throw invalid(`labels of ${id}: a span lies outside of the text`);
    return { id, split, ...(source === undefined ? {} : { source }), text, entities };
  });
}

function invalid(what: string): DistillError {
  return new DistillError('CORPUS_ROW_INVALID', what);
}
