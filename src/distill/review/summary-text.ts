/** A review's summary for people, in a terminal and on the page alike. */
import type { Interval } from '../../evaluation/bootstrap.ts';
import type { Share } from '../../evaluation/proportion.ts';
import type { Scored } from '../measure.ts';
import type { Judgement } from './adjusted.ts';
import { FEWEST_JUDGED } from './estimate.ts';
import type { KindSummary, ReviewSummary, TaskSummary } from './summary.ts';

const JUDGEMENTS: Readonly<Record<Judgement, string>> = {
  'tagger-right': 'tagger right',
  'gold-right': 'gold right',
  border: 'border only',
  'cannot-tell': 'cannot tell',
  disagreed: 'disputed',
};
const LEVELS = ['token', 'exact', 'relaxed'] as const;

export function renderSummary(summary: ReviewSummary): string {
  const { file, split, documents, model, tasks, gaps, gapsApart, reviewers, agreement, verdicts } = summary;
  return [
    `${file}, ${split}: ${documents} documents; ${model.name} ${model.version} (${model.sha256.slice(0, 12)})`,
    extent(summary),
    '',
    ...tasks.flatMap(renderTask),
    `Gaps or mistakes in the gold among the false positives judged: ${shareText(gaps)}; among those that no gold span overlaps: ${shareText(gapsApart)}.`,
    'For orientation: arXiv 2501.00031 found 63 to 82 % on its own notes.',
    reviewers.length === 0
      ? 'Nobody has reviewed anything yet.'
      : `Reviewers: ${reviewers.map(each => `${each.name} ${each.errors}`).join(', ')}. Errors that several reviewed: ${agreement.of}${agreement.of === 0 ? '' : `, all agree on ${shareText(agreement)}`}.`,
    `Verdicts counted: ${verdicts.counted}, of these ${verdicts.carriedOver} given to the same error of another model or gold file. Kept, but of no error here: ${verdicts.elsewhere}.`,
    '',
  ].join('\n');
}

function extent({ tasks }: ReviewSummary): string {
  const kinds = tasks.flatMap(each => [each.fp, each.fn]);
  const errors = kinds.reduce((all, each) => all + each.errors, 0);
  const reviewed = kinds.reduce((all, each) => all + each.reviewed, 0);
  const said = `Reviewed: ${reviewed} of ${errors} errors.`;
  if (reviewed === errors) return `${said} The review is complete.`;
  return `${said} The review is PARTIAL: "adjusted" moves by what is reviewed and by nothing else. "estimate" supposes that the rest are like
them; its interval is of the verdicts still to come, not of the choice of documents.`;
}

function renderTask({ task, fp, fn, raw, adjusted, estimate }: TaskSummary): string[] {
  const head = ['', 'errors', 'reviewed', ...Object.values(JUDGEMENTS), 'tagger right, of those judged'];
  const kind = (name: string, of: KindSummary): string[] => [
    name,
    String(of.errors),
    String(of.reviewed),
    ...Object.keys(JUDGEMENTS).map(each => String(of.judgements[each as Judgement])),
    shareText(of.taggerRight),
  ];
  const scoreHead = ['', 'raw P', 'R', 'F1', 'adjusted P', 'R', 'F1', 'estimate F1'];
  const scoreRows = LEVELS.map(level => [
    level === 'token' ? 'token' : `${level} span`,
    ...scoredCells(raw[level]),
    ...scoredCells(adjusted[level]),
    estimate === null
      ? `fewer than ${FEWEST_JUDGED} judged`
      : withInterval(estimate[level].f1, estimate[level].interval),
  ]);
  return [
    `── ${task} ──`,
    ...columns([head, kind('false positives', fp), kind('false negatives', fn)]),
    ...columns([scoreHead, ...scoreRows]),
    '',
  ];
}

function scoredCells({ precision, recall, f1, interval }: Scored): string[] {
  return [digits(precision), digits(recall), withInterval(f1, interval)];
}

function shareText({ share, of, interval }: Share): string {
  return of === 0 ? '– (none judged)' : `${withInterval(share, interval)} of ${of}`;
}

function withInterval(value: number, { low, high }: Interval): string {
  return `${digits(value)} [${digits(low)}, ${digits(high)}]`;
}

function digits(value: number): string {
  return value.toFixed(3).replace(/^0/, '');
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map(row => row[i]?.length ?? 0)));
  return rows.map(row =>
    row
      .map((cell, i) => cell.padEnd(widths[i] as number))
      .join('  ')
      .trimEnd(),
  );
}
