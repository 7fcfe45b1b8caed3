/** What stops training or evaluation. */
import { ClinstreamError } from '../core/errors.ts';

export class DistillError extends ClinstreamError<
  | 'CORPUS_MISSING'
  | 'CORPUS_ROW_INVALID'
  | 'COST_CAP_REACHED'
  | 'ANNOTATIONS_INCOMPLETE'
  | 'EXPORT_INVALID'
  | 'PYTHON_MISSING'
  | 'ENVIRONMENT_FAILED'
  | 'TRAINING_FAILED'
> {
  readonly stage = 'distill';
}
