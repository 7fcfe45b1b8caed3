/** report.html: one page that needs nothing but itself. */

import { legend } from '../../evaluation/svg.ts';
import { escapeHtml } from '../../text/escape-html.ts';
import { type ComparedModel, unknownGold } from './compared.ts';
import type { ReportFigures } from './figures.ts';
import { NOTE_TYPES_FILE, SMALLEST_GROUP } from './groups.ts';
import {
  CURVE_SERIES,
  comparePicture,
  compareTable,
  curvePanels,
  curveTable,
  groupPicture,
  groupTable,
  reliabilityPanel,
  reliabilityTable,
  riskPanels,
  riskTable,
  scorePicture,
  scoreTable,
  taughtPicture,
  taughtTable,
} from './pictures.ts';
import { STYLE } from './style.ts';

export function renderReport(figures: ReportFigures): string {
  const { model } = figures;
  const title = `${model.name} ${model.version}: evaluation`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style></head><body>
<h1>${escapeHtml(title)}</h1>
<p>Computed by <code>${escapeHtml(figures.command)}</code> at commit ${escapeHtml(figures.commit)} on ${escapeHtml(figures.machine)}; model
sha-256 <code>${escapeHtml(model.sha256)}</code>. The same figures are in <code>report.json</code> beside this page. It holds no text of any note.</p>
<p>Words are runs of letters and digits and single punctuation marks. Token level counts words; exact and relaxed count spans, relaxed
meaning any overlap, paired one to one. Bars and brackets are 95 % bootstrap intervals over documents (seed ${figures.seed}). "Teacher notes"
is agreement with the teacher that labelled them; the other sets carry human labels. "Own head" is a head trained for a corpus's guidelines; the other
figures are of the heads that serve.</p>
${sections(figures)
  .map(([heading, body]) => `<section><h2>${escapeHtml(heading)}</h2>\n${body}</section>`)
  .join('\n')}
<section><h2>Data</h2><p>${figures.data.map(({ file, sha256 }) => `<code>${escapeHtml(file)}</code> ${sha256.slice(0, 12)}`).join(', ')} (sha-256).</p></section>
</body></html>
`;
}

function sections(figures: ReportFigures): (readonly [heading: string, body: string])[] {
  const test = figures.results.filter(({ split }) => split === 'test');
  const dev = figures.results.filter(({ split }) => split !== 'test');
  return [
    [
      'Scores on the test splits',
      `${scorePicture(test)}${scoreTable(test)}<details><summary>Dev splits</summary>${scoreTable(dev)}</details>`,
    ],
    ['Human labels, teacher labels, teacher only', `${comparedModels(figures)}${taughtRows(figures)}`],
    ['Learning curve', learningCurve(figures)],
    ['By kind of note', kindsOfNote(figures)],
    [
      'Calibration',
      `<p>Of P(Inside) over the words of the teacher's notes, in 15 ranges of equal width; temperature and threshold come from dev. The dashed
line is a probability that may be believed. An ECE is never below 0, so its resamples lie mostly above it.</p><div class="panels">${figures.reliability.map(reliabilityPanel).join('')}</div>${reliabilityTable(figures.reliability)}`,
    ],
    [
      'Risk and coverage',
      `<p>What is left wrong among the teacher's test notes when the most doubtful are handed on. On the left of each pair notes are ranked by the
doubt score that routes, and risk is 1 − F1 of all words kept; on the right by the task's confidence, and risk is the mean of 1 − F1 over
notes, as in the model card. The dashed line is the mean risk: what any order that knows nothing leaves.</p>
<div class="panels pairs">${figures.riskCurves.map(riskPanels).join('')}</div>${riskTable(figures.riskCurves)}`,
    ],
  ];
}

function comparedModels(figures: ReportFigures): string {
  const { compared, model, results } = figures;
  if (compared.length === 0)
    return `<p class="empty">No other model was given. <code>--compare NAME=FILE</code>, repeated, draws models side by side; FILE is the
<code>metrics.json</code> or, for differences on the same documents, the <code>report.json</code> of evaluating each.</p>`;
  const all = [{ name: model.name, results }, ...compared];
  const paired = compared.some(({ differences }) => differences.length > 0);
  const notes = [
    'Token F1. Intervals that overlap do not show that two models are alike.',
    paired
      ? 'A difference is this model less the other on the same documents, drawn together; * where its interval leaves out 0.'
      : 'For differences on the same documents give the report.json of the other models.',
  ].join(' ');
  const models = compared.map(each => {
    const { name, version, sha256 } = each.model;
    return `${escapeHtml(each.name)}: ${escapeHtml(name)} ${escapeHtml(version)}, ${sha256.slice(0, 12)}${doubtedGold(each, figures)}`;
  });
  return `<p>${notes}</p>${comparePicture(all)}${compareTable(figures)}<p>${models.join('; ')}.</p>`;
}

/** Such as ", unknown whether by the same gold: BC5CDR". */
function doubtedGold(other: Pick<ComparedModel, 'data' | 'results'>, { results }: ReportFigures): string {
  const unknown = unknownGold(other, [...new Set(results.map(({ set }) => set))]);
  return unknown === '' ? '' : `, ${escapeHtml(unknown)}`;
}

function taughtRows({ taught, model }: ReportFigures): string {
  if (taught.length === 0)
    return `<p class="empty">No teacher's own labels were given: <code>--teacher NAME=FILE</code> scores them on the same test documents.</p>`;
  return taught
    .map(teacher => {
      const left = teacher.sets.filter(each => each.otherText > 0);
      const out = left.map(
        each => ` On ${escapeHtml(each.set)}, ${each.otherText} more have another text and are left out.`,
      );
      return `<h3>Teacher only: ${escapeHtml(teacher.name)}</h3>
<p>The teacher's own labels (<code>${escapeHtml(teacher.file)}</code>), scored by the same words, and the model on exactly the documents that the
teacher labelled: ${teacher.sets.map(each => `${each.documents} of ${each.of} of ${escapeHtml(each.set)}`).join(', ')}.${out.join('')}</p>
${taughtPicture(teacher, model.name)}${taughtTable(teacher, model.name)}`;
    })
    .join('\n');
}

