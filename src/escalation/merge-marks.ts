/**
 * One task marks a code point once. Marks that overlap become one that covers them all: "chest pain" and "pain in the left arm" in
 * "chest pain in the left arm" mark the same words as both quotes did, and neither is lost. A mark inside another changes nothing.
 */
import type { Code } from '../teachers/teacher.ts';
import type { Alignment, Mark, Placed } from './grounded.ts';

const TRUST: Readonly<Record<Alignment, number>> = { exact: 0, normalised: 1, fuzzy: 2 };

/** @param text what the marks' UTF-16 offsets point into. @param marks in any order. */
export function mergeMarks(text: string, marks: readonly Mark[]): Placed[] {
  const sorted = [...marks].sort(
    (a, b) =>
      a.start - b.start || b.end - a.end || TRUST[a.alignment] - TRUST[b.alignment] || b.similarity - a.similarity,
  );
  const placed: Placed[] = [];
  for (let first = 0; first < sorted.length; ) {
    let { end, to } = sorted[first] as Mark;
    let last = first + 1;
    for (; last < sorted.length && (sorted[last] as Mark).start < end; last++) {
      const next = sorted[last] as Mark;
      if (next.end > end) ({ end, to } = next);
    }
    placed.push(one(text, sorted.slice(first, last), end, to));
    first = last;
  }
  return placed;
}

/** A mark that covers everything speaks for it, and only its codes mean the whole; else the least certain part does. */
function one(text: string, group: readonly Mark[], end: number, to: number): Placed {
  const { start, from } = group[0] as Mark;
  const whole = group.filter(mark => mark.start === start && mark.end === end);
  const speaker = whole[0] ?? group.reduce((a, b) => (weaker(a, b) ? a : b));
  const codes = distinct(whole.flatMap(mark => mark.codes));
  return {
    start,
    end,
    text: text.slice(from, to),
    alignment: speaker.alignment,
    similarity: speaker.similarity,
    ...(codes.length === 0 ? {} : { codes }),
  };
}

function weaker(a: Mark, b: Mark): boolean {
  return TRUST[a.alignment] > TRUST[b.alignment] || (a.alignment === b.alignment && a.similarity <= b.similarity);
}

function distinct(codes: readonly Code[]): Code[] {
  return [...new Map(codes.map(code => [`${code.system} ${code.code}`, code])).values()];
}
