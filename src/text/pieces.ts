/**
 * A text cut into words, runs of space and single other characters, so that whatever is looked for by whole pieces can neither begin
 * nor end inside a word. A word is a run of letters, digits and their marks, as for the model's tokenizer; each Han character is one by
 * itself. Every code point belongs to exactly one piece. A space of no width (U+200B) is a space.
 */

export const WORD = 0;
/** White space, controls and characters without width. */
export const SPACE = 1;
export const OTHER = 2;

export interface Pieces {
  readonly text: string;
  readonly count: number;
  /** UTF-16 position of each piece, and one more: the end of the text. */
  readonly units: Int32Array;
  /** Code point position of each piece, and one more: the end of the text. */
  readonly points: Int32Array;
  /** WORD, SPACE or OTHER. */
  readonly kinds: Uint8Array;
}

const PIECE =
  /(\p{Script=Han}\p{M}*|[[\p{L}\p{N}]--\p{Script=Han}](?:[[\p{L}\p{N}\p{M}]--\p{Script=Han}]|[\p{Cf}--\u200b]+(?=[[\p{L}\p{N}\p{M}]--\p{Script=Han}]))*)|([\s\p{Cc}\p{Cf}]+)|.\p{M}*/gsv;

/** Linear in the text. */
export function toPieces(text: string): Pieces {
  const units = new Int32Array(text.length + 1);
  const points = new Int32Array(text.length + 1);
  const kinds = new Uint8Array(text.length);
  let count = 0;
  let point = 0;
  for (const match of text.matchAll(PIECE)) {
    units[count] = match.index;
    points[count] = point;
    kinds[count++] = match[1] !== undefined ? WORD : match[2] !== undefined ? SPACE : OTHER;
    point += countPoints(match[0]);
  }
  units[count] = text.length;
  points[count] = point;
  return {
    text,
    count,
    units: units.subarray(0, count + 1),
    points: points.subarray(0, count + 1),
    kinds: kinds.subarray(0, count),
  };
}

/** The piece's text. */
export function pieceAt(pieces: Pieces, i: number): string {
  return pieces.text.slice(pieces.units[i] as number, pieces.units[i + 1] as number);
}

/** Whether a boundary between code points, given in UTF-16, lies inside a word, or between a character and its mark. */
export function isInsideWord(text: string, unit: number): boolean {
  const before = text.slice(Math.max(0, unit - NEAR), unit);
  const after = text.slice(unit, unit + NEAR);
  if (before !== '' && /^\p{M}/u.test(after)) return true;
  return (
    /[[\p{L}\p{N}]--\p{Script=Han}][[\p{M}\p{Cf}]--\u200b]*$/v.test(before) &&
    /^[\p{Cf}--\u200b]*[[\p{L}\p{N}]--\p{Script=Han}]/v.test(after)
  );
}

/** Whether a boundary in UTF-16 lies inside a number with a point, a slash or thousands: 101.4, 120/80, 1,000. */
export function isInsideNumber(text: string, unit: number): boolean {
  const before = text.slice(Math.max(0, unit - 2), unit);
  const after = text.slice(unit, unit + 5);
  if (/\d$/.test(before)) return /^(?:[./]\d|,\d{3}(?!\d))/.test(after);
  return (/\d[./]$/.test(before) && /^\d/.test(after)) || (/\d,$/.test(before) && /^\d{3}(?!\d)/.test(after));
}

/** As far as marks and characters of no width are looked through, in UTF-16 units. */
const NEAR = 64;

function countPoints(text: string): number {
  let pairs = 0;
  for (let i = 0; i < text.length - 1; i++) {
    if ((text.charCodeAt(i) & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) pairs++;
  }
  return text.length - pairs;
}
