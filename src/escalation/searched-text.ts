/** One text, cut once, as the three searches need it, and the way back from what they find to its code points. */
import type { Span } from '../core/span.ts';
import { countBreaks } from '../text/breaks.ts';
import { compatible } from '../text/fold.ts';
import { type NormalWords, toNormalWords } from '../text/normal-words.ts';
import { isInsideNumber, type Pieces, pieceAt, toPieces } from '../text/pieces.ts';
import type { Mark } from './grounded.ts';
import { WordIndex } from './word-index.ts';

export type Place = Pick<Mark, 'start' | 'end' | 'from' | 'to'>;

export class SearchedText {
  readonly text: string;
  readonly #pieces: Pieces;
  #normal: NormalWords | undefined;
  #index: WordIndex | undefined;
  #breaks: Int32Array | undefined;

  constructor(text: string) {
    this.text = text;
    this.#pieces = toPieces(text);
  }

  /** Every piece as it stands. */
  *pieces(): Generator<string> {
    for (let i = 0; i < this.#pieces.count; i++) yield pieceAt(this.#pieces, i);
  }

  /** Folded, without what only separates. Called words, although punctuation is among them. */
  get words(): readonly string[] {
    return this.#normalForm().words;
  }

  get index(): WordIndex {
    this.#index ??= new WordIndex(this.words);
    return this.#index;
  }

  /** Whether the text stops saying one thing within the words `[first, last)`. */
  isBroken(first: number, last: number): boolean {
    this.#breaks ??= countBreaks(this.#pieces, this.#normalForm());
    return this.#breaks[first] !== this.#breaks[last - 1];
  }

  /** A word of the normal form before case folding. */
  cased(word: number): string {
    return compatible(pieceAt(this.#pieces, this.#normalForm().pieces[word] as number));
  }

  /** Pieces `[first, last)`. */
  placeOfPieces(first: number, last: number): Place {
    const { points, units } = this.#pieces;
    return {
      start: points[first] as number,
      end: points[last] as number,
      from: units[first] as number,
      to: units[last] as number,
    };
  }

  /** Words `[first, last)` of the normal form, with what separates them. */
  placeOfWords(first: number, last: number): Place {
    const { pieces } = this.#normalForm();
    return this.placeOfPieces(pieces[first] as number, (pieces[last - 1] as number) + 1);
  }

  /** Whether it would quote another number than the text has. */
  cutsNumber({ from, to }: Place): boolean {
    return isInsideNumber(this.text, from) || isInsideNumber(this.text, to);
  }

  /** @param part UTF-16 units from the beginning of piece `first`; it may cut words. */
  placeOfPart(first: number, part: Span): Place {
    const unit = this.#pieces.units[first] as number;
    const [from, to] = [unit + part.start, unit + part.end];
    const start = (this.#pieces.points[first] as number) + countPoints(this.text.slice(unit, from));
    return { start, end: start + countPoints(this.text.slice(from, to)), from, to };
  }

  #normalForm(): NormalWords {
    this.#normal ??= toNormalWords(this.#pieces);
    return this.#normal;
  }
}

function countPoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
