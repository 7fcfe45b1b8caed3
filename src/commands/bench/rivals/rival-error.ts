/** What keeps a rival from being measured. None of it is a fault of clinstream's own. */
import { ClinstreamError } from '../../../core/errors.ts';

export class RivalError extends ClinstreamError<
  /** npm is not on the PATH, or could not install what transformers.js needs. */
  | 'NPM_MISSING'
  | 'ENVIRONMENT_FAILED'
  /** The model's graph gives no checkpoint that answers as it does. */
  | 'CHECKPOINT_FAILED'
  /** Others work on the machine: what would be written would be of them as well. */
  | 'MACHINE_BUSY'
  /** A rival's script ended badly, or did not say what it found. */
  | 'RIVAL_FAILED'
> {
  readonly stage = 'config';
}
