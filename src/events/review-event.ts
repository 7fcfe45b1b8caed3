/** What no teacher could decide, for a person to decide: which note, which tasks, and a stable reason; never its text. */
import type { Note } from '../core/note.ts';
import type { EventCodec } from './codec.ts';
import type { ModelIdentity, ReviewEvent } from './generated.ts';
import { deterministicId, textSha256 } from './identity.ts';
import { fullName, REVIEW_SCHEMA } from './schemas.ts';
import { createSingleObjectCodec } from './single-object.ts';

/** `ce_type` of a review. */
export const REVIEW_EVENT_TYPE = fullName(REVIEW_SCHEMA);

/** Gravest first: what a person must know before anything else. The schema's documentation says what each means. */
export const REVIEW_REASONS = [
  'NOTE_REFUSED',
  'TOO_LARGE',
  'NO_TEACHER',
  'BUDGET_SPENT',
  'TOO_OLD',
  'PROVIDER_FAILED',
  'REPLY_UNUSABLE',
  'NOTHING_GROUNDED',
  'MOSTLY_INVENTED',
] as const;

export type ReviewReason = (typeof REVIEW_REASONS)[number];

export interface UndecidedTask {
  readonly task: string;
  readonly reason: ReviewReason;
  /** Names of those whose turn it was, in their order. */
  readonly teachers: readonly string[];
}

export interface ReviewOfNote {
  readonly note: Note;
  readonly model: ModelIdentity;
  /** The revision that stands until a reviewer publishes a higher one. */
  readonly revision: number;
  /** At least one. */
  readonly tasks: readonly UndecidedTask[];
  /** US dollars that replies about the note cost. */
  readonly usd: number;
  /** Milliseconds since the Unix epoch, as is `at`. */
  readonly escalatedAt: number;
  readonly at: number;
}

/** Reviews in single-object encoding. */
export function createReviewCodec(options: { readonly maxBytes?: number } = {}): EventCodec<ReviewEvent> {
  return createSingleObjectCodec<ReviewEvent>({ schema: REVIEW_SCHEMA, ...options });
}

/** `eventId` does not depend on when it was given up. */
export function reviewEvent(of: ReviewOfNote): ReviewEvent {
  const { note, model, revision, tasks, usd, escalatedAt, at } = of;
  const sha256 = textSha256(note.text);
  return {
    eventId: deterministicId(['review', note.noteId, note.noteVersion, sha256, model.sha256, revision]),
    noteId: note.noteId,
    noteVersion: note.noteVersion,
    revision,
    patientId: note.patientId,
    encounterId: note.encounterId,
    noteType: note.noteType,
    authoredAt: note.authoredAt,
    textSha256: sha256,
    model: { name: model.name, version: model.version, sha256: model.sha256 },
    reason: gravest(tasks.map(each => each.reason)),
    tasks: tasks.map(({ task, reason, teachers }) => ({ task, reason, teachers })),
    usd,
    escalatedAt,
    at,
  };
}

/** @throws TypeError for no reason at all. */
export function gravest(reasons: readonly ReviewReason[]): ReviewReason {
  const found = REVIEW_REASONS.find(reason => reasons.includes(reason));
  if (found === undefined) throw new TypeError('a review needs a reason');
  return found;
}
