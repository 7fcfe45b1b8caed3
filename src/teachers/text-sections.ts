/** Cuts a long note into overlapping sections for services that know no model's window. A cut lies in white space wherever there is some. */
import type { Span } from '../core/span.ts';
import { CodePointIndex } from '../text/code-points.ts';

/** Sections of at most `size` code points, neighbours sharing at least half of `overlap`; together they cover the text. No text, none. */
export function textSections(text: string, { size, overlap }: { size: number; overlap: number }): Span[] {
  if (!(size > 2 * overlap && overlap >= 0)) throw new RangeError(`sections of ${size} cannot share ${overlap}`);
  const index = new CodePointIndex(text);
  const sections: Span[] = [];
  for (let start = 0; start < index.length; ) {
    const end = index.length - start <= size ? index.length : atSpace(index, start + size, overlap / 2);
    sections.push({ start, end });
    if (end === index.length) break;
    start = atSpace(index, end - Math.ceil(overlap / 2), overlap / 2);
  }
  return sections;
}

/** The last white space within `reach` before a point, else the point itself. */
function atSpace(index: CodePointIndex, point: number, reach: number): number {
  const from = Math.max(0, point - Math.floor(reach));
  const characters = [...index.slice(from, point)];
  const space = characters.findLastIndex(character => /\s/.test(character));
  return space < 0 ? point : from + space + 1;
}
