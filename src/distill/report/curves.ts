/** How a training went, from the trainer's metrics.jsonl: its loss, and F1 on the few dev documents that it steers by. */
import { z } from 'zod';
import { type Axis, type Layer, legend, panel, ticks } from '../../evaluation/svg.ts';
import { escapeHtml } from '../../text/escape-html.ts';
import { STYLE } from './style.ts';

const rowSchema = z.union([
  z.looseObject({ step: z.number(), loss: z.number() }),
  z.looseObject({ step: z.number(), devF1: z.record(z.string(), z.number()) }),
]);

export interface Curves {
  readonly loss: readonly (readonly [step: number, loss: number])[];
  /** By corpus and head, such as `notes:note/disease`. */
  readonly devF1: ReadonlyMap<string, readonly (readonly [step: number, f1: number])[]>;
}

/** Of a training that was cut off, the steps that were done again count once, as they were done last. */
export function readCurves(metrics: string): Curves {
  const loss = new Map<number, number>();
  const devF1 = new Map<string, Map<number, number>>();
  for (const line of metrics.split('\n').filter(each => each !== '')) {
    const row = rowSchema.parse(JSON.parse(line));
    if ('loss' in row) loss.set(row.step, row.loss as number);
    else
      for (const [name, f1] of Object.entries(row.devF1)) {
        const own = devF1.get(name) ?? new Map<number, number>();
        devF1.set(name, own.set(row.step, f1));
      }
  }
  const inOrder = (points: ReadonlyMap<number, number>) => [...points].sort(([a], [b]) => a - b);
  return { loss: inOrder(loss), devF1: new Map(Array.from(devF1, ([name, points]) => [name, inOrder(points)])) };
}

/** A page of two panels. */
export function renderCurves({ loss, devF1 }: Curves, title: string): string {
  const names = [...devF1.keys()];
  const last = Math.max(1, ...loss.map(([step]) => step), ...[...devF1.values()].flat().map(([step]) => step));
  const steps: Axis = { label: 'step', from: 0, to: last, ticks: evenly(last) };
  const highest = Math.max(0.1, ...loss.map(([, value]) => value));
  const lowest = Math.min(0.9, ...[...devF1.values()].flat().map(([, f1]) => Math.floor(f1 * 10) / 10));
  const line = (series: number, points: Curves['loss']): Layer[] => [{ kind: 'line', series, points }];
  const lossPanel = panel({
    title: 'Training loss',
    x: steps,
    y: { label: 'a token, running mean', from: 0, to: highest, ticks: evenly(highest) },
    layers: line(0, loss),
  });
  const f1Panel = panel({
    title: 'dev F1',
    x: steps,
    y: { label: 'word level, at 0.5', from: lowest, to: 1, ticks: shares(lowest) },
    layers: names.flatMap((name, series) => line(series, devF1.get(name) ?? [])),
  });
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(title)}</title><style>${STYLE}</style></head><body>
<h1>${escapeHtml(title)}</h1>
<div class="panels">${lossPanel}
${f1Panel}</div>${legend(names)}
</body></html>
`;
}

function evenly(to: number): Axis['ticks'] {
  return [0, 0.5, 1].map(share => ({ at: share * to, label: String(Number((share * to).toPrecision(3))) }));
}

function shares(from: number): Axis['ticks'] {
  return ticks(from, 1, (1 - from) / 4).map(at => ({ at, label: at.toFixed(2) }));
}
