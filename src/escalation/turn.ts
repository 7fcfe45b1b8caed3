/**
 * What a task knows about one of its teachers, and when a teacher that fails is left for good. An outage, in which nobody is answered,
 * ends no turn: no note is given up because of one.
 */
import type { ReviewReason } from '../events/review-event.ts';
import type { Quote, Teacher, TeacherRequest } from '../teachers/teacher.ts';
import type { TeacherError } from '../teachers/teacher-error.ts';
import { waitAsAsked } from './breaker.ts';

export interface Turn {
  readonly teacher: Teacher;
  /** Why it is not asked again. */
  through: ReviewReason | undefined;
  failures: number;
  /** Of those, while the breaker was closed. */
  closedFailures: number;
  /** What its provider had answered at the first of them. */
  answersBefore: number;
  /** Not before; milliseconds since the Unix epoch. */
  restUntil: number;
  /** What is asked, planned once. */
  plan: readonly TeacherRequest[] | undefined;
  /** The answers to the first requests of the plan. */
  readonly answered: (readonly Quote[])[];
}

/** After a failure of its provider a teacher is left alone for a while, each time longer. */
const REST_MS = { first: 250, most: 30_000 };
/** Nobody is left alone for longer without another look: a longer rest may be due to a clock that was set back. */
const LONGEST_REST_MS = 600_000;
/** A request that fails so often, while its provider answers others, fails because of its note. */
const FAILURES = 6;

export function turnOf(teacher: Teacher): Turn {
  return {
    teacher,
    through: undefined,
    failures: 0,
    closedFailures: 0,
    answersBefore: 0,
    restUntil: 0,
    plan: undefined,
    answered: [],
  };
}

/** @param at milliseconds since the Unix epoch. */
export function isResting(turn: Turn, at: number): boolean {
  turn.restUntil = Math.min(turn.restUntil, at + LONGEST_REST_MS);
  return turn.restUntil > at;
}

/** @param how.at milliseconds since the Unix epoch. @param how.answers of its provider until now. @param how.wasClosed its breaker. */
export function afterFailure(
  turn: Turn,
  error: TeacherError,
  { at, answers, wasClosed }: { readonly at: number; readonly answers: number; readonly wasClosed: boolean },
): void {
  const ms = Math.min(REST_MS.first * 2 ** turn.failures, REST_MS.most);
  turn.restUntil = at + Math.max(ms, waitAsAsked(error.retryAfterMs) ?? 0);
  if (turn.failures === 0) turn.answersBefore = answers;
  turn.failures++;
  if (wasClosed) turn.closedFailures++;
  if (turn.closedFailures >= FAILURES && answers > turn.answersBefore) turn.through = 'PROVIDER_FAILED';
}
