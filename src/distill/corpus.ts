/** Annotated documents from a corpus directory: `gold/<corpus>.jsonl` and `teacher/<file>.jsonl`, offsets in code points. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Span } from '../core/span.ts';
import { DistillError } from './distill-error.ts';

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

const rowSchema = z.object({
  id: z.string(),
  split: z.enum(SPLITS),
  source: z.string().optional(),
  text: z.string(),
  entities: z.array(
    z.object({
      start: z.int().min(0),
      end: z.int().min(1),
      type: z.string(),
      confidence: z.number().gt(0).max(1).optional(),
    }),
  ),
});

/** @param file such as `gold/maccrobat.jsonl`. @throws DistillError as readRows. */
export function readCorpus(directory: string, file: string, split: Split): CorpusDocument[] {
  return readRows(join(directory, file), split);
}

/** One split of any file of such documents. @throws DistillError naming file and line, never what stands there. */
export function readRows(path: string, split: Split): CorpusDocument[] {
  return read(path)
    .split('\n')
    .flatMap((line, i) => {
      if (line === '') return [];
      const row = rowSchema.safeParse(parse(line));
      if (!row.success) {
        const issue = row.error.issues[0];
        throw new DistillError(
          'CORPUS_ROW_INVALID',
          `${path}:${i + 1}: ${issue?.path.join('.') || 'row'}: ${issue?.message ?? 'not a document'}`,
        );
      }
      return row.data.split === split ? [row.data] : [];
    });
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new DistillError('CORPUS_MISSING', `${path}: no file of documents can be read there`, { cause });
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** For provenance. */
export function corpusHash(directory: string, file: string): string {
  return fileHash(join(directory, file));
}

export function fileHash(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
