/** Why a task of a note is asked about again: how doubtful the tagger is there, and from where on that is too much. */
import type { Task } from './span.ts';

export interface Doubt {
  readonly task: Task;
  /** Name of the score. */
  readonly score: string;
  /** Larger is more doubtful. */
  readonly value: number;
  /** The task escalates when `value` is greater. */
  readonly threshold: number;
}
