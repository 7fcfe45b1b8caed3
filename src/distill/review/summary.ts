/** What a review has come to so far: raw and adjusted scores, how much of it is reviewed, and how much of the gold has gaps. */
import { type Share, shareOf } from '../../evaluation/proportion.ts';
import { type MeasureResult, summarise } from '../measure.ts';
import { adjustedCounts, type Judge, type Judgement, judgeBy } from './adjusted.ts';
import { type ErrorKind, errorKey, type ReviewDocument, type SpanError } from './errors.ts';
import { type Estimate, estimate, isJudged } from './estimate.ts';
import type { Review } from './review.ts';
import type { VerdictLog } from './verdicts.ts';

export interface KindSummary {
  readonly errors: number;
  /** By anybody, whatever they said. */
  readonly reviewed: number;
  readonly judgements: Readonly<Record<Judgement, number>>;
  /** How often the tagger was right, of those judged: those that cannot be told or are disputed left out. */
  readonly taggerRight: Share;
}

export interface TaskSummary {
  readonly task: string;
  readonly fp: KindSummary;
  readonly fn: KindSummary;
  readonly raw: MeasureResult;
  /** By the verdicts there are; equal to raw while there are none. */
  readonly adjusted: MeasureResult;
  /** For all errors, those not reviewed drawn like those reviewed; null after too few verdicts. */
  readonly estimate: Estimate | null;
}

export interface ReviewSummary {
  readonly file: string;
  readonly split: string;
  readonly goldSha256: string;
  readonly model: Review['model'];
  readonly documents: number;
  readonly tasks: readonly TaskSummary[];
  /** Over all tasks: share of the judged false positives that are gaps or mistakes in the gold. */
  readonly gaps: Share;
  /** The same of those that no gold span overlaps. */
  readonly gapsApart: Share;
  /** By name: not by who happened to be first. */
  readonly reviewers: readonly { readonly name: string; readonly errors: number }[];
  /** Errors that more than one reviewer judged, and of those the share on which all agree. */
  readonly agreement: Share;
  readonly verdicts: {
    /** Last ones of a reviewer on an error of this review. */
    readonly counted: number;
    /** Of these, given when another model or another gold file made the same error. */
    readonly carriedOver: number;
    /** Kept in the file, and of no error here. */
    readonly elsewhere: number;
  };
}

const SEED = 13;

export function summariseReview(review: Review, log: VerdictLog): ReviewSummary {
  const judge = judgeBy(log);
  const { errors } = review;
  const positives = errors.filter(each => each.kind === 'fp');
  const last = errors.flatMap(each => [...log.on(each).values()]);
  const everywhere = new Set(log.rows.map(each => `${errorKey(each)}${each.reviewer}`));
  const several = errors.map(each => [...log.on(each).values()]).filter(each => each.length > 1);
  const agreed = several.filter(each => new Set(each.map(row => row.verdict)).size === 1);
  const byReviewer = Map.groupBy(last, each => each.reviewer);
  return {
    file: review.file,
    split: review.split,
    goldSha256: review.goldSha256,
    model: review.model,
    documents: new Set(review.documents.map(each => each.document.id)).size,
    tasks: review.tasks.map(task => taskSummary(task, review.documents, judge)),
    gaps: taggerRight(positives, judge),
    gapsApart: taggerRight(
      positives.filter(each => !each.overlaps),
      judge,
    ),
    reviewers: Array.from(byReviewer, ([name, rows]) => ({ name, errors: rows.length })).sort((a, b) =>
      a.name < b.name ? -1 : 1,
    ),
    agreement: shareOf(agreed.length, several.length),
    verdicts: {
      counted: last.length,
      carriedOver: last.filter(row => row.model !== review.model.sha256 || row.gold.sha256 !== review.goldSha256)
        .length,
      elsewhere: everywhere.size - last.length,
    },
  };
}

function taskSummary(task: string, all: readonly ReviewDocument[], judge: Judge): TaskSummary {
  const documents = all.filter(each => each.task === task);
  const kind = (which: ErrorKind): KindSummary =>
    kindSummary(
      documents.flatMap(each => each.errors).filter(each => each.kind === which),
      judge,
    );
  const counts = (by: Judge): MeasureResult =>
    summarise(
      task,
      documents.map(each => adjustedCounts(each, by)),
      SEED,
    );
  return {
    task,
    fp: kind('fp'),
    fn: kind('fn'),
    raw: counts(() => undefined),
    adjusted: counts(judge),
    estimate: estimate(documents, judge, SEED),
  };
}

function kindSummary(errors: readonly SpanError[], judge: Judge): KindSummary {
  const judgements = { 'tagger-right': 0, 'gold-right': 0, border: 0, 'cannot-tell': 0, disagreed: 0 };
  for (const error of errors) {
    const judgement = judge(error);
    if (judgement !== undefined) judgements[judgement]++;
  }
  return {
    errors: errors.length,
    reviewed: Object.values(judgements).reduce((all, each) => all + each, 0),
    judgements,
    taggerRight: taggerRight(errors, judge),
  };
}

function taggerRight(errors: readonly SpanError[], judge: Judge): Share {
  const judgements = errors.map(judge).filter(isJudged);
  return shareOf(judgements.filter(each => each === 'tagger-right').length, judgements.length);
}
