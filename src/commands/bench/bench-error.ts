/** What ends a measurement that had begun: its figures would be of something else. */
import { ClinstreamError } from '../../core/errors.ts';

export class BenchError extends ClinstreamError<
  /** A process of this program, started to be measured, ended of itself. */
  | 'PROGRAM_FAILED'
  /** Notes had no event, and nothing more came. */
  | 'NOTES_UNANSWERED'
  /** What had waited was still not read in twice the time that it should have taken. */
  | 'NOT_CAUGHT_UP'
  /** Escalating was to be measured, and no note was escalated. */
  | 'NOTHING_ESCALATED'
> {
  readonly stage = 'config';
}
