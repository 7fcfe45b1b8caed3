/** Scores against the gold as reviewers correct it: only what has been reviewed moves. */
import type { Span } from '../../core/span.ts';
import { pairOverlapping } from '../../evaluation/span-scores.ts';
import { countReading, type DocumentCounts } from '../measure.ts';
import { type ErrorKind, type ReviewDocument, type SpanError, spanKey } from './errors.ts';
import type { Verdict, VerdictLog } from './verdicts.ts';

/** `disagreed`: as many reviewers say one thing as another. */
export type Judgement = Verdict | 'disagreed';

/** What is said of an error; undefined while nobody has reviewed it. */
export type Judge = (error: SpanError) => Judgement | undefined;

/** The last verdict of each reviewer; of several reviewers, what most of them say. */
export function judgeBy(log: Pick<VerdictLog, 'on'>): Judge {
  return error => {
    const counts = new Map<Verdict, number>();
    for (const { verdict } of log.on(error).values()) counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
    const most = Math.max(0, ...counts.values());
    const first = [...counts].filter(([, count]) => count === most);
    return first.length > 1 ? 'disagreed' : first[0]?.[0];
  };
}

/**
 * Counts with the gold corrected. Where the tagger was right on a false positive, the gold gains its span; on a false negative, the gold
 * loses it. A border that alone differs makes a relaxed true positive of a span that found no partner, and moves nothing else.
 */
export function adjustedCounts(
  { words, reading, errors }: Pick<ReviewDocument, 'words' | 'reading' | 'errors'>,
  judge: Judge,
): DocumentCounts {
  const spansOf = (kind: ErrorKind, judgement: Judgement): SpanError[] =>
    errors.filter(each => each.kind === kind && judge(each) === judgement);
  const gained = spansOf('fp', 'tagger-right');
  const lost = new Set(spansOf('fn', 'tagger-right').map(spanKey));
  const { found, inside } = reading;
  const gold: Span[] = [...reading.gold.filter(span => !lost.has(spanKey(span))), ...gained];
  const counts = countReading(words, { gold, found, inside });
  const { wrong, missed } = pairOverlapping(gold, found);
  const borders = (kind: ErrorKind, unpaired: readonly Span[]): number => {
    const keys = new Set(unpaired.map(spanKey));
    return spansOf(kind, 'border').filter(each => keys.has(spanKey(each))).length;
  };
  const [fp, fn] = [borders('fp', wrong), borders('fn', missed)];
  const { relaxed } = counts;
  return { ...counts, relaxed: { tp: relaxed.tp + fp + fn, fp: relaxed.fp - fp, fn: relaxed.fn - fn } };
}
