/**
 * A text as BERT's tokenizer should read it, one code point for one, so that offsets stay. Its normalizer deletes control characters, those of
 * private use and U+FFFD before words are told apart, and its pre-tokenizer takes a symbol for a letter: two words around a page break,
 * a bullet of Word, a tick or an arrow would be one word that nobody knows, and what they say would be lost without a doubt.
 * `readable` in src/distill/trainer/corpus.py does the same for training.
 */

/**
 * What white space stands for: page breaks (form feed), soft line breaks of Word (vertical tab), line ends from EBCDIC (U+0085), dashes
 * of cp1252 read as Latin-1, and the space of no width.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
const SPACES = /[\v\f\x1c-\x1f\x80-\x9f\u200b]/g;

/** Cell marks and other controls, bullets from the fonts of Word, and what could not be decoded: never part of a word. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
const DELETED = /[\0-\x08\x0e-\x1b\x7f\ufffd\p{Co}]/gu;

/** Not those that belong to the word or number before them, which the model knows. */
const SYMBOL = String.raw`(?![\0-\x7f©®°™℃℉])[\p{S}\u2460-\u24ff\u2776-\u2793]`;

/** One that touches a word. Between digits it is of a number, such as 5×3; marks and characters of no width are looked through. */
const GLUED = new RegExp(
  String.raw`(?<=[\p{L}\p{M}])${SYMBOL}|(?<=\p{N})${SYMBOL}(?!\p{N})|${SYMBOL}(?=[\p{M}\p{Cf}]{0,8}\p{L})`,
  'gu',
);

/** Symbols that are typed for a hyphen or an apostrophe. */
const MEANT: Readonly<Record<string, string>> = { '\u2212': '-', '\u00b4': "'" };

export function readable(text: string): string {
  if (/^[\t\n\r\x20-\x7e]*$/.test(text)) return text;
  return text
    .replace(SPACES, ' ')
    .replace(DELETED, '•')
    .replace(GLUED, symbol => MEANT[symbol] ?? '•');
}