function learningCurve(figures: ReportFigures): string {
  const { curve } = figures;
  if (curve.length === 0)
    return `<p class="empty">No points were given: <code>--curve PERCENT=FILE</code>, repeated, draws one for each model trained on so many
percent of the labels.</p>`;
  const doubted = curve
    .map(each => [each.percent, doubtedGold(each, figures)] as const)
    .filter(([, gold]) => gold !== '');
  const said = doubted.map(([percent, gold]) => `<p>${percent} %${gold}.</p>`).join('');
  return `${legend(CURVE_SERIES)}<div class="panels">${curvePanels(curve)}</div>${curveTable(curve)}${said}`;
}

function kindsOfNote({ groupings }: ReportFigures): string {
  const parts = groupings.map(grouping => {
    const pooled = grouping.groups.flatMap(each => each.pooled);
    const said =
      pooled.length === 0
        ? ''
        : `<p>"other" pools the groups of fewer than ${SMALLEST_GROUP} documents: ${pooled.map(each => `${escapeHtml(each.group)} (${each.documents})`).join(', ')}.</p>`;
    return `<h3>By ${grouping.by}</h3>${groupPicture(grouping)}${said}<details><summary>Table</summary>${groupTable(grouping)}</details>`;
  });
  const without = groupings.some(({ by }) => by !== 'source')
    ? ''
    : `<p class="empty">The corpus has no <code>${NOTE_TYPES_FILE}</code>, so note types are not known.</p>`;
  return `<p>Teacher's test notes, token F1. A group of few documents has a wide interval, and a bootstrap over so few is itself rough: a
resample without any mention counts as an F1 of 0.</p>${parts.join('\n')}${without}`;
}
