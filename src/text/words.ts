/** Word pieces to words: the unit in which mentions are decided and scores are counted. */
import type { Span } from '../core/span.ts';
import type { Tokens } from '../core/tokens.ts';

export interface Words {
  readonly count: number;
  /** First code point of each word. */
  readonly starts: Int32Array;
  /** One past the last code point of each word. */
  readonly ends: Int32Array;
  /** Row-major [words × heads]: the mean logit of the word's pieces. */
  readonly logits: Float32Array;
}

/** @param logits row-major [tokens × heads]. */
export function toWords(tokens: Tokens, logits: Float32Array, heads: number): Words {
  const pieces = tokens.ids.length;
  const starts = new Int32Array(pieces);
  const ends = new Int32Array(pieces);
  const means = new Float32Array(pieces * heads);
  let count = 0;
  for (let first = 0; first < pieces; ) {
    let last = first + 1;
    while (last < pieces && tokens.words[last] === tokens.words[first]) last++;
    starts[count] = tokens.starts[first] as number;
    ends[count] = tokens.ends[last - 1] as number;
    for (let head = 0; head < heads; head++) {
      let sum = 0;
      for (let piece = first; piece < last; piece++) sum += logits[piece * heads + head] as number;
      means[count * heads + head] = sum / (last - first);
    }
    count++;
    first = last;
  }
  return {
    count,
    starts: starts.subarray(0, count),
    ends: ends.subarray(0, count),
    logits: means.subarray(0, count * heads),
  };
}

export const OUTSIDE = 0;
export const INSIDE = 1;
/** A span cuts through the word: it is neither, and no score counts it. */
export const MISSING = 2;

/** One of OUTSIDE, INSIDE and MISSING for each word. @param spans in any order, possibly overlapping. */
export function labelWords(words: Pick<Words, 'count' | 'starts' | 'ends'>, spans: readonly Span[]): Uint8Array {
  const labels = new Uint8Array(words.count);
  for (const span of spans) {
    for (let i = firstEndingAfter(words.ends, words.count, span.start); i < words.count; i++) {
      const start = words.starts[i] as number;
      if (start >= span.end) break;
      if (start >= span.start && (words.ends[i] as number) <= span.end) labels[i] = INSIDE;
      else if (labels[i] === OUTSIDE) labels[i] = MISSING;
    }
  }
  return labels;
}

function firstEndingAfter(ends: Int32Array, count: number, point: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const mid = (low + high) >> 1;
    if ((ends[mid] as number) > point) high = mid;
    else low = mid + 1;
  }
  return low;
}
