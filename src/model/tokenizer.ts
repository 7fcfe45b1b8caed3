/**
 * The one tokenizer: the official binding with the tokenizer.json that the trainer used. Offsets are code points; nothing is
 * truncated. A long text is encoded in pieces cut before white space, which gives the same tokens (BERT's pre-tokenizer splits
 * there anyway) and neither blocks the event loop nor holds one huge encoding.
 * `encode` in src/distill/trainer/corpus.py reads texts for training in the same way.
 */
import { Tokenizer } from 'tokenizers';
import type { Tokens } from '../core/tokens.ts';
import { ModelError } from './model-error.ts';
import { readable } from './readable.ts';

const PIECE_UNITS = 32_768;

export class TextTokenizer {
  readonly #tokenizer: Tokenizer;
  readonly #pieceUnits: number;

  /** @param pieceUnits UTF-16 units of a piece at which the next white space ends it. @throws ModelError MODEL_MISSING */
  constructor(file: string, pieceUnits = PIECE_UNITS) {
    try {
      this.#tokenizer = Tokenizer.fromFile(file);
    } catch (cause) {
      throw new ModelError('MODEL_MISSING', `${file} is not a tokenizer.json that can be read`, { cause });
    }
    this.#pieceUnits = pieceUnits;
  }

  async encode(original: string): Promise<Tokens> {
    const text = readable(original);
    const parts: Tokens[] = [];
    let point = 0;
    let word = 0;
    for (let from = 0; from < text.length; ) {
      const to = cut(text, from + this.#pieceUnits);
      const piece = text.slice(from, to);
      const tokens = await this.#encodePiece(piece, point, word);
      parts.push(tokens);
      point += countPoints(piece);
      word = (tokens.words.at(-1) ?? word - 1) + 1;
      from = to;
    }
    return parts.length === 1 ? (parts[0] as Tokens) : join(parts);
  }

  async #encodePiece(text: string, firstPoint: number, firstWord: number): Promise<Tokens> {
    const encoding = await this.#tokenizer.encode(text, null, { addSpecialTokens: false });
    const ids = Int32Array.from(encoding.getIds());
    const offsets = encoding.getOffsets();
    const wordIds = encoding.getWordIds();
    const starts = new Int32Array(ids.length);
    const ends = new Int32Array(ids.length);
    const words = new Int32Array(ids.length);
    for (let i = 0; i < ids.length; i++) {
      const offset = offsets[i] as [number, number];
      starts[i] = firstPoint + offset[0];
      ends[i] = firstPoint + offset[1];
      words[i] = firstWord + (wordIds[i] as number);
    }
    return { ids, starts, ends, words };
  }
}

/** The first white space at or after a position, or the end. A position inside a run of letters moves on until the run ends. */
function cut(text: string, at: number): number {
  if (at >= text.length) return text.length;
  const space = /[ \t\r\n]/g;
  space.lastIndex = at;
  return space.exec(text)?.index ?? text.length;
}

function countPoints(text: string): number {
  let pairs = 0;
  for (let i = 0; i < text.length - 1; i++) {
    if ((text.charCodeAt(i) & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) pairs++;
  }
  return text.length - pairs;
}

function join(parts: readonly Tokens[]): Tokens {
  const all = (field: keyof Tokens): Int32Array => {
    const joined = new Int32Array(parts.reduce((sum, part) => sum + part[field].length, 0));
    let at = 0;
    for (const part of parts) {
      joined.set(part[field], at);
      at += part[field].length;
    }
    return joined;
  };
  return { ids: all('ids'), starts: all('starts'), ends: all('ends'), words: all('words') };
}
