/** The one door: nothing downstream accepts a note that did not come through it. */
import type { Note } from '../core/note.ts';
import { PrivacyError } from './privacy-error.ts';
import { trip } from './tripwire.ts';

declare const gated: unique symbol;

/** A note whose sender attests its de-identification and in which no tripwire fired. Only `gate` makes one. */
export type GatedNote = Note & { readonly [gated]: true };

/** @throws PrivacyError NOTE_NOT_ATTESTED, or NOTE_LOOKS_IDENTIFIED with the categories found in `details.categories`. */
export function gate(note: Note): GatedNote {
  const { deidentification } = note;
  if (deidentification === null || deidentification.method.trim() === '' || deidentification.version.trim() === '') {
    throw new PrivacyError(
      'NOTE_NOT_ATTESTED',
      'the note does not say how it was de-identified: its sender must fill deidentification.method and .version',
    );
  }
  const found = trip(note.text);
  if (found.size > 0) {
    const categories = [...found.keys()].sort().join(',');
    throw new PrivacyError(
      'NOTE_LOOKS_IDENTIFIED',
      `the note seems to hold identifiers (${categories}): check its de-identification, then replay it`,
      { details: { categories } },
    );
  }
  return note as GatedNote;
}
