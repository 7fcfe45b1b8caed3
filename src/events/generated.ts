/** Generated from schemas/*.avsc by `npm run generate`: change those, never this. */

export type Status = 'FINAL' | 'PROVISIONAL';

export interface ModelIdentity {
  readonly name: string;
  readonly version: string;
  /** Of the model's manifest, which holds the sha-256 of every file. */
  readonly sha256: string;
}

export interface TaskDecision {
  readonly task: string;
  /** Expected token-level F1 of the task on this note, under the calibrated probabilities. */
  readonly confidence: number;
  /** student, teacher:<name> or review. */
  readonly decidedBy: string;
}

export interface Code {
  readonly system: string;
  readonly code: string;
  readonly display: string;
}

export interface EntityMention {
  readonly task: string;
  /** First Unicode code point. */
  readonly start: number;
  /** One past the last Unicode code point. */
  readonly end: number;
  readonly text: string;
  readonly confidence: number;
  /** student, teacher:<name> or review. */
  readonly source: string;
  readonly section: string | null;
  readonly assertion: string | null;
  readonly codes: readonly Code[];
}

/** The entities of one version of one note. Consumers keep the highest (noteVersion, revision) of a noteId. */
export interface EntitiesEvent {
  /** Deterministic: the same note version, model and revision give the same id. */
  readonly eventId: string;
  readonly noteId: string;
  readonly noteVersion: number;
  /** 1 from the tagger; higher when a teacher or a reviewer decided later. */
  readonly revision: number;
  readonly status: Status;
  readonly patientId: string;
  readonly encounterId: string | null;
  readonly noteType: string;
  /** Milliseconds since the Unix epoch. */
  readonly authoredAt: number;
  /** Of the note's text in UTF-8, in lower-case hexadecimal. */
  readonly textSha256: string;
  readonly offsetUnit: string;
  readonly model: ModelIdentity;
  readonly tasks: readonly TaskDecision[];
  readonly entities: readonly EntityMention[];
  /** Milliseconds since the Unix epoch. */
  readonly taggedAt: number;
}

export interface Deidentification {
  readonly method: string;
  readonly version: string;
}

/** A de-identified clinical note, as received. */
export interface NoteEvent {
  readonly noteId: string;
  /** Rises when the sender corrects the note; starts at 1. */
  readonly noteVersion: number;
  /** A pseudonym; also the message key. */
  readonly patientId: string;
  readonly encounterId: string | null;
  readonly noteType: string;
  /** Milliseconds since the Unix epoch. */
  readonly authoredAt: number;
  readonly specialty: string | null;
  readonly source: string;
  readonly text: string;
  /** The sender's attestation. A note without one decodes, and is refused by the privacy gate. */
  readonly deidentification: Deidentification | null;
}
