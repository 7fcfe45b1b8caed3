/**
 * Stand-off labels: spans that were published without their notes, of texts that may not be passed on. They are joined with the texts of a
 * corpus directory by id, and only where the text is, letter by letter, the one that was labelled.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { sha256Of } from '../model/manifest.ts';
import { type CorpusDocument, SPLITS } from './corpus.ts';
import { DistillError } from './distill-error.ts';
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

/** @param path JSON lines, gzipped where it ends in `.gz`. @throws DistillError CORPUS_MISSING, CORPUS_ROW_INVALID naming file and line. */
export function readStandOff(path: string): StandOffLabels[] {
  const labels = readLines(path, labelsSchema);
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
      new Map(readLines(join(corpusDirectory, file), textSchema).map(({ id, text }) => [id, text])),
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

function readLines<T>(path: string, schema: z.ZodType<T>): T[] {
  return read(path)
    .split('\n')
    .flatMap((line, i) => {
      if (line === '') return [];
      const row = schema.safeParse(parse(line));
      if (row.success) return [row.data];
      throw invalid(`${path}:${i + 1}: ${row.error.issues[0]?.path.join('.') || 'row'} is not as it should be`);
    });
}

function read(path: string): string {
  try {
    const bytes = readFileSync(path);
    return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  } catch (cause) {
    throw new DistillError('CORPUS_MISSING', `${path}: no file of rows can be read there`, { cause });
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function invalid(what: string): DistillError {
  return new DistillError('CORPUS_ROW_INVALID', what);
}
