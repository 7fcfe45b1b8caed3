/**
 * A dictionary of hundreds of thousands of terms in a few flat arrays: the file's own bytes, and a hash table of all beginnings of
 * terms, word by word. The longest term at a place is found by walking on while a beginning is known; a hit is compared with the term
 * itself, so that a collision of hashes can cost time and never an answer.
 */
import { compatible } from '../text/fold.ts';
import { type NormalWords, toNormalWords } from '../text/normal-words.ts';
import { type Pieces, pieceAt, toPieces } from '../text/pieces.ts';

export interface Term {
  /** As the ontology writes it. */
  readonly name: string;
  /** Empty where the source has none. */
  readonly code: string;
  /** Key of the source, explained by whoever made the file. */
  readonly source: string;
}

export interface TermMatch {
  readonly term: Term;
  /** Words `[first, last)` of the text's normal form. */
  readonly first: number;
  readonly last: number;
}

/** Up to this many letters, a term in capitals matches capitals only: "ALL" is a leukaemia, "all" is not. */
const LONGEST_ABBREVIATION = 5;

const NONE = -1;
const TAB = 9;
const NEWLINE = 10;
const SPACE = 32;
const HYPHEN = 45;

export class TermIndex {
  /** Lines `name TAB code TAB source`. */
  readonly #lines: Buffer;
  readonly #starts: Int32Array;
  /** Open addressing: hash of a beginning of a term, and the term that ends there or NONE. Hash 0 is a free slot. */
  readonly #hashes: Uint32Array;
  readonly #terms: Int32Array;
  readonly #mask: number;

  /** @param lines UTF-8, `name TAB code TAB source` each, ended by a newline, no two with the same normal form. */
  constructor(lines: Buffer) {
    this.#lines = lines;
    this.#starts = lineStarts(lines);
    const slots = 2 ** Math.ceil(Math.log2(2.5 * countBeginnings(lines) + 16));
    this.#mask = slots - 1;
    this.#hashes = new Uint32Array(slots);
    this.#terms = new Int32Array(slots).fill(NONE);
    for (let i = 0; i < this.size; i++) this.#add(i);
  }

  get size(): number {
    return this.#starts.length - 1;
  }

  /** Bytes held outside the heap. */
  get bytes(): number {
    return this.#lines.length + this.#starts.byteLength + this.#hashes.byteLength + this.#terms.byteLength;
  }

  /** The longest terms of a text, from left to right, none overlapping another. */
  match(pieces: Pieces, normal: NormalWords): TermMatch[] {
    const { words } = normal;
    const found: TermMatch[] = [];
    for (let first = 0; first < words.length; ) {
      const match = this.#longest(pieces, normal, first);
      if (match !== null) found.push(match);
      first = match?.last ?? first + 1;
    }
    return found;
  }

  #longest(pieces: Pieces, normal: NormalWords, first: number): TermMatch | null {
    let longest: TermMatch | null = null;
    let hash = SEED;
    for (let i = first; i < normal.words.length; i++) {
      const word = normal.words[i] as string;
      const before = hash;
      hash = extend(hash, hashWord(word, word.length));
      const slot = this.#slot(hash);
      let term = slot < 0 ? NONE : (this.#terms[slot] as number);
      let stripped = false;
      if (term === NONE && isPlural(word)) {
        const singular = this.#slot(extend(before, hashWord(word, word.length - 1)));
        term = singular < 0 ? NONE : (this.#terms[singular] as number);
        stripped = true;
      }
      if (term !== NONE) {
        const candidate = this.#term(term);
        if (says(candidate, pieces, normal, first, i + 1, stripped)) longest = { term: candidate, first, last: i + 1 };
      }
      if (slot < 0) break;
    }
    return longest;
  }

  #term(i: number): Term {
    const line = this.#lines.toString('utf8', this.#starts[i], (this.#starts[i + 1] as number) - 1);
    const [name = '', code = '', source = ''] = line.split('\t');
    return { name, code, source };
  }

