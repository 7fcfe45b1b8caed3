/** Span-level scores of one document and task: exact, and relaxed as in Hu et al. (arXiv 2411.10020), where any overlap counts. */
import type { Span } from '../core/span.ts';
import type { Counts } from './counts.ts';

/** A found span is right when a gold span has the same start and end. */
export function exactCounts(gold: readonly Span[], found: readonly Span[]): Counts {
  const wanted = new Set(gold.map(key));
  const given = new Set(found.map(key));
  const tp = [...given].filter(each => wanted.has(each)).length;
  return { tp, fp: given.size - tp, fn: wanted.size - tp };
}

/** Overlapping spans are paired one to one, greedily in text order; what finds no partner is wrong or missed. */
export function relaxedCounts(gold: readonly Span[], found: readonly Span[]): Counts {
  const { pairs, wrong, missed } = pairOverlapping(gold, found);
  return { tp: pairs, fp: wrong.length, fn: missed.length };
}

/** How many pairs there are, and which spans are in none, in text order. */
export function pairOverlapping(
  gold: readonly Span[],
  found: readonly Span[],
): { readonly pairs: number; readonly wrong: readonly Span[]; readonly missed: readonly Span[] } {
  const wanted = inOrder(gold);
  const given = inOrder(found);
  const wrong: Span[] = [];
  const missed: Span[] = [];
  let g = 0;
  let f = 0;
  while (g < wanted.length && f < given.length) {
    const want = wanted[g] as Span;
    const got = given[f] as Span;
    if (want.end <= got.start) {
      missed.push(want);
      g++;
    } else if (got.end <= want.start) {
      wrong.push(got);
      f++;
    } else {
      g++;
      f++;
    }
  }
  wrong.push(...given.slice(f));
  missed.push(...wanted.slice(g));
  return { pairs: given.length - wrong.length, wrong, missed };
}

function inOrder(spans: readonly Span[]): Span[] {
  const unique = new Map(spans.map(span => [key(span), span]));
  return [...unique.values()].sort((a, b) => a.start - b.start || a.end - b.end);
}

function key({ start, end }: Span): string {
  return `${start}-${end}`;
}
