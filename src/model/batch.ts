/** What goes into a session and what comes out of it. */

/** Rows of token ids, special tokens included, padded to the longest. */
export interface Batch {
  /** Row-major [rows × columns]. */
  readonly ids: Int32Array<ArrayBuffer>;
  /** Tokens of each row that are not padding. */
  readonly lengths: Int32Array<ArrayBuffer>;
  readonly columns: number;
}

export interface BatchResult {
  /** Row-major [rows × columns × heads]. */
  readonly logits: Float32Array;
  /** Milliseconds inside the session. */
  readonly runMs: number;
}

/** Rows of equal or different length to one batch; each row gets its special tokens here. @param rows without special tokens. */
export function packBatch(rows: readonly Int32Array[], special: { cls: number; sep: number; pad: number }): Batch {
  const columns = rows.reduce((longest, row) => Math.max(longest, row.length), 0) + 2;
  const ids = new Int32Array(rows.length * columns).fill(special.pad);
  const lengths = new Int32Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as Int32Array;
    const at = i * columns;
    ids[at] = special.cls;
    ids.set(row, at + 1);
    ids[at + row.length + 1] = special.sep;
    lengths[i] = row.length + 2;
  }
  return { ids, lengths, columns };
}
