/** What two versions can fail of when they are compared. None of it is a fault of this checkout: something named cannot be measured. */
import { ClinstreamError } from '../../core/errors.ts';

export class CompareError extends ClinstreamError<
  /** A commit was named, and this program is no git checkout. */
  | 'NOT_A_CHECKOUT'
  | 'COMMIT_UNKNOWN'
  | 'COMMIT_NOT_INSTALLED'
  /** The program started, and did not end well. */
  | 'PROGRAM_FAILED'
  /** It ended well, and some notes have neither entities nor dead letter, or all have only dead letters. */
  | 'NOTES_UNANSWERED'
  /** Its events are none that this checkout can read. */
  | 'ANSWERS_UNREADABLE'
> {
  readonly stage = 'config';
}
