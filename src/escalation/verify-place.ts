/** Offsets that come with a quote are believed only where the text says the same. */
import type { Span } from '../core/span.ts';
import type { Quote } from '../teachers/teacher.ts';
import { hasBreak } from '../text/breaks.ts';
import type { CodePointIndex } from '../text/code-points.ts';
import { fold, isSeparator } from '../text/fold.ts';
import { isInsideNumber, isInsideWord, pieceAt, toPieces, WORD } from '../text/pieces.ts';
import type { Mark } from './grounded.ts';

/** Null when the place does not exist, cuts a word or a number, or says something else even in the normal form, as where a break stands in it. */
export function verifyPlace(index: CodePointIndex, quote: Quote, at: Span): Mark | null {
  const { start, end } = at;
  if (!(Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start < end && end <= index.length))
    return null;
  const [from, to] = [index.toUtf16(start), index.toUtf16(end)];
  const text = index.text.slice(from, to);
  if ([from, to].some(unit => isInsideWord(index.text, unit) || isInsideNumber(index.text, unit))) return null;
  const exact = text === quote.text;
  if (!exact && (hasBreak(text) || normal(text) !== normal(quote.text))) return null;
  return { start, end, from, to, alignment: exact ? 'exact' : 'normalised', similarity: 1, codes: quote.codes ?? [] };
}

function normal(text: string): string {
  const pieces = toPieces(text);
  const kept = Array.from({ length: pieces.count }, (_, i) => i).filter(i => !isSeparator(pieces, i));
  return kept.some(i => pieces.kinds[i] === WORD) ? kept.map(i => fold(pieceAt(pieces, i))).join(' ') : '';
}
