/** What the page shows of an error: its words in context, cut where gold and found spans begin and end. */
import type { Span } from '../../core/span.ts';
import type { ReviewDocument, SpanError } from '../../distill/review/errors.ts';
import { CodePointIndex } from '../../text/code-points.ts';
import { segments } from '../render/segments.ts';

/** Code points on either side. */
const CONTEXT = 260;

export interface Piece {
  readonly text: string;
  readonly gold: boolean;
  readonly found: boolean;
  /** Whether it is part of the error itself. */
  readonly focus: boolean;
}

type Side = Span & { readonly side: 'gold' | 'found' | 'focus' };

/** @param whole the note, instead of the error and what is near it. */
export function piecesOf({ document, reading }: ReviewDocument, error: SpanError, whole: boolean): Piece[] {
  const index = new CodePointIndex(document.text);
  const from = whole ? 0 : Math.max(0, error.start - CONTEXT);
  const to = whole ? index.length : Math.min(index.length, error.end + CONTEXT);
  const sides: Side[] = [
    ...reading.gold.map(({ start, end }): Side => ({ start, end, side: 'gold' })),
    ...reading.found.map(({ start, end }): Side => ({ start, end, side: 'found' })),
    { start: error.start, end: error.end, side: 'focus' },
  ];
  const near = sides
    .filter(each => each.start < to && each.end > from)
    .map(each => ({ ...each, start: Math.max(each.start, from) - from, end: Math.min(each.end, to) - from }));
  const pieces = segments((start, end) => index.slice(from + start, from + end), to - from, near).map(
    ({ text, entities }): Piece => {
      const has = (side: Side['side']): boolean => entities.some(each => each.side === side);
      return { text, gold: has('gold'), found: has('found'), focus: has('focus') };
    },
  );
  const cut = (text: string): Piece => ({ text, gold: false, found: false, focus: false });
  return [...(from > 0 ? [cut('… ')] : []), ...pieces, ...(to < index.length ? [cut(' …')] : [])];
}

/** The words of the error itself. */
export function mentionOf({ document }: ReviewDocument, { start, end }: SpanError): string {
  return new CodePointIndex(document.text).slice(start, end);
}
