/** The report's pictures and tables from its figures. */
import type { Interval } from '../../evaluation/bootstrap.ts';
import {
  type Axis,
  intervalRows,
  type Layer,
  legend,
  type Mark,
  panel,
  type Row,
  ticks,
} from '../../evaluation/svg.ts';
import { escapeHtml } from '../../text/escape-html.ts';
import type { SetResult } from '../evaluate.ts';
import type { MeasureResult } from '../measure.ts';
import { TEST_SETS } from '../test-sets.ts';
import type { CurvePoint, ReportFigures } from './figures.ts';
import type { Grouping } from './groups.ts';
import type { Reliability, RiskCurve } from './trust.ts';

/** What every reader of metrics.json has of a measure. */
export interface AnyScored {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly interval: Interval;
}
type AnyResults = readonly {
  readonly set: string;
  readonly split: string;
  readonly measures: readonly {
    readonly label: string;
    readonly documents: number;
    readonly token: AnyScored;
    readonly exact: AnyScored;
    readonly relaxed: AnyScored;
  }[];
}[];

const LEVELS = ['token', 'exact', 'relaxed'] as const;
const LEVEL_NAMES = ['token F1', 'exact span F1', 'relaxed span F1'];

export function scorePicture(results: readonly SetResult[]): string {
  const rows = results.flatMap(({ set, measures }) =>
    measures.map(measure => ({
      label: measure.label,
      group: `${set} (${measure.documents} documents)`,
      marks: LEVELS.map((level, series) => mark(series, measure[level])),
    })),
  );
  return legend(LEVEL_NAMES) + intervalRows('F1 on each test set, with 95 % intervals', LEVEL_NAMES, rows);
}

export function scoreTable(results: readonly SetResult[]): string {
  return table(
    ['set', 'split', 'measure', 'documents', 'token P', 'token R', 'token F1', 'exact span F1', 'relaxed span F1'],
    results.flatMap(({ set, split, measures }) =>
      measures.map(({ label, documents, token, exact, relaxed }) => [
        set,
        split,
        label,
        String(documents),
        figure(token.precision, token.precisionInterval),
        figure(token.recall, token.recallInterval),
        ...[token, exact, relaxed].map(each => figure(each.f1, each.interval)),
      ]),
    ),
  );
}

/** @param models by name, this one first. */
export function comparePicture(models: readonly { readonly name: string; readonly results: AnyResults }[]): string {
  const names = models.map(each => each.name);
  const rows = (models[0]?.results ?? [])
    .filter(({ split }) => split === 'test')
    .flatMap(({ set, measures }) =>
      measures.map(({ label, documents }) => ({
        label,
        group: `${set} (${documents} documents)`,
        marks: models.flatMap(({ results }, series) => {
          const found = measureIn(results, set, label);
          return found === undefined ? [] : [mark(series, found.token)];
        }),
      })),
    );
  return legend(names) + intervalRows('Token F1 of the models on each test set, with 95 % intervals', names, rows);
}

export function compareTable({ results, model, compared }: ReportFigures): string {
  const header = [
    'set',
    'measure',
    model.name,
    ...compared.flatMap(({ name, differences }) => [name, ...(differences.length > 0 ? ['difference'] : [])]),
  ];
  const rows = results
    .filter(({ split }) => split === 'test')
    .flatMap(({ set, measures }) =>
      measures.map(({ label, token }) => [
        set,
        label,
        figure(token.f1, token.interval),
        ...compared.flatMap(each => {
          const theirs = measureIn(each.results, set, label)?.token;
          const own = theirs === undefined ? '–' : figure(theirs.f1, theirs.interval);
          if (each.differences.length === 0) return [own];
          const between = each.differences.find(one => one.set === set && one.label === label)?.token;
          return [own, between === undefined ? '–' : signed(between.difference, between.interval)];
        }),
      ]),
    );
  return table(header, rows);
}

export function taughtPicture({ name, sets }: ReportFigures['taught'][number], model: string): string {
  const others = sets.flatMap(({ measures }) => measures.flatMap(each => each.others.map(other => other.name)));
  const compared = [...new Set(others)];
  const names = [model, ...compared, `${name} (teacher only)`];
  const rows = sets.flatMap(({ set, documents, of, measures }) =>
    measures.map(({ label, teacher, model: own, others }) => ({
      label,
      group: `${set} (${documents} of ${of} documents)`,
      marks: [
        mark(0, own.token),
        ...others.map(other => mark(1 + compared.indexOf(other.name), other.result.token)),
        mark(names.length - 1, teacher.token),
      ],
    })),
  );
  return legend(names) + intervalRows('Token F1 on the documents the teacher labelled', names, rows);
}

