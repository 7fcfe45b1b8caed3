/**
 * Many phrases looked for at once, as sequences of small integers: from each place of a text the walk goes no deeper than the longest
 * phrase, so the work is bounded by places × longest phrase, however the phrases repeat or contain each other.
 */
export class PhraseTrie {
  /** Pieces of any phrase; a text's piece that is none of them stops every walk. */
  readonly #ids = new Map<string, number>();
  /** Edges by `node × SPREAD + piece`. */
  readonly #edges = new Map<number, number>();
  readonly #values: number[][] = [[]];

  /** @param value what `walk` reports where the phrase ends; several phrases may share their pieces. */
  add(phrase: readonly string[], value: number): void {
    let node = 0;
    for (const piece of phrase) {
      const edge = node * SPREAD + this.#idOf(piece);
      let next = this.#edges.get(edge);
      if (next === undefined) {
        next = this.#values.push([]) - 1;
        this.#edges.set(edge, next);
      }
      node = next;
    }
    (this.#values[node] as number[]).push(value);
  }

  /** A text's piece as `walk` wants it; −1 when no phrase has it. */
  id(piece: string): number {
    return this.#ids.get(piece) ?? -1;
  }

  /** Calls `found` for each phrase that stands at `from`, shorter ones first; `end` is one past its last piece. */
  walk(ids: Int32Array, from: number, found: (value: number, end: number) => void): void {
    let node = 0;
    for (let i = from; i < ids.length; i++) {
      const id = ids[i] as number;
      const next = id < 0 ? undefined : this.#edges.get(node * SPREAD + id);
      if (next === undefined) return;
      node = next;
      for (const value of this.#values[node] as number[]) found(value, i + 1);
    }
  }

  #idOf(piece: string): number {
    let id = this.#ids.get(piece);
    if (id === undefined) {
      id = this.#ids.size;
      this.#ids.set(piece, id);
    }
    return id;
  }
}

/** More than any number of distinct pieces; products of nodes and pieces stay exact integers. */
const SPREAD = 2 ** 24;
