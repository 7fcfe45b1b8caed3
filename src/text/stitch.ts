/** Puts the logits of a note's windows together to one row a token, each taken from the window that owns it. */
import type { TokenWindow } from '../core/tokens.ts';
import { ownedRange } from './windows.ts';

/** Accepts windows in any order and keeps only what they own, so that a long note never holds all its windows at once. */
export class Stitcher {
  /** Row-major [tokens × heads]. */
  readonly logits: Float32Array;
  readonly #windows: readonly TokenWindow[];
  readonly #heads: number;

  constructor(windows: readonly TokenWindow[], tokens: number, heads: number) {
    this.#windows = windows;
    this.#heads = heads;
    this.logits = new Float32Array(tokens * heads);
  }

  /** @param source row-major [tokens × heads], in which token 0 of window `i` is row `firstRow`. */
  add(i: number, source: Float32Array, firstRow: number): void {
    const window = this.#windows[i] as TokenWindow;
    const owned = ownedRange(this.#windows, i);
    const from = (firstRow + owned.start - window.start) * this.#heads;
    const length = (owned.end - owned.start) * this.#heads;
    this.logits.set(source.subarray(from, from + length), owned.start * this.#heads);
  }
}
