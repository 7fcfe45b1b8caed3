/** A note with nothing but its text to speak of. */
import type { Note } from '../../src/core/note.ts';

export function noteOf(text: string): Note {
  return {
    noteId: 'n',
    noteVersion: 1,
    patientId: 'p',
    encounterId: null,
    noteType: 'progress',
    authoredAt: 0,
    specialty: null,
    source: 'test',
    text,
    deidentification: { method: 'made up', version: '1' },
  };
}
