/** Annotated documents from a corpus directory: `gold/<corpus>.jsonl` and `teacher/<file>.jsonl`, offsets in code points. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Span } from '../core/span.ts';
import { CodePointIndex } from '../text/code-points.ts';
import { DistillError } from './distill-error.ts';
import { readJsonLines } from './json-lines.ts';

export const SPLITS = ['train', 'dev', 'test'] as const;
export type Split = (typeof SPLITS)[number];

/** What somebody marked. */
export interface Mention extends Span {
  readonly type: string;
  /** Of those who labelled it, in (0, 1]: a soft label to train on. Nobody is judged by it. */
  readonly confidence?: number | undefined;
}

export interface CorpusDocument {
  readonly id: string;
  readonly split: Split;
  /** Where the note comes from, when the corpus mixes sources. */
  readonly source?: string | undefined;
  readonly text: string;
  readonly entities: readonly Mention[];
}

const mentionSchema = z
  .object({
    start: z.int().min(0),
    end: z.int().min(1),
    type: z.string(),
    confidence: z.number().gt(0).max(1).optional(),
  })
  .refine(({ start, end }) => start < end, { error: 'must be after start', path: ['end'] });

const rowSchema = z
  .object({
    id: z.string(),
    split: z.enum(SPLITS),
    source: z.string().optional(),
    text: z.string(),
    entities: z.array(mentionSchema),
  })
  .superRefine(({ text, entities }, context) => {
    if (entities.length === 0) return;
    const { length } = new CodePointIndex(text);
    const beyond = entities.findIndex(each => each.end > length);
    if (beyond < 0) return;
    const message = `is beyond the end of the text, which has ${length} code points`;
    context.addIssue({ code: 'custom', path: ['entities', beyond, 'end'], message });
  });

/**
 * @param file such as `gold/maccrobat.jsonl`.
 * @throws DistillError as readRows; CORPUS_ROW_INVALID for a dev or test document that stands there twice: it would count as two.
 */
export function readCorpus(directory: string, file: string, split: Split): CorpusDocument[] {
  const rows = readRows(join(directory, file), split);
  const known = new Set<string>();
  for (const { id } of split === 'train' ? [] : rows) {
    if (known.has(id)) throw new DistillError('CORPUS_ROW_INVALID', `${file}: two ${split} documents are ${id}`);
    known.add(id);
  }
  return rows;
}

/** One split of any file of such documents. @throws DistillError as readJsonLines */
export function readRows(path: string, split: Split): CorpusDocument[] {
  return readAllRows(path).filter(row => row.split === split);
}

/** All splits, in the order of the file. @throws DistillError as readJsonLines */
export function readAllRows(path: string): CorpusDocument[] {
  return readJsonLines(path, rowSchema);
}

/** For provenance. */
export function corpusHash(directory: string, file: string): string {
  return fileHash(join(directory, file));
}

export function fileHash(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
