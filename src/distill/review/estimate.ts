/**
 * What the adjusted score would be if the errors nobody has reviewed were like those that somebody has: an estimate, and no more. The
 * verdicts still to come are drawn one after the other from Pólya's urn, which is what a share unknown to begin with (Jeffreys' prior)
 * makes of the verdicts seen; so the interval is wide after few, and a point once all are reviewed.
 */
import { type Interval, seeded } from '../../evaluation/bootstrap.ts';
import { type Counts, scores, sum } from '../../evaluation/counts.ts';
import type { DocumentCounts } from '../measure.ts';
import { adjustedCounts, type Judge } from './adjusted.ts';
import type { ErrorKind, ReviewDocument, SpanError } from './errors.ts';

/** Verdicts of a kind without which nothing is said of the rest of the kind. */
export const FEWEST_JUDGED = 5;
const DRAWS = 1000;
const KINDS: readonly ErrorKind[] = ['fp', 'fn'];

export interface EstimatedF1 {
  /** The median. */
  readonly f1: number;
  /** 95 %, of the verdicts still to come only: not of the choice of documents. */
  readonly interval: Interval;
}

export type Estimate = Readonly<Record<keyof DocumentCounts, EstimatedF1>>;

interface Urn {
  /** Verdicts seen, and how many say that the tagger was right. */
  readonly judged: number;
  readonly right: number;
  /** What it would change if the tagger was right, for each error still to be reviewed. */
  readonly changes: readonly DocumentCounts[];
}

/** @param documents of one task. @returns null where a kind with errors to review has fewer than FEWEST_JUDGED verdicts. */
export function estimate(documents: readonly ReviewDocument[], judge: Judge, seed: number): Estimate | null {
  const adjusted = documents.map(each => adjustedCounts(each, judge));
  const urns = KINDS.map(kind => urnOf(documents, adjusted, kind, judge));
  if (urns.some(({ judged, changes }) => changes.length > 0 && judged < FEWEST_JUDGED)) return null;
  const random = seeded(seed);
  const base = total(adjusted);
  const draws = Array.from({ length: DRAWS }, () => total([base, ...urns.flatMap(urn => draw(urn, random))]));
  const of = (level: keyof DocumentCounts): EstimatedF1 => {
    const found = draws.map(each => scores(each[level]).f1).sort((a, b) => a - b);
    const at = (share: number): number => found[Math.min(DRAWS - 1, Math.floor(share * DRAWS))] as number;
    return { f1: at(0.5), interval: { low: at(0.025), high: at(0.975) } };
  };
  return { token: of('token'), exact: of('exact'), relaxed: of('relaxed') };
}

/** Those that cannot be told, or of which reviewers disagree, are reviewed, and teach nothing about the rest. */
export function isJudged(judgement: ReturnType<Judge>): boolean {
  return judgement !== undefined && judgement !== 'cannot-tell' && judgement !== 'disagreed';
}

function urnOf(
  documents: readonly ReviewDocument[],
  adjusted: readonly DocumentCounts[],
  kind: ErrorKind,
  judge: Judge,
): Urn {
  let [judged, right] = [0, 0];
  const changes: DocumentCounts[] = [];
  documents.forEach((document, i) => {
    for (const error of document.errors.filter(each => each.kind === kind)) {
      const judgement = judge(error);
      if (isJudged(judgement)) judged++;
      if (judgement === 'tagger-right') right++;
      if (judgement === undefined) changes.push(changeBy(error, document, adjusted[i] as DocumentCounts, judge));
    }
  });
  return { judged, right, changes };
}

/** Changes of several errors that overlap do not quite add up; they are taken to. */
function changeBy(error: SpanError, document: ReviewDocument, now: DocumentCounts, judge: Judge): DocumentCounts {
  const then = adjustedCounts(document, each => (each === error ? 'tagger-right' : judge(each)));
  const less = (a: Counts, b: Counts): Counts => ({ tp: a.tp - b.tp, fp: a.fp - b.fp, fn: a.fn - b.fn });
  return {
    token: less(then.token, now.token),
    exact: less(then.exact, now.exact),
    relaxed: less(then.relaxed, now.relaxed),
  };
}

function draw({ judged, right, changes }: Urn, random: () => number): DocumentCounts[] {
  let [white, all] = [right + 0.5, judged + 1];
  return changes.filter(() => {
    const drawn = random() * all < white;
    if (drawn) white++;
    all++;
    return drawn;
  });
}

function total(counts: readonly DocumentCounts[]): DocumentCounts {
  const of = (level: keyof DocumentCounts): Counts => sum(counts.map(each => each[level]));
  return { token: of('token'), exact: of('exact'), relaxed: of('relaxed') };
}
