/**
 * Many phrases looked for at once, as sequences of small integers: from each place of a text the walk goes no deeper than the longest
 * phrase, so the work is bounded by places × longest phrase, however the phrases repeat or contain each other.
 */

const NONE = -1;

interface Node {
  /** The first edge; most nodes have no other. */
  piece: number;
  next: Node | null;
  others: Map<number, Node> | null;
  /** Of the phrases that end here. */
  readonly values: number[];
}

export class PhraseTrie {
  /** Pieces of any phrase; a text's piece that is none of them stops every walk. */
  readonly #ids = new Map<string, number>();
  readonly #root = newNode();

  /** @param value what `walk` reports where the phrase ends; several phrases may share their pieces. */
  add(phrase: readonly string[], value: number): void {
    let node = this.#root;
    for (const piece of phrase) {
      const id = this.#idOf(piece);
      node = step(node, id) ?? grow(node, id);
    }
    node.values.push(value);
  }

  /** A text's piece as `walk` wants it; −1 when no phrase has it. */
  id(piece: string): number {
    return this.#ids.get(piece) ?? NONE;
  }

  /** Calls `found` for each phrase that stands at `from`, shorter ones first; `end` is one past its last piece. */
  walk(ids: Int32Array, from: number, found: (value: number, end: number) => void): void {
    let node: Node | null = this.#root;
    for (let i = from; i < ids.length; i++) {
      node = step(node, ids[i] as number);
      if (node === null) return;
      for (const value of node.values) found(value, i + 1);
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

function newNode(): Node {
  return { piece: NONE, next: null, others: null, values: [] };
}

function step(node: Node, piece: number): Node | null {
  if (node.piece === piece) return node.next;
  return node.others?.get(piece) ?? null;
}

function grow(node: Node, piece: number): Node {
  const next = newNode();
  if (node.next === null) {
    node.piece = piece;
    node.next = next;
  } else {
    node.others ??= new Map();
    node.others.set(piece, next);
  }
  return next;
}
