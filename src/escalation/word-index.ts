/** Where each word of a text stands, and which words begin alike: what the fuzzy search starts from. Made once for a text, in linear time. */

/** Letters that two spellings of a word must share at the beginning: "hyper" is no slip for "hypo", nor "abduct" for "adduct". */
export const SHARED_PREFIX = 4;
/** Shorter words are equal or different: at five letters one slip makes "wrist" of "waist". */
export const SHORTEST_SLIP = 6;

export class WordIndex {
  /** Folded words and punctuation without separators, in text order. */
  readonly words: readonly string[];
  readonly #places = new Map<string, number[]>();
  readonly #alike = new Map<string, string[]>();

  constructor(words: readonly string[]) {
    this.words = words;
    words.forEach((word, i) => {
      const places = this.#places.get(word);
      if (places !== undefined) {
        places.push(i);
        return;
      }
      this.#places.set(word, [i]);
      if (word.length < SHORTEST_SLIP) return;
      const prefix = word.slice(0, SHARED_PREFIX);
      const alike = this.#alike.get(prefix);
      if (alike === undefined) this.#alike.set(prefix, [word]);
      else alike.push(word);
    });
  }

  /** Indices into `words`, rising. */
  places(word: string): readonly number[] {
    return this.#places.get(word) ?? [];
  }

  /** Distinct words of the text that begin as this one does, in text order. */
  alike(word: string): readonly string[] {
    return word.length < SHORTEST_SLIP ? [] : (this.#alike.get(word.slice(0, SHARED_PREFIX)) ?? []);
  }
}
