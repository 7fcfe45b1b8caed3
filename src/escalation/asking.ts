/** What the chain asks of the desk, and what it may hear: an answer, or what stands in the way. */
import type { Quote, RequestKey, Teacher, TeacherRequest, Usage } from '../teachers/teacher.ts';
import type { TeacherCode } from '../teachers/teacher-error.ts';
import type { AuditEntry } from './audit.ts';
import type { ProviderBreaker } from './breaker.ts';
import type { Place } from './minute-line.ts';
import type { StoredReply } from './reply-store.ts';

export type Answer =
  | { readonly kind: 'reply'; readonly quotes: readonly Quote[]; readonly usage: Usage }
  | { readonly kind: 'unusable'; readonly code: TeacherCode; readonly usage: Usage }
  /** A minute's limit, or money or a reply that a request under way still holds; milliseconds since the Unix epoch. */
  | { readonly kind: 'wait'; readonly until: number }
  | { readonly kind: 'spent'; readonly forGood?: true }
  /** The breaker lets nothing through now, or nobody wants it any more. */
  | { readonly kind: 'closed-off' };

/** Whose note a request is about, for the audit trail. */
export interface Subject {
  readonly noteId: string;
  readonly noteVersion: number;
  readonly textSha256: string;
}

/** What is asked, of whom, and about which note. */
export interface Asking {
  readonly teacher: Teacher;
  /** Of the teacher's provider. */
  readonly breaker: ProviderBreaker;
  readonly request: TeacherRequest;
  readonly subject: Subject;
  /** Where it stands among those whom the minute's limits make wait. */
  readonly place: Place;
  /** Whether it is still worth sending when its turn comes. */
  readonly wanted: () => boolean;
  /** After it aborts nothing new is sent, and requests under way have the desk's grace left. */
  readonly stopping: AbortSignal;
}

/** The same for the same question, and for no other. */
export function keyOf({ textSha256, task, promptSha256, model }: RequestKey): string {
  return JSON.stringify([textSha256, task, promptSha256, model]);
}

export function answerOf({ code, quotes, usage }: StoredReply): Answer {
  return code === null ? { kind: 'reply', quotes, usage } : { kind: 'unusable', code, usage };
}

/** @param host where the note goes. */
export function auditAbout(
  { teacher, request: { key, task }, subject: { noteId, noteVersion, textSha256 } }: Asking,
  host: string,
): Omit<Extract<AuditEntry, { event: 'asked' }>, 'event' | 'request'> {
  return {
    teacher: teacher.name,
    provider: teacher.provider,
    host,
    model: key.model,
    task,
    noteId,
    noteVersion,
    noteSha256: textSha256,
    sectionSha256: key.textSha256,
    promptSha256: key.promptSha256,
  };
}
