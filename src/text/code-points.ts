/**
 * Between JavaScript's UTF-16 and our code points. Every offset of the product is a code point into the text exactly as
 * received; only this file knows that strings are stored otherwise.
 */

/** One checkpoint for this many code points; a lookup walks at most this far. */
const STRIDE = 64;

export class CodePointIndex {
  readonly text: string;
  /** Length of the text in code points; half of a surrogate pair counts as one. */
  readonly length: number;
  /** UTF-16 position of every STRIDE-th code point; null when the two units agree, which is nearly always. */
  readonly #checkpoints: Int32Array | null;

  constructor(text: string) {
    this.text = text;
    if (!/[\ud800-\udbff][\udc00-\udfff]/.test(text)) {
      this.length = text.length;
      this.#checkpoints = null;
      return;
    }
    const checkpoints = new Int32Array(Math.ceil(text.length / STRIDE) + 1);
    let points = 0;
    for (let unit = 0; unit < text.length; unit += widthAt(text, unit)) {
      if (points % STRIDE === 0) checkpoints[points / STRIDE] = unit;
      points++;
    }
    this.length = points;
    this.#checkpoints = checkpoints;
  }

  /** UTF-16 position of a code point, `0 ≤ point ≤ length`. @throws RangeError outside. */
  toUtf16(point: number): number {
    if (!(point >= 0 && point <= this.length)) throw new RangeError(`code point ${point} of ${this.length}`);
    if (this.#checkpoints === null) return point;
    if (point === this.length) return this.text.length;
    let unit = this.#checkpoints[Math.floor(point / STRIDE)] as number;
    for (let left = point % STRIDE; left > 0; left--) unit += widthAt(this.text, unit);
    return unit;
  }

  /** The code points `[start, end)`. */
  slice(start: number, end: number): string {
    return this.text.slice(this.toUtf16(start), this.toUtf16(end));
  }
}

/** UTF-16 units of the code point at a position: 2 for a surrogate pair, else 1. */
export function widthAt(text: string, unit: number): 1 | 2 {
  return (text.codePointAt(unit) ?? 0) > 0xffff ? 2 : 1;
}
