/**
 * The last resort for a quote that stands nowhere as it is: a stretch of text that differs by slips only. Slips are few letters
 * within long words, an article left out or put in, and two words written as one; whatever carries meaning by itself must be there
 * as quoted: numbers, short words, the beginning of each word, the order of words. A wrong place is worse than none.
 */
import { editDistance } from './edit-distance.ts';
import { SHORTEST_SLIP, type WordIndex } from './word-index.ts';

/** 1 − edits / the longer length, in characters of the normal form, must reach this. */
export const SIMILARITY_FLOOR = 0.85;
/** Characters of the normal form; the floor itself asks for seven. */
export const SHORTEST_FUZZY = 5;
/** Places tried for one quote; whoever would need more is ambiguous anyway. */
export const MOST_CANDIDATES = 512;
/** Words of the quote from which the search starts, rarest first. */
const ANCHORS = 3;
/** Shorter halves of a word stand by themselves too often: "a typical" is not "atypical". */
const SHORTEST_HALF = 3;

const FILLERS: ReadonlySet<string> = new Set(['the', 'a', 'an', 'of', 'his', 'her', 'their', 'my', 'your']);

export interface Window {
  /** Words `[start, end)` of the index. */
  readonly start: number;
  readonly end: number;
  /** A lower bound: the edits counted are those of the alignment found. */
  readonly similarity: number;
}

/** Whether words `[start, end)` may be what a quote means. */
export type Accepts = (start: number, end: number) => boolean;

interface Candidate {
  readonly start: number;
  readonly end: number;
  readonly edits: number;
}

/**
 * The places of the one best spelling, or why there are none. Looks at no more than ANCHORS × MOST_CANDIDATES places and as many
 * spellings, each at most as long as the quote.
 */
export function findFuzzy(
  index: WordIndex,
  quote: readonly string[],
  accepts: Accepts = () => true,
): readonly Window[] | 'not-found' | 'ambiguous' {
  const length = lengthOf(quote);
  if (length < SHORTEST_FUZZY) return 'not-found';
  const most = Math.floor(length * (1 / SIMILARITY_FLOOR - 1)) + 1;
  for (const anchors of anchorsOf(index, quote)) {
    if (anchors.length > MOST_CANDIDATES) return 'ambiguous';
    const found = new Map<string, Window>();
    for (const anchor of anchors) {
      const candidate = align(index.words, quote, anchor, most);
      if (candidate === null) continue;
      const { start, end, edits } = candidate;
      if (!accepts(start, end)) continue;
      const similarity = 1 - edits / Math.max(length, lengthOf(index.words.slice(start, end)));
      if (similarity >= SIMILARITY_FLOOR) found.set(`${start}-${end}`, { start, end, similarity });
    }
    if (found.size > 0) return onlyBest(index, [...found.values()]);
  }
  return 'not-found';
}

function onlyBest(index: WordIndex, found: readonly Window[]): readonly Window[] | 'ambiguous' {
  const best = Math.max(...found.map(each => each.similarity));
  const windows = found.filter(each => each.similarity === best);
  const spellings = new Set(windows.map(({ start, end }) => index.words.slice(start, end).join(' ')));
  return spellings.size === 1 ? windows : 'ambiguous';
}

/** A word of the quote `[from, to)` and where it, or what stands for it, was found: words `[start, end)` of the text. */
interface Anchor {
  readonly from: number;
  readonly to: number;
  readonly start: number;
  readonly end: number;
  readonly edits: number;
}

/** Starting points, group by group: the next group is for when the one before led nowhere. */
function* anchorsOf(index: WordIndex, quote: readonly string[]): Generator<Anchor[]> {
  const solid = quote.map((word, i) => ({ word, i })).filter(({ word }) => word.length >= 3 && !FILLERS.has(word));
  const known = solid
    .filter(({ word }) => index.places(word).length > 0)
    .sort((a, b) => index.places(a.word).length - index.places(b.word).length);
  for (const { word, i } of known.slice(0, ANCHORS))
    yield index.places(word).map(at => ({ from: i, to: i + 1, start: at, end: at + 1, edits: 0 }));
  const unknown = solid
    .filter(({ word }) => index.places(word).length === 0)
    .sort((a, b) => b.word.length - a.word.length);
  for (const { word, i } of unknown.slice(0, ANCHORS)) {
    yield slipsOf(index, word).flatMap(({ spelling, edits }) =>
      index.places(spelling).map(at => ({ from: i, to: i + 1, start: at, end: at + 1, edits })),
    );
    yield halvesOf(index, word).map(at => ({ from: i, to: i + 1, start: at, end: at + 2, edits: 1 }));
  }
  for (let i = 0; i + 1 < quote.length; i++) {
    const [first, second] = [quote[i] as string, quote[i + 1] as string];
    if (first.length < SHORTEST_HALF || second.length < SHORTEST_HALF) continue;
    yield index.places(first + second).map(at => ({ from: i, to: i + 2, start: at, end: at + 1, edits: 1 }));
  }
}

