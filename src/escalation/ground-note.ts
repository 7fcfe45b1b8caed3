/** The sections of a note overlap: what is quoted from several is placed in each and marked once, in offsets of the note. */
import type { Span } from '../core/span.ts';
import type { Quote } from '../teachers/teacher.ts';
import { CodePointIndex } from '../text/code-points.ts';
import { isInsideWord } from '../text/pieces.ts';
import { ground } from './ground.ts';
import type { Dropped, Grounded, Mark } from './grounded.ts';
import { mergeMarks } from './merge-marks.ts';

/** What one reply said about one section. */
export interface SectionQuotes {
  /** Where the section stands in the note, in code points. */
  readonly section: Span;
  readonly quotes: readonly Quote[];
}

/**
 * Union over the sections of one task. A word that a section's edge cuts is not marked in part: the neighbour has it whole. Counts are
 * of quotes a section: one that two sections dropped is dropped twice.
 *
 * @throws RangeError for a section outside the note.
 */
export function groundNote(note: string, sections: readonly SectionQuotes[]): Grounded {
  const index = new CodePointIndex(note);
  const marks: Mark[] = [];
  const dropped: Dropped[] = [];
  const aligned = { exact: 0, normalised: 0, fuzzy: 0 };
  for (const { section, quotes } of sections) {
    const grounded = ground(index.slice(section.start, section.end), quotes);
    dropped.push(...grounded.dropped);
    aligned.exact += grounded.aligned.exact;
    aligned.normalised += grounded.aligned.normalised;
    aligned.fuzzy += grounded.aligned.fuzzy;
    for (const { start, end, alignment, similarity, codes = [] } of grounded.placed) {
      const [from, to] = [index.toUtf16(section.start + start), index.toUtf16(section.start + end)];
      const cut =
        (start === 0 && isInsideWord(note, from)) || (section.start + end === section.end && isInsideWord(note, to));
      if (cut) continue;
      marks.push({ start: section.start + start, end: section.start + end, from, to, alignment, similarity, codes });
    }
  }
  return { placed: mergeMarks(note, marks), dropped, aligned };
}
