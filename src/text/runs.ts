/** Runs of words on one line. Mentions that wrap over a line end are rarer than lists with one mention a line. */
import type { CodePointIndex } from './code-points.ts';
import type { Words } from './words.ts';

export interface Run {
  /** First word. */
  readonly first: number;
  /** One past the last word. */
  readonly last: number;
}

/** Maximal runs of words that are `chosen`, in text order; a line end between two words ends a run. */
export function runsOf(index: CodePointIndex, words: Words, chosen: (word: number) => boolean): Run[] {
  const runs: Run[] = [];
  let first = -1;
  const close = (last: number): void => {
    if (first >= 0) runs.push({ first, last });
    first = -1;
  };
  for (let i = 0; i < words.count; i++) {
    if (!chosen(i)) {
      close(i);
      continue;
    }
    if (first >= 0 && hasLineEnd(index, words.ends[i - 1] as number, words.starts[i] as number)) close(i);
    if (first < 0) first = i;
  }
  close(words.count);
  return runs;
}

function hasLineEnd(index: CodePointIndex, from: number, to: number): boolean {
  if (to - from < 1) return false;
  return /[\n\v\f\r\x85\u2028\u2029]/.test(index.slice(from, to));
}
