/** Notes of several shapes, made from real ones. Every note has an id of its own, so that its event can be recognised. */
import type { Note } from '../core/note.ts';
import type { Random } from './arrivals.ts';

export const WORKLOADS = ['short', 'notes', 'reports', 'pages', 'mixed'] as const;
/**
 * - `short`: paragraphs, as messages and nursing lines are.
 * - `notes`: whole notes, as they are.
 * - `reports`: whole notes, joined with the next until they have 2,400 characters: some 800 tokens in the mean, as dictated reports
 *   (mtsamples) have.
 * - `pages`: a hundred pages of 3,000 characters, as a scanned chart is.
 * - `mixed`: half paragraphs, half whole notes, one in 200 of a hundred pages; a few patients have most of them (Zipf), so that
 *   partitions are not alike.
 */
export type Workload = (typeof WORKLOADS)[number];

const REPORT = 2_400;
const PAGE = 3_000;
const PAGES = 100;
const PATIENTS = 50;
const ONE_IN = 200;

export type Source = () => Note;

/** @param notes real ones, in the order that they are used in, over and over. */
export function sourceOf(workload: Workload, notes: readonly Note[], random: Random): Source {
  const [paragraph, whole] = [inTurn(paragraphs(notes)), inTurn(notes)];
  const shapes: Readonly<Record<Workload, Source>> = {
    short: paragraph,
    notes: whole,
    reports: () => ({ ...whole(), text: textOf(whole, REPORT) }),
    pages: () => ({ ...whole(), text: textOf(whole, PAGES * PAGE) }),
    mixed: () => {
      const chance = random();
      if (chance < 1 / ONE_IN) return shapes.pages();
      return { ...(chance < 0.5 ? paragraph() : whole()), patientId: `patient-${zipf(PATIENTS, random)}` };
    },
  };
  let made = 0;
  return () => ({ ...shapes[workload](), noteId: `bench-${made++}` });
}

/** As many notes as asked for, taken in turn, each with an id of its own. */
export function repeated(notes: readonly Note[], count: number, workload: 'notes' | 'reports' = 'notes'): Note[] {
  return Array.from({ length: count }, sourceOf(workload, notes, Math.random));
}

/** Paragraphs of notes, each as a note. */
export function paragraphs(notes: readonly Note[]): Note[] {
  return notes.flatMap(note =>
    note.text
      .split(/\n\s*\n/)
      .filter(text => text.length > 80)
      .map(text => ({ ...note, text })),
  );
}

function inTurn(notes: readonly Note[]): Source {
  let next = 0;
  return () => {
    const note = notes[next++ % notes.length];
    if (note === undefined) throw new RangeError('a workload needs notes');
    return note;
  };
}

function textOf(source: Source, characters: number): string {
  let text = '';
  while (text.length < characters) text += `${source().text}\n\n`;
  return text;
}

/** 0 … count − 1, each by the inverse of its place. */
function zipf(count: number, random: Random): number {
  const total = Array.from({ length: count }, (_, i) => 1 / (i + 1)).reduce((sum, share) => sum + share, 0);
  let left = random() * total;
  for (let i = 0; i < count; i++) {
    left -= 1 / (i + 1);
    if (left < 0) return i;
  }
  return count - 1;
}
