/** How many word pieces notes have. Those of a benchmark come again and again: each text is counted once. */
import { join } from 'node:path';
import type { Note } from '../../../core/note.ts';
import type { VerifiedModel } from '../../../model/manifest.ts';
import { TextTokenizer } from '../../../model/tokenizer.ts';

export type CountTokens = (notes: readonly Note[]) => Promise<number>;

export function tokenCounter({ directory, manifest }: VerifiedModel): CountTokens {
  const tokenizer = new TextTokenizer(join(directory, manifest.tokenizer));
  const known = new Map<string, number>();
  return async notes => {
    let sum = 0;
    for (const { text } of notes) {
      const count = known.get(text) ?? (await tokenizer.encode(text)).ids.length;
      known.set(text, count);
      sum += count;
    }
    return sum;
  };
}
