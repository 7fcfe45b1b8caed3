/**
 * A quote taken apart once, before any text is searched. `[brackets]` mean that only what they hold is the mention and the rest says
 * at which place (the annotation guideline's notation); the bracketed part may cut a word, the whole quote may not.
 */
import type { Span } from '../core/span.ts';
import { compatible, fold, isSeparator } from '../text/fold.ts';
import { type Pieces, pieceAt, toPieces, WORD } from '../text/pieces.ts';
import { isFiller } from './fillers.ts';

/** A mention is a phrase: what is longer than this quotes the note itself. In code points. */
export const LONGEST_QUOTE = 200;

export interface Phrase {
  /** Every piece as it stands, white space too. */
  readonly exact: readonly string[];
  /** Folded pieces without separators and without punctuation at either end. */
  readonly normal: readonly string[];
  /** Set for short abbreviations, whose case says what they mean ("ALL", "all"): the normal pieces before case folding. */
  readonly cased: readonly string[] | null;
}

export interface Bracketed extends Phrase {
  /** What is marked, in UTF-16 units from the beginning of the phrase. */
  readonly parts: readonly Span[];
  /** The same in normal pieces; null where a bracket cuts a piece. */
  readonly normalParts: readonly Span[] | null;
}

export interface QuoteForm {
  readonly literal: Phrase;
  /** Null for a quote without brackets that can be read. */
  readonly bracketed: Bracketed | null;
}

/** Why a quote is not even looked for. */
export type Unfit = 'empty' | 'filler' | 'too-long';

export function readQuote(quote: string): QuoteForm | Unfit {
  const text = quote.trim();
  if (text.length > 2 * LONGEST_QUOTE) return 'too-long';
  const pieces = toPieces(text);
  if ((pieces.points[pieces.count] as number) > LONGEST_QUOTE) return 'too-long';
  if (!pieces.kinds.includes(WORD)) return 'empty';
  const literal = phrase(pieces);
  // an abbreviation is none: "IT", "OR"
  if (literal.cased === null && isFiller(literal.normal)) return 'filler';
  return { literal, bracketed: bracketed(text) };
}

function phrase(pieces: Pieces): Phrase {
  const kept = normalPieces(pieces);
  const cased = kept.map(i => compatible(pieceAt(pieces, i)));
  return {
    exact: Array.from({ length: pieces.count }, (_, i) => pieceAt(pieces, i)),
    normal: kept.map(i => fold(pieceAt(pieces, i))),
    cased: isAbbreviation(cased.join('')) ? cased : null,
  };
}

/** Indices of the pieces that the normal form keeps. */
function normalPieces(pieces: Pieces): number[] {
  const kept = Array.from({ length: pieces.count }, (_, i) => i).filter(i => !isSeparator(pieces, i));
  const isWord = (i: number): boolean => pieces.kinds[i] === WORD;
  return kept.slice(kept.findIndex(isWord), kept.findLastIndex(isWord) + 1);
}

/** Up to four characters, no lower case: in lower case it may be another word. */
function isAbbreviation(text: string): boolean {
  return text.length <= 4 && /\p{Lu}/u.test(text) && !/\p{Ll}/u.test(text);
}

function bracketed(text: string): Bracketed | null {
  const parts: { start: number; end: number }[] = [];
  let bare = '';
  let from = 0;
  for (const match of text.matchAll(/\[([^[\]]+)\]/g)) {
    bare += text.slice(from, match.index);
    const held = match[1] as string;
    const start = bare.length + held.length - held.trimStart().length;
    bare += held;
    from = match.index + match[0].length;
    if (/[\p{L}\p{N}]/u.test(held)) parts.push({ start, end: start + held.trim().length });
  }
  bare += text.slice(from);
  if (parts.length === 0 || /[[\]]/.test(bare)) return null;
  const lead = bare.length - bare.trimStart().length;
  const shifted = parts.map(({ start, end }) => ({ start: start - lead, end: end - lead }));
  const pieces = toPieces(bare.trim());
  return { ...phrase(pieces), parts: shifted, normalParts: inPieces(pieces, shifted) };
}

function inPieces(pieces: Pieces, parts: readonly Span[]): Span[] | null {
  const kept = normalPieces(pieces);
  const found = parts.map(part => {
    const start = kept.findIndex(i => pieces.units[i] === part.start);
    const end = kept.findIndex(i => pieces.units[i + 1] === part.end) + 1;
    return { start, end };
  });
  return found.every(({ start, end }) => start >= 0 && end > start) ? found : null;
}
