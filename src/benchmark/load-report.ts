/** A sweep of load as a table and as a picture, and the memory of a load that was held. */
import { asFile, type Layer, panel, ticks } from '../evaluation/svg.ts';
import type { Latencies } from './latencies.ts';
import { carried, knee, type LoadStep } from './load-curve.ts';

const CURVES = ['p50', 'p95', 'p99'] as const satisfies readonly (keyof Latencies)[];

/** Latency on a logarithmic axis: a queue that grows leaves any other. */
export function loadPicture(title: string, steps: readonly LoadStep[]): string {
  const most = Math.max(...steps.map(step => step.offered));
  const all = steps.flatMap(({ latency }) => CURVES.map(curve => latency[curve]));
  const [low, high] = [Math.floor(log(Math.min(...all))), Math.ceil(log(Math.max(...all)))];
  const points = (curve: (typeof CURVES)[number]): [number, number][] =>
    steps.map(step => [step.offered, log(step.latency[curve])]);
  const layers: Layer[] = CURVES.map((curve, series) => ({
    kind: 'line',
    series,
    points: points(curve),
    label: curve,
  }));
  const best = knee(steps);
  if (best !== undefined) {
    const at = best.offered;
    layers.push({
      kind: 'reference',
      label: `the knee, ${at.toFixed(1)} notes/s`,
      points: [
        [at, low],
        [at, high],
      ],
    });
  }
  const step = 10 ** Math.floor(log(most)) / (most / 10 ** Math.floor(log(most)) > 4 ? 1 : 2);
  return asFile(
    panel({
      title,
      x: {
        label: 'notes/s that arrive',
        from: 0,
        to: most,
        ticks: ticks(0, most, step).map(at => ({ at, label: String(at) })),
      },
      y: {
        label: 'latency; the knee dashed',
        from: low,
        to: high,
        ticks: ticks(low, high, 1).map(at => ({ at, label: milliseconds(10 ** at) })),
      },
      layers,
      size: { width: 640, height: 360 },
    }),
  );
}

/** Resident memory of the taggers over one load, from zero on: flat, where nothing is kept that should not be. */
export function memoryPicture(title: string, { tenthsMegabytes, seconds }: LoadStep): string {
  const most = 100 * Math.ceil(Math.max(...tenthsMegabytes) / 100);
  const minutes = seconds / 60;
  const step = minutes / 6;
  const points = tenthsMegabytes.map((megabytes, i): [number, number] => [((i + 0.5) / 10) * minutes, megabytes]);
  return asFile(
    panel({
      title,
      x: {
        label: 'minutes',
        from: 0,
        to: minutes,
        ticks: ticks(0, minutes, step).map(at => ({ at, label: String(Number(at.toPrecision(2))) })),
      },
      y: {
        label: 'resident memory, median of each tenth',
        from: 0,
        to: most,
        ticks: ticks(0, most, 100).map(at => ({ at, label: `${at} MB` })),
      },
      layers: [{ kind: 'line', series: 0, points, label: 'MB' }],
      size: { width: 640, height: 360 },
    }),
  );
}

/** @param most notes a second at saturation. */
export function loadTable(steps: readonly LoadStep[], most: number): string {
  const best = knee(steps);
  const highest = carried(steps);
  const rows = steps.map(step => {
    const { offered, achieved, tokensPerSecond, latency, cpuMsPerNote, peakMegabytes, tenthsMegabytes, missing } = step;
    const marks = [...(step === best ? ['knee'] : []), ...(step === highest ? ['most carried'] : [])].join(', ');
    const cells = [
      (offered / most).toFixed(2),
      offered.toFixed(1),
      achieved.toFixed(1),
      (tokensPerSecond / achieved).toFixed(0),
      ...[latency.p50, latency.p95, latency.p99, latency.max].map(milliseconds),
      `${cpuMsPerNote.toFixed(1)} ms`,
      `${peakMegabytes.toFixed(0)} MB`,
      `${tenthsMegabytes[0]?.toFixed(0)} → ${tenthsMegabytes.at(-1)?.toFixed(0)} MB`,
      missing,
      marks,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    '| of saturation | offered, notes/s | achieved | tokens a note | p50 | p95 | p99 | max | CPU a note | most memory | first tenth → last | missing | |',
    '|---|---|---|---|---|---|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

/** Such as "38 ms" or "2.1 s". */
export function milliseconds(value: number): string {
  if (!Number.isFinite(value)) return '–';
  return value < 995 ? `${Number(value.toPrecision(2))} ms` : `${Number((value / 1000).toPrecision(2))} s`;
}

const log = Math.log10;
