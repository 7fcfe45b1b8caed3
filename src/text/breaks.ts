/**
 * Where a text stops saying one thing and begins another between two words, although nothing but separators (fold.ts) stands there: at
 * a blank line, at a line that begins with a dash, as in a list, and at a dash with space on both sides. A line end alone may be a
 * wrapped line, and a hyphen between spaces may be a hyphen.
 */
import type { NormalWords } from './normal-words.ts';
import type { Pieces } from './pieces.ts';

const LINE_ENDS = String.raw`\n\r\v\f\u0085\u2028\u2029`;
const DASHES = String.raw`\p{Pd}\u2212`;
const HYPHENS = String.raw`\-\u2010\u2011`;

const LINE_END = String.raw`(?:\r\n|\r(?!\n)|[\n\v\f\u0085\u2028\u2029])`;
/** Linear in any text: each part ends where the next may begin. */
const BREAK = new RegExp(
  String.raw`${LINE_END}[[\s\p{Cc}\p{Cf}]--[${LINE_ENDS}]]*[${LINE_ENDS}${DASHES}]|\s(?:[[${DASHES}]--[${HYPHENS}]]|--)[${DASHES}]*\s`,
  'v',
);

export function hasBreak(text: string): boolean {
  return BREAK.test(text);
}

/** For each word how many breaks stand before it: words `[first, last)` hold one where that of the last is higher than that of the first. */
export function countBreaks({ text, units }: Pieces, { words, pieces }: NormalWords): Int32Array {
  const counts = new Int32Array(words.length);
  for (let i = 1; i < words.length; i++) {
    const gap = text.slice(units[(pieces[i - 1] as number) + 1], units[pieces[i] as number]);
    counts[i] = (counts[i - 1] as number) + (gap.length > 1 && hasBreak(gap) ? 1 : 0);
  }
  return counts;
}

/** The words between breaks, in text order: what is looked for in each alone is found across none. */
export function stretchesOf(pieces: Pieces, normal: NormalWords): NormalWords[] {
  const counts = countBreaks(pieces, normal);
  const stretches: NormalWords[] = [];
  for (let from = 0; from < counts.length; ) {
    const next = counts.indexOf((counts[from] as number) + 1, from);
    const to = next < 0 ? counts.length : next;
    stretches.push({ words: normal.words.slice(from, to), pieces: normal.pieces.subarray(from, to) });
    from = to;
  }
  return stretches;
}
