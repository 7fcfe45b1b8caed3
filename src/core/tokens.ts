/** A text cut into word pieces, and the heads that judge them. Shared by the model (which makes tokens) and the text (which reads them). */
import type { Task } from './span.ts';

/** Word pieces of one text without special tokens, in text order; all arrays have the same length. */
export interface Tokens {
  /** Vocabulary ids. */
  readonly ids: Int32Array;
  /** First code point of each piece. */
  readonly starts: Int32Array;
  /** One past the last code point of each piece. */
  readonly ends: Int32Array;
  /** Which word (run of letters and digits, or one punctuation mark) each piece belongs to: 0, 0, 1, 2, 2 … never falling. */
  readonly words: Int32Array;
}

/** How one Inside/Outside head of the model is read: a word is Inside when sigmoid(mean logit / temperature) ≥ threshold. */
export interface Head {
  readonly task: Task;
  /** Decision threshold on the calibrated probability, tuned on dev. */
  readonly threshold: number;
  /** Temperature that calibrates the logits, fitted on dev; greater than 0. */
  readonly temperature: number;
}

/** A run of tokens `[start, end)` that the model sees at once, without its special tokens. */
export interface TokenWindow {
  readonly start: number;
  readonly end: number;
}
