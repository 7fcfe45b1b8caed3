/** Rows of a corpus: JSON Lines, gzipped where the name ends in `.gz`. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { z } from 'zod';
import { DistillError } from './distill-error.ts';

/** @throws DistillError CORPUS_MISSING, CORPUS_ROW_INVALID naming file, line and key, never what stands there. */
export function readJsonLines<Row>(path: string, schema: z.ZodType<Row>): Row[] {
  return read(path)
    .split('\n')
    .flatMap((line, i) => {
      if (line === '') return [];
      const row = schema.safeParse(parse(line));
      if (row.success) return [row.data];
      const issue = row.error.issues[0];
      throw new DistillError(
        'CORPUS_ROW_INVALID',
        `${path}:${i + 1}: ${issue?.path.join('.') || 'row'}: ${issue?.message ?? 'not a document'}`,
      );
    });
}

function read(path: string): string {
  try {
    const bytes = readFileSync(path);
    return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
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
