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

/** Why a task is asked about: its score of doubt is greater than the threshold. */
export interface TaskDoubt {
  readonly task: string;
  /** Name of the score. */
  readonly score: string;
  readonly value: number;
  readonly threshold: number;
}

/** A note that the tagger is unsure of, with all that a teacher's answer needs to become the next revision. It holds the note's text: guard its topic as the topic of notes. Types named here and defined in other files are put in their place when a program reads this one. */
export interface EscalationEvent {
  /** Deterministic: the same note version, model and revision give the same id. */
  readonly eventId: string;
  /** As received, its attestation included: the privacy gate is passed again before anything is sent. */
  readonly note: NoteEvent;
  /** The revision that the doubts are about; the answer becomes the next. */
  readonly revision: number;
  readonly model: ModelIdentity;
  /** All tasks of the revision, the undoubted too. */
  readonly tasks: readonly TaskDecision[];
  /** All mentions of the revision, so that the next needs no look-up. */
  readonly entities: readonly EntityMention[];
  /** The tasks to ask about, each once. */
  readonly doubts: readonly TaskDoubt[];
  /** From here on it grows old. Milliseconds since the Unix epoch. */
  readonly escalatedAt: number;
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

export interface TaskReview {
  readonly task: string;
  /** NOTE_REFUSED by the privacy gate; NO_TEACHER for the task; TOO_LARGE to be sent on; TOO_OLD before an answer came; BUDGET_SPENT for the day; PROVIDER_FAILED again and again on this note, while others were answered; REPLY_UNUSABLE of every teacher; NOTHING_GROUNDED: no quote of an answer stands in the note; MOSTLY_INVENTED: most of them do not. More may come. */
  readonly reason: string;
  /** Those whose turn it was, in their order. */
  readonly teachers: readonly string[];
}

/** Tasks of a note that no teacher could decide: a person should. Holds no text; the note is found by its id, version and sha-256. */
export interface ReviewEvent {
  /** Deterministic: the same note version, model and revision give the same id. */
  readonly eventId: string;
  readonly noteId: string;
  readonly noteVersion: number;
  /** The revision of the note's entities that stands until a reviewer publishes a higher one. */
  readonly revision: number;
  readonly patientId: string;
  readonly encounterId: string | null;
  readonly noteType: string;
  /** Milliseconds since the Unix epoch. */
  readonly authoredAt: number;
  /** Of the note's text in UTF-8, in lower-case hexadecimal. */
  readonly textSha256: string;
  readonly model: ModelIdentity;
  /** The gravest reason of its tasks. */
  readonly reason: string;
  readonly tasks: readonly TaskReview[];
  /** US dollars that the replies about this note cost, by the price list. */
  readonly usd: number;
  /** Milliseconds since the Unix epoch. */
  readonly escalatedAt: number;
  /** When it was given up. Milliseconds since the Unix epoch. */
  readonly at: number;
}
