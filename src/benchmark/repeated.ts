import type { Note } from '../core/note.ts';

/** As many notes as asked for, taken in turn, each with an id of its own. */
export function repeated(notes: readonly Note[], count: number): Note[] {
  return Array.from({ length: count }, (_, i) => ({ ...(notes[i % notes.length] as Note), noteId: `bench-${i}` }));
}
