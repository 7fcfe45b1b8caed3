/**
 * The form in which two spellings of the same words are equal: compatibility forms, case, typographic quotes, and everything between
 * words that only separates them. It is made piece by piece (pieces.ts), so whatever matches in it can be mapped back to the text.
 */
import { OTHER, type Pieces, pieceAt, SPACE } from './pieces.ts';

/**
 * A piece as it is compared: NFKC, caseless, without characters of no width. JavaScript has no case folding; upper then lower case
 * comes to the same for whole words ("ß" and "ss", "ς" and "σ" at the end of a word).
 */
export function fold(piece: string): string {
  if (/^[a-z0-9]*$/.test(piece)) return piece;
  if (/^[A-Za-z0-9]*$/.test(piece)) return piece.toLowerCase();
  return compatible(piece).toUpperCase().toLowerCase().normalize('NFKC');
}

/** The same with its case. */
export function compatible(piece: string): string {
  return (
    piece
      // before NFKC, which takes some of them apart
      .replace(/[‘’‚‛′´`]/g, "'")
      .replace(/[“”„‟″]/g, '"')
      .normalize('NFKC')
      .replace(/\p{Cf}/gu, '')
  );
}

/** Pieces that only stand between words: white space, hyphens and dashes of any kind, and the minus sign. */
export function isSeparator(pieces: Pieces, i: number): boolean {
  if (pieces.kinds[i] === SPACE) return true;
  return pieces.kinds[i] === OTHER && /^[\p{Pd}\u2212\u00ad]$/u.test(pieceAt(pieces, i));
}
