import type { Note } from '../../core/note.ts';

/** A run of characters so long that shares it with a note is hardly there by chance. */
const TELLING = 16;

/** A line that some other version of the program wrote, unless it quotes a note: what that version promises is not known. */
export function withoutNoteText(line: string, notes: readonly Pick<Note, 'text'>[]): string {
  const runs = Array.from({ length: Math.max(1, line.length - TELLING + 1) }, (_, i) => line.slice(i, i + TELLING));
  const quotes = runs.some(run => run.trim().length > 3 && notes.some(({ text }) => text.includes(run)));
  return quotes ? '(withheld: it holds text of a note)' : line;
}