export function taughtTable({ name, sets }: ReportFigures['taught'][number], model: string): string {
  return table(
    ['set', 'measure', 'documents', 'figure', name, model, 'difference', 'others, same documents'],
    sets.flatMap(({ set, documents, of, measures }) =>
      measures.flatMap(({ label, teacher, model: own, difference, others }) =>
        LEVELS.map((level, i) => [
          set,
          label,
          `${documents} of ${of}`,
          LEVEL_NAMES[i] as string,
          figure(teacher[level].f1, teacher[level].interval),
          figure(own[level].f1, own[level].interval),
          signed(difference[level].difference, difference[level].interval),
          others.map(each => `${each.name} ${figure(each.result[level].f1, each.result[level].interval)}`).join('; ') ||
            '–',
        ]),
      ),
    ),
  );
}

export function groupPicture({ groups }: Grouping): string {
  const tasks = groups[0]?.measures.map(each => each.label) ?? [];
  const rows: Row[] = groups.map(({ group, documents, measures }) => ({
    label: `${group} (${documents})`,
    group: 'Teacher notes, test',
    marks: measures.map((measure, series) => mark(series, measure.token)),
  }));
  return legend(tasks) + intervalRows('Token F1 by kind of note', tasks, rows);
}

export function groupTable({ groups }: Grouping): string {
  return table(
    ['group', 'documents', 'task', 'token P', 'token R', 'token F1', 'exact span F1', 'relaxed span F1'],
    groups.flatMap(({ group, documents, measures }) =>
      measures.map(({ label, token, exact, relaxed }: MeasureResult) => [
        group,
        String(documents),
        label,
        figure(token.precision, token.precisionInterval),
        figure(token.recall, token.recallInterval),
        ...[token, exact, relaxed].map(each => figure(each.f1, each.interval)),
      ]),
    ),
  );
}

const SHARES: readonly Axis['ticks'][number][] = ticks(0, 1, 0.25).map(at => ({ at, label: at.toFixed(2) }));

export function reliabilityPanel({ task, split, ece, bins }: Reliability): string {
  return panel({
    title: `${task}, ${split}: ECE ${ece.toFixed(4)}`,
    x: { label: 'P(Inside)', from: 0, to: 1, ticks: SHARES },
    y: { label: 'share Inside', from: 0, to: 1, ticks: SHARES },
    layers: [
      {
        kind: 'reference',
        label: 'a probability that may be believed',
        points: [
          [0, 0],
          [1, 1],
        ],
      },
      { kind: 'line', series: 0, points: bins.map(each => [each.meanProbability, each.shareInside]) },
      {
        kind: 'points',
        series: 0,
        points: bins.map(each => ({
          x: each.meanProbability,
          y: each.shareInside,
          interval: each.interval,
          hint: `${each.words} words of mean probability ${each.meanProbability.toFixed(3)}: ${each.shareInside.toFixed(3)} Inside`,
        })),
      },
    ],
  });
}

export function reliabilityTable(all: readonly Reliability[]): string {
  return table(
    ['task', 'split', 'words', 'ECE'],
    all.map(({ task, split, words, ece, eceInterval: { low, high } }) => [
      task,
      split,
      String(words),
      `${ece.toFixed(4)} [${low.toFixed(4)}, ${high.toFixed(4)}]`,
    ]),
  );
}

export function riskPanels({ task, byConfidence, byDoubt }: RiskCurve): string {
  const curve = (risk: readonly number[]): (readonly [number, number])[] =>
    risk.map((each, i) => [(i + 1) / risk.length, each]);
  const draw = (title: string, y: string, { risk, meanRisk }: typeof byConfidence, more: readonly Layer[]): string => {
    const top = Math.max(0.05, ...risk, meanRisk, ...byDoubt.rates.map(each => 1 - each.f1KeptInterval.low));
    const step = top > 0.4 ? 0.2 : top > 0.2 ? 0.1 : 0.05;
    const to = Math.ceil(top / step) * step;
    return panel({
      title,
      x: { label: 'coverage: share of notes kept', from: 0, to: 1, ticks: SHARES },
      y: { label: y, from: 0, to, ticks: ticks(0, to, step).map(at => ({ at, label: at.toFixed(2) })) },
      layers: [
        {
          kind: 'reference',
          label: `mean risk ${meanRisk.toFixed(3)}: any order that knows nothing`,
          points: [
            [0, meanRisk],
            [1, meanRisk],
          ],
        },
        { kind: 'line', series: 0, points: curve(risk) },
        ...more,
      ],
    });
  };
  const rates = byDoubt.rates.map(({ rate, f1Kept, f1KeptInterval: { low, high } }) => ({
    x: 1 - rate,
    y: 1 - f1Kept,
    interval: { low: 1 - high, high: 1 - low },
    hint: `${Math.round(100 * rate)} % escalated: F1 of the notes kept ${f1Kept.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`,
  }));
  return (
    draw(`${task}, by ${byDoubt.score}`, 'risk: 1 − F1', byDoubt, [{ kind: 'points', series: 0, points: rates }]) +
    draw(`${task}, by confidence`, 'mean risk of a note', byConfidence, [])
  );
}

