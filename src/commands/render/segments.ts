/** Mentions may overlap across tasks; a display wants a flat run of segments. Joined, the segments are the note. */
import type { Entity, Span } from '../../core/span.ts';

export interface Segment<S extends Span = Entity> {
  readonly text: string;
  /** The mentions that cover the segment; empty for plain text. */
  readonly entities: readonly S[];
}

/** @param slice code points `[start, end)` of the note; @param length of the note in code points. */
export function segments<S extends Span>(
  slice: (start: number, end: number) => string,
  length: number,
  entities: readonly S[],
): Segment<S>[] {
  const cuts = [...new Set([0, length, ...entities.flatMap(entity => [entity.start, entity.end])])].sort(
    (a, b) => a - b,
  );
  const starting = [...entities].sort((a, b) => a.start - b.start);
  let next = 0;
  let open: S[] = [];
  const result: Segment<S>[] = [];
  for (let i = 0; i + 1 < cuts.length; i++) {
    const start = cuts[i] as number;
    const end = cuts[i + 1] as number;
    open = open.filter(entity => entity.end > start);
    for (let entity = starting[next]; entity !== undefined && entity.start <= start; entity = starting[next]) {
      open.push(entity);
      next++;
    }
    result.push({ text: slice(start, end), entities: open.slice() });
  }
  return result;
}
