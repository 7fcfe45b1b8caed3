/** Pictures as inline SVG: points with interval bars in rows, and panels with lines. Colours are the page's `--s0` … and its ink. */

import { escapeHtml } from '../text/escape-html.ts';
import type { Interval } from './bootstrap.ts';

/** Light and dark, and a colour for each series. */
export const PICTURE_STYLE = `
:root{color-scheme:light dark;--page:#fcfcfb;--ink:#1f1e1c;--soft:#66645f;--line:#dedcd5;--s0:#2a78d6;--s1:#d9541f;--s2:#12855c;--s3:#a86f00;--s4:#6a4fc4;--s5:#c2477f}
@media(prefers-color-scheme:dark){:root{--page:#1a1a19;--ink:#eceae4;--soft:#a8a59d;--line:#3b3a37;--s0:#5b9ff0;--s1:#f0845a;--s2:#3cc492;--s3:#dba43a;--s4:#a694f0;--s5:#e884b0}}
svg{width:100%;height:auto;display:block}svg text{fill:var(--ink);font:12px system-ui,sans-serif}
svg .end{text-anchor:end}svg .middle{text-anchor:middle;fill:var(--soft)}svg .start{fill:var(--soft)}svg .group,svg .title{font-weight:600}
.grid{stroke:var(--line);stroke-width:1}.bar{stroke:var(--c);stroke-width:2;opacity:.65}.mark{fill:var(--c)}
.line{fill:none;stroke:var(--c);stroke-width:2}.reference{fill:none;stroke:var(--soft);stroke-width:1.5;stroke-dasharray:4 4}
${Array.from({ length: 6 }, (_, i) => `.s${i}{--c:var(--s${i})}`).join('')}
`;

/** One of a row's points. */
export interface Mark {
  /** Position in the picture's series: colour and shape. */
  readonly series: number;
  readonly value: number;
  readonly interval: Interval;
}

export interface Row {
  readonly label: string;
  /** Rows of one group follow each other under its name. */
  readonly group: string;
  readonly marks: readonly Mark[];
}

const WIDTH = 760;
const LABELS = 250;
const RIGHT = 16;
const GROUP_HEIGHT = 26;
const MARK_HEIGHT = 11;
const ROW_GAP = 9;
const FOOT = 26;

/**
 * Rows of points with their intervals over one axis of shares, which ends at 1 and begins at a tenth below all that is shown.
 * @param title read out instead of the picture.
 */