function slipsOf(index: WordIndex, word: string): { spelling: string; edits: number }[] {
  const alike = index.alike(word).slice(0, MOST_CANDIDATES);
  return alike.flatMap(spelling => {
    const edits = slips(word, spelling);
    return edits === null ? [] : [{ spelling, edits }];
  });
}

/** Places where the word stands in two. */
function halvesOf(index: WordIndex, word: string): number[] {
  const found: number[] = [];
  for (let cut = SHORTEST_HALF; cut <= word.length - SHORTEST_HALF; cut++) {
    const places = index.places(word.slice(0, cut));
    if (places.length > MOST_CANDIDATES) continue;
    const rest = word.slice(cut);
    for (const at of places) if (index.words[at + 1] === rest) found.push(at);
  }
  return found;
}

/** Parts of words that are one or two letters apart and mean something else. */
const UNLIKE: readonly (readonly [string, string])[] = [
  ['phag', 'phas'],
  ['ureter', 'urethr'],
  ['kalemi', 'calcemi'],
  ['kalaemi', 'calcaemi'],
  ['otomy', 'ostomy'],
];

/** Edits between two spellings of a word; null where they are two words. */
function slips(a: string, b: string): number | null {
  if (a === b) return 0;
  if (UNLIKE.some(([x, y]) => (a.includes(x) && b.includes(y)) || (a.includes(y) && b.includes(x)))) return null;
  const shorter = Math.min(a.length, b.length);
  if (shorter < SHORTEST_SLIP || a.slice(0, 4) !== b.slice(0, 4) || /\p{N}/u.test(a + b)) return null;
  const most = shorter >= 12 ? 2 : 1;
  const edits = editDistance(a, b, most);
  return edits > most ? null : edits;
}

function align(words: readonly string[], quote: readonly string[], anchor: Anchor, most: number): Candidate | null {
  const before = extend({
    words,
    quote,
    at: anchor.start - 1,
    next: anchor.from - 1,
    step: -1,
    most: most - anchor.edits,
  });
  if (before === null) return null;
  const left = most - anchor.edits - before.edits;
  const after = extend({ words, quote, at: anchor.end, next: anchor.to, step: 1, most: left });
  if (after === null) return null;
  return { start: before.at + 1, end: after.at, edits: anchor.edits + before.edits + after.edits };
}

interface Extension {
  readonly words: readonly string[];
  readonly quote: readonly string[];
  /** The next word of the text, and of the quote. */
  readonly at: number;
  readonly next: number;
  readonly step: 1 | -1;
  readonly most: number;
}

/** Pairs words outwards until the quote is used up; `at` is the first word of the text that was not needed. */
function extend({ words, quote, at, next, step, most }: Extension): { at: number; edits: number } | null {
  let edits = 0;
  const joined = (a: string | undefined, b: string | undefined): string | null => {
    if (a === undefined || b === undefined || a.length < SHORTEST_HALF || b.length < SHORTEST_HALF) return null;
    return step > 0 ? a + b : b + a;
  };
  while (quote[next] !== undefined) {
    const wanted = quote[next] as string;
    const given = words[at];
    const slip = given === undefined ? null : slips(wanted, given);
    if (slip !== null) {
      edits += slip;
      at += step;
      next += step;
    } else if (mayBeLeftOut(quote, next, given)) {
      edits += wanted.length + 1;
      next += step;
    } else if (given !== undefined && FILLERS.has(given)) {
      edits += given.length + 1;
      at += step;
    } else if (joined(given, words[at + step]) === wanted) {
      edits += 1;
      at += 2 * step;
      next += step;
    } else if (given !== undefined && joined(wanted, quote[next + step]) === given) {
      edits += 1;
      at += step;
      next += 2 * step;
    } else return null;
    if (edits > most) return null;
  }
  return { at, edits };
}

/** An article, that is: "A" may also say which one, as in type A, and does so at the end, or where the text says another. */
function mayBeLeftOut(quote: readonly string[], at: number, given: string | undefined): boolean {
  const word = quote[at] as string;
  if (word !== 'a') return FILLERS.has(word);
  return at < quote.length - 1 && given?.length !== 1;
}

function lengthOf(words: readonly string[]): number {
  return words.reduce((sum, word) => sum + word.length + 1, -1);
}
