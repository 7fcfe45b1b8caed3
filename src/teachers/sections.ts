/**
 * A long note is asked about in overlapping sections, cut at line or word ends where there are any, so that every mention
 * shorter than the overlap is whole in some section. Every code point belongs to a section.
 */
import type { Span } from '../core/span.ts';
import { CodePointIndex } from '../text/code-points.ts';

export interface SectionSize {
  /** At most so many code points a section. */
  readonly size: number;
  /** At least so many code points in common with the section before. */
  readonly overlap: number;
}

/** In text order; one section when the text is short enough, none when it is empty. @throws RangeError for an impossible size */
export function sectionsOf(text: string, { size, overlap }: SectionSize): Span[] {
  if (!(Number.isInteger(size) && Number.isInteger(overlap) && overlap >= 0 && size > overlap)) {
    throw new RangeError(`a section of ${size} code points must be longer than its overlap of ${overlap}`);
  }
  const index = new CodePointIndex(text);
  // half of what a section adds at least remains, whatever the search for word ends takes at either end
  const reach = Math.floor((size - overlap) / 4);
  const sections: Span[] = [];
  for (let start = 0; start < index.length; ) {
    if (index.length - start <= size) {
      sections.push({ start, end: index.length });
      break;
    }
    const end = breakBefore(index, start + size, reach);
    sections.push({ start, end });
    start = breakBefore(index, end - overlap, reach);
  }
  return sections;
}

/** The last place after a line end, or else after white space, within `reach` code points up to `point`; else `point`. */
function breakBefore(index: CodePointIndex, point: number, reach: number): number {
  // one more in front, so that white space just before the reach still counts as a break at its edge
  const from = Math.max(0, point - reach - 1);
  const tail = index.slice(from, point);
  const line = tail.lastIndexOf('\n') + 1;
  const cut = line > 0 ? line : afterLastSpace(tail);
  return cut === 0 ? point : point - new CodePointIndex(tail.slice(cut)).length;
}

function afterLastSpace(tail: string): number {
  for (let unit = tail.length; unit > 0; unit--) if (/\s/.test(tail[unit - 1] ?? '')) return unit;
  return 0;
}