  /** The slot of a known beginning, or negative: −1 − the free slot where it would go. */
  #slot(hash: number): number {
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const there = this.#hashes[slot] as number;
      if (there === hash) return slot;
      if (there === 0) return -1 - slot;
    }
  }

  #enter(hash: number): number {
    let slot = this.#slot(hash);
    if (slot < 0) {
      slot = -1 - slot;
      this.#hashes[slot] = hash;
    }
    return slot;
  }

  #add(i: number): void {
    const from = this.#starts[i] as number;
    const end = this.#lines.indexOf(TAB, from);
    let hash = SEED;
    let slot = NONE;
    const word = (wordHash: number): void => {
      hash = extend(hash, wordHash);
      slot = this.#enter(hash);
    };
    if (isAscii(this.#lines, from, end)) asciiWords(this.#lines, from, end, word);
    else {
      const pieces = toPieces(this.#lines.toString('utf8', from, end));
      for (const each of toNormalWords(pieces).words) word(hashWord(each, each.length));
    }
    if (slot !== NONE && this.#terms[slot] === NONE) this.#terms[slot] = i;
  }
}

/** Whether the text really says the term, in capitals where the term is an abbreviation. */
function says(
  term: Term,
  pieces: Pieces,
  normal: NormalWords,
  first: number,
  last: number,
  stripped: boolean,
): boolean {
  const own = toPieces(term.name);
  const { words, pieces: at } = toNormalWords(own);
  if (words.length !== last - first) return false;
  const cased = isAbbreviation(term.name);
  return words.every((word, k) => {
    const plural = stripped && k === words.length - 1;
    const given = normal.words[first + k] as string;
    if (given !== (plural ? `${word}s` : word)) return false;
    if (!cased) return true;
    const written = compatible(pieceAt(pieces, normal.pieces[first + k] as number));
    return written === compatible(pieceAt(own, at[k] as number)) + (plural ? 's' : '');
  });
}

export function isAbbreviation(name: string): boolean {
  const letters = name.replace(/\P{L}/gu, '');
  return letters.length <= LONGEST_ABBREVIATION && /\p{Lu}/u.test(name) && !/\p{Ll}{2}/u.test(name);
}

/** A plural that a singular term may stand for; "ss" and "is" are no plural. */
function isPlural(word: string): boolean {
  return word.length >= 5 && word.endsWith('s') && !/(?:ss|is|us)$/.test(word);
}

// FNV-1a over UTF-16 units (which are the bytes of ASCII), then over the hashes of words.
const SEED = 0x811c9dc5;

function hashWord(word: string, length: number): number {
  let hash = SEED;
  for (let i = 0; i < length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

function extend(hash: number, wordHash: number): number {
  const mixed = Math.imul(Math.imul(hash ^ wordHash, 0x85ebca6b) ^ (wordHash >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0 || 1;
}

/** The words of ASCII bytes, exactly as pieces.ts and fold.ts make them, without making a string. */
function asciiWords(lines: Buffer, from: number, end: number, found: (hash: number) => void): void {
  for (let i = from; i < end; ) {
    let hash = SEED;
    const start = i;
    for (; i < end; i++) {
      const byte = lines[i] as number;
      const isLetter = (byte >= 97 && byte <= 122) || (byte >= 65 && byte <= 90) || (byte >= 48 && byte <= 57);
      if (!isLetter) break;
      hash = Math.imul(hash ^ (byte >= 65 && byte <= 90 ? byte + 32 : byte), 0x01000193);
    }
    if (i > start) found(hash >>> 0);
    if (i === end) return;
    const byte = lines[i++] as number;
    if (byte === SPACE || byte === HYPHEN) continue;
    // fold() makes ' of `
    found(Math.imul(SEED ^ (byte === 96 ? 39 : byte), 0x01000193) >>> 0);
  }
}

function isAscii(lines: Buffer, from: number, end: number): boolean {
  for (let i = from; i < end; i++) if ((lines[i] as number) > 126 || (lines[i] as number) < 32) return false;
  return true;
}

function lineStarts(lines: Buffer): Int32Array {
  const starts: number[] = [0];
  for (let i = lines.indexOf(NEWLINE); i >= 0; i = lines.indexOf(NEWLINE, i + 1)) starts.push(i + 1);
  return Int32Array.from(starts);
}

/** At most as many beginnings as words: counted as runs of what is not a letter. */
function countBeginnings(lines: Buffer): number {
  let count = 0;
  for (let i = 0; i < lines.length; i++) {
    const byte = lines[i] as number;
    if (byte === SPACE || byte === HYPHEN || byte === NEWLINE || byte === 44 || byte === 47) count++;
  }
  return count;
}
