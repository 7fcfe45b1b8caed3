/** A text as the words that comparing goes by: folded, without what only separates them, each with the piece it stands in. */
import { fold, isSeparator } from './fold.ts';
import { type Pieces, pieceAt } from './pieces.ts';

export interface NormalWords {
  /** Punctuation that is not a hyphen or dash is among them. */
  readonly words: readonly string[];
  /** Index of the piece of each word. */
  readonly pieces: Int32Array;
}

export function toNormalWords(pieces: Pieces): NormalWords {
  const kept = new Int32Array(pieces.count);
  const words: string[] = [];
  for (let i = 0; i < pieces.count; i++) {
    if (isSeparator(pieces, i)) continue;
    kept[words.length] = i;
    words.push(fold(pieceAt(pieces, i)));
  }
  return { words, pieces: kept.subarray(0, words.length) };
}