export function riskTable(curves: readonly RiskCurve[]): string {
  return table(
    ['task', 'notes', 'ranked by', 'area', 'mean risk'],
    curves.flatMap(({ task, notes, byConfidence, byDoubt }) => [
      [
        task,
        String(notes),
        `${byDoubt.score} (1 − F1 of all words kept)`,
        byDoubt.area.toFixed(3),
        byDoubt.meanRisk.toFixed(3),
      ],
      [
        task,
        String(notes),
        'confidence (mean of 1 − F1 a note)',
        byConfidence.area.toFixed(3),
        byConfidence.meanRisk.toFixed(3),
      ],
    ]),
  );
}

/** One panel for each measure of heads that serve. */
export function curvePanels(curve: readonly CurvePoint[]): string {
  const lowest = Math.min(
    0.9,
    ...curve.flatMap(({ results }) => results.flatMap(each => each.measures.map(one => one.exact.interval.low))),
  );
  const from = Math.max(0, Math.floor(lowest * 10) / 10);
  const percents = curve.map(each => each.percent);
  const left = Math.log10(Math.min(...percents)) - 0.1;
  const right = Math.log10(Math.max(...percents)) + 0.1;
  return servedMeasures(curve)
    .flatMap(({ set, label }) => {
      const points = curve.flatMap(({ percent, results }) => {
        const found = measureIn(results, set, label);
        return found === undefined ? [] : [{ percent, found }];
      });
      if (points.length === 0) return [];
      const layers = (['token', 'exact'] as const).flatMap((level, series): Layer[] => [
        { kind: 'line', series, points: points.map(({ percent, found }) => [Math.log10(percent), found[level].f1]) },
        {
          kind: 'points',
          series,
          points: points.map(({ percent, found }) => ({
            x: Math.log10(percent),
            y: found[level].f1,
            interval: found[level].interval,
            hint: `${percent} % of labels: ${LEVEL_NAMES[series]} ${figure(found[level].f1, found[level].interval)}`,
          })),
        },
      ]);
      return panel({
        title: `${set}: ${label}`,
        x: {
          label: '% of labels',
          from: left,
          to: right,
          ticks: percents.map(each => ({ at: Math.log10(each), label: String(each) })),
        },
        y: { label: 'F1', from, to: 1, ticks: ticks(from, 1, 0.1).map(at => ({ at, label: at.toFixed(1) })) },
        layers,
      });
    })
    .join('');
}

export function curveTable(curve: readonly CurvePoint[]): string {
  return table(
    ['set', 'measure', ...curve.map(each => `${each.percent} %`)],
    servedMeasures(curve).flatMap(({ set, label }) => {
      const cells = curve.map(({ results }) => measureIn(results, set, label)?.token);
      if (cells.every(each => each === undefined)) return [];
      return [[set, label, ...cells.map(each => (each === undefined ? '–' : figure(each.f1, each.interval)))]];
    }),
  );
}

export const CURVE_SERIES = LEVEL_NAMES.slice(0, 2);

/** Of the sets that are known, and of users' own, which have no others. */
function servedMeasures(curve: readonly CurvePoint[]): { readonly set: string; readonly label: string }[] {
  const known = TEST_SETS.flatMap(({ name, measures }) =>
    measures
      .filter(({ channels }) => channels.every(each => 'task' in each))
      .map(({ label }) => ({ set: name, label })),
  );
  const own = new Map<string, Set<string>>();
  for (const { set, measures } of curve.flatMap(each => each.results)) {
    if (TEST_SETS.some(each => each.name === set)) continue;
    own.set(set, new Set([...(own.get(set) ?? []), ...measures.map(each => each.label)]));
  }
  return [...known, ...Array.from(own, ([set, labels]) => Array.from(labels, label => ({ set, label }))).flat()];
}

function measureIn(
  results: AnyResults,
  set: string,
  label: string,
): AnyResults[number]['measures'][number] | undefined {
  return results.find(each => each.set === set && each.split === 'test')?.measures.find(each => each.label === label);
}

function mark(series: number, { f1, interval }: AnyScored): Mark {
  return { series, value: f1, interval };
}

function figure(value: number, { low, high }: Interval): string {
  return `${short(value)} [${short(low)}, ${short(high)}]`;
}

function signed(value: number, { low, high }: Interval): string {
  const sign = (each: number): string => `${each < 0 ? '−' : '+'}${short(Math.abs(each))}`;
  return `${sign(value)} [${sign(low)}, ${sign(high)}]${low > 0 || high < 0 ? ' *' : ''}`;
}

function short(value: number): string {
  return value.toFixed(3).replace(/^0/, '');
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (tag: string, row: readonly string[]): string =>
    `<tr>${row.map(each => `<${tag}>${escapeHtml(each)}</${tag}>`).join('')}</tr>`;
  return `<div class="scroll"><table><thead>${cells('th', header)}</thead><tbody>${rows.map(row => cells('td', row)).join('\n')}</tbody></table></div>`;
}