export function intervalRows(title: string, series: readonly string[], rows: readonly Row[]): string {
  const lowest = Math.min(1, ...rows.flatMap(row => row.marks.map(mark => Math.min(mark.interval.low, mark.value))));
  const from = Math.max(0, Math.min(0.9, Math.floor(lowest * 10) / 10));
  const x = (share: number): number => LABELS + ((share - from) / (1 - from)) * (WIDTH - LABELS - RIGHT);
  const parts: string[] = [];
  let y = 4;
  let group: string | undefined;
  for (const row of rows) {
    if (row.group !== group) {
      parts.push(text(0, y + 17, row.group, 'group'));
      y += GROUP_HEIGHT;
      group = row.group;
    }
    const height = Math.max(1, row.marks.length) * MARK_HEIGHT;
    parts.push(text(LABELS - 10, y + height / 2 + 4, row.label, 'end'));
    row.marks.forEach((mark, i) => {
      const at = y + (i + 0.5) * MARK_HEIGHT;
      const { low, high } = mark.interval;
      const name = `${row.group}, ${row.label}, ${series[mark.series] ?? ''}: ${mark.value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
      parts.push(
        `<g class="s${mark.series}">${hint(name)}<line class="bar" x1="${n(x(low))}" x2="${n(x(high))}" y1="${n(at)}" y2="${n(at)}"/>${shape(mark.series, x(mark.value), at)}</g>`,
      );
    });
    y += height + ROW_GAP;
  }
  const grid = ticks(from, 1, 0.1).map(
    share =>
      `<line class="grid" x1="${n(x(share))}" x2="${n(x(share))}" y1="0" y2="${n(y)}"/>${text(x(share), y + 16, share.toFixed(1), 'middle')}`,
  );
  return picture(title, WIDTH, y + FOOT, [...grid, ...parts]);
}

/** Names of the series with their colours and shapes. */
export function legend(series: readonly string[]): string {
  const keys = series.map(
    (name, i) =>
      `<span class="key s${i}"><svg width="14" height="12" aria-hidden="true">${shape(i, 7, 6)}</svg>${escapeHtml(name)}</span>`,
  );
  return `<p class="legend">${keys.join('')}</p>`;
}

export interface Axis {
  readonly label: string;
  readonly from: number;
  readonly to: number;
  readonly ticks: readonly { readonly at: number; readonly label: string }[];
}

export interface Panel {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly layers: readonly Layer[];
  readonly size?: { readonly width: number; readonly height: number };
}

export type Layer =
  | {
      readonly kind: 'line';
      readonly series: number;
      readonly points: readonly (readonly [number, number])[];
      /** Written above its beginning. */
      readonly label?: string;
    }
  /** Something to compare with: dashed, in ink. */
  | { readonly kind: 'reference'; readonly label: string; readonly points: readonly (readonly [number, number])[] }
  | {
      readonly kind: 'points';
      readonly series: number;
      readonly points: readonly {
        readonly x: number;
        readonly y: number;
        readonly interval: Interval;
        readonly hint: string;
      }[];
    };

const PANEL = { width: 300, height: 240, left: 46, right: 18, top: 42, bottom: 40 } as const;

export function panel({ title, x: across, y: up, layers, size = PANEL }: Panel): string {
  const { right, top, bottom } = PANEL;
  const { width, height } = size;
  const left = Math.max(PANEL.left, 0.1 * width); // longer numbers stand beside larger pictures
  const x = (value: number): number =>
    left + ((value - across.from) / (across.to - across.from)) * (width - left - right);
  const y = (value: number): number =>
    height - bottom - ((value - up.from) / (up.to - up.from)) * (height - top - bottom);
  const grid = [
    ...across.ticks.map(tick => text(x(tick.at), height - bottom + 16, tick.label, 'middle')),
    ...up.ticks.map(
      tick =>
        `<line class="grid" x1="${left}" x2="${width - right}" y1="${n(y(tick.at))}" y2="${n(y(tick.at))}"/>${text(left - 6, y(tick.at) + 4, tick.label, 'end')}`,
    ),
    text((left + width - right) / 2, height - 6, across.label, 'middle'),
    text(8, 14, title, 'title'),
    text(8, 31, up.label, 'start'),
  ];
  const path = (points: readonly (readonly [number, number])[]): string =>
    points.map(([a, b], i) => `${i === 0 ? 'M' : 'L'}${n(x(a))} ${n(y(b))}`).join('');
  const drawn = layers.map(layer => {
    if (layer.kind === 'line') {
      const [first, value] = layer.points[0] ?? [across.from, up.from];
      const label = layer.label === undefined ? '' : text(x(first), y(value) - 6, layer.label, 'start');
      return `<path class="line s${layer.series}" d="${path(layer.points)}"/>${label}`;
    }
    if (layer.kind === 'reference')
      return `<g>${hint(layer.label)}<path class="reference" d="${path(layer.points)}"/></g>`;
    const points = layer.points.map(
      each =>
        `<g class="s${layer.series}">${hint(each.hint)}<line class="bar" x1="${n(x(each.x))}" x2="${n(x(each.x))}" y1="${n(y(each.interval.low))}" y2="${n(y(each.interval.high))}"/>${shape(layer.series, x(each.x), y(each.y))}</g>`,
    );
    return points.join('');
  });
  return picture(title, width, height, [...grid, ...drawn]);
}

/** A picture as a file of its own, on a ground of its own. */
export function asFile(svg: string): string {
  const opened = svg
    .replace(/^<svg /, '<svg xmlns="http://www.w3.org/2000/svg" ')
    .replace(/ style="max-width:[^"]*"/, '');
  const [, width, height] = /viewBox="0 0 (\S+) (\S+)"/.exec(svg) ?? [];
  const ground = `<rect width="${width}" height="${height}" fill="var(--page)"/>`;
  return `${opened.replace(/>/, `><style>${PICTURE_STYLE}</style>${ground}`)}\n`;
}

/** From the first multiple of `step` at or above `from`. */
export function ticks(from: number, to: number, step: number): number[] {
  const first = Math.ceil(from / step - 1e-9);
  const last = Math.floor(to / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => (first + i) * step);
}

function picture(title: string, width: number, height: number, parts: readonly string[]): string {
  return `<svg role="img" aria-label="${escapeHtml(title)}" viewBox="0 0 ${width} ${n(height)}" style="max-width:${width}px">${parts.join('')}</svg>`;
}

/** Circle, square, diamond, triangle: what tells series apart without colour. */
function shape(series: number, x: number, y: number): string {
  const at = (dx: number, dy: number): string => `${n(x + dx)},${n(y + dy)}`;
  switch (series % 4) {
    case 0:
      return `<circle class="mark" cx="${n(x)}" cy="${n(y)}" r="4.2"/>`;
    case 1:
      return `<rect class="mark" x="${n(x - 3.8)}" y="${n(y - 3.8)}" width="7.6" height="7.6"/>`;
    case 2:
      return `<polygon class="mark" points="${at(0, -5)} ${at(5, 0)} ${at(0, 5)} ${at(-5, 0)}"/>`;
    default:
      return `<polygon class="mark" points="${at(0, -4.8)} ${at(4.8, 4)} ${at(-4.8, 4)}"/>`;
  }
}

function text(x: number, y: number, content: string, kind: string): string {
  return `<text class="${kind}" x="${n(x)}" y="${n(y)}">${escapeHtml(content)}</text>`;
}

function hint(content: string): string {
  return `<title>${escapeHtml(content)}</title>`;
}

/** Tenths of a pixel are enough. */
function n(value: number): string {
  return Number(value.toFixed(1)).toString();
}
