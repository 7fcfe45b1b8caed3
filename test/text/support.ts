/** Texts that break careless offsets, and a word splitter that stands in for the tokenizer where only offsets matter. */
import fc from 'fast-check';
import type { Tokens } from '../../src/core/tokens.ts';

/** Pieces of text that a UTF-16, byte or grapheme mistake would trip over. */
export const trickyText = fc
  .array(
    fc.constantFrom(
      'aspirin',
      'chest pain',
      'e\u0301', // combining acute
      'n\u0303o',
      '💊',
      '👩‍👩‍👧', // zero-width joiners
      '🇩🇪',
      '\r\n',
      '\t',
      '\f', // page break
      '\v', // soft line break
      '\x1f',
      '\x85', // line end from EBCDIC
      '\u200b', // zero-width space
      'ألم', // right to left
      'חום',
      '\ud83d', // half a pair
      '\ufeff',
      ' ',
      '-',
      'Ω',
      '.',
    ),
    { maxLength: 40 },
  )
  .map(parts => parts.join(''));

/** Runs of letters and digits, and single marks, with code-point offsets. */
export function splitWords(text: string): Tokens {
  const points = [...text];
  const starts: number[] = [];
  const ends: number[] = [];
  let open = -1;
  points.forEach((point, i) => {
    const letter = /[\p{L}\p{N}]/u.test(point);
    if (!letter && open >= 0) {
      starts.push(open);
      ends.push(i);
      open = -1;
    }
    if (letter && open < 0) open = i;
    if (!letter && !/[\s\p{M}\p{C}]/u.test(point)) {
      starts.push(i);
      ends.push(i + 1);
    }
  });
  if (open >= 0) {
    starts.push(open);
    ends.push(points.length);
  }
  return {
    ids: Int32Array.from(starts, (_, i) => i),
    starts: Int32Array.from(starts),
    ends: Int32Array.from(ends),
    words: Int32Array.from(starts, (_, i) => i),
  };
}
