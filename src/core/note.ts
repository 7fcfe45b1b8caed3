/** A clinical note as the product sees it, whatever wire it came by. Only the codecs of `events/` make one. */

/** How, and by which version of what, the sender removed identifying details. */
export interface Deidentification {
  readonly method: string;
  readonly version: string;
}

export interface Note {
  readonly noteId: string;
  /** Rises when the sender corrects a note; starts at 1. */
  readonly noteVersion: number;
  /** A pseudonym, and the message key on every topic: one patient's notes stay in order. */
  readonly patientId: string;
  readonly encounterId: string | null;
  readonly noteType: string;
  /** Milliseconds since the Unix epoch. */
  readonly authoredAt: number;
  readonly specialty: string | null;
  readonly source: string;
  readonly text: string;
  /** Null when the sender attests nothing: such a note is refused by the privacy gate. */
  readonly deidentification: Deidentification | null;
}
