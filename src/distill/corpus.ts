/** Annotated documents from a corpus directory: `gold/<corpus>.jsonl` and `teacher/<file>.jsonl`, offsets in code points. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Span } from '../core/span.ts';
import { DistillError } from './distill-error.ts';

export type Split = 'train' | 'dev' | 'test';

export interface CorpusDocument {
  readonly id: string;
  readonly split: Split;
  /** Where the note comes from, when the corpus mixes sources. */
  readonly source?: string | undefined;
  readonly text: string;
  readonly entities: readonly (Span & { readonly type: string })[];
}

const rowSchema = z.object({
  id: z.string(),
  split: z.enum(['train', 'dev', 'test']),
  source: z.string().optional(),
  text: z.string(),
  entities: z.array(z.object({ start: z.int().min(0), end: z.int().min(1), type: z.string() })),
});

/** @param file such as `gold/maccrobat.jsonl`. @throws DistillError naming file and line, never what stands there. */
export function readCorpus(directory: string, file: string, split: Split): CorpusDocument[] {
  const path = join(directory, file);
  if (!existsSync(path))
    throw new DistillError('CORPUS_MISSING', `${path} is missing: the corpus directory must hold it`);
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.flatMap((line, i) => {
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

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** For provenance. */
export function corpusHash(directory: string, file: string): string {
  return createHash('sha256')
    .update(readFileSync(join(directory, file)))
    .digest('hex');
}
