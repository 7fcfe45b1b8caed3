/** What stops annotating, selecting, training, evaluating or promoting. */
import { ClinstreamError } from '../core/errors.ts';

export class DistillError extends ClinstreamError<
  | 'CORPUS_MISSING'
  | 'CORPUS_ROW_INVALID'
  | 'COST_CAP_REACHED'
  | 'ANNOTATIONS_INCOMPLETE'
  | 'METRICS_INVALID'
  | 'VERDICTS_INVALID'
  | 'SHADOW_REPORT_INVALID'
  | 'SHADOW_REPORT_MISMATCH'
  | 'SHADOW_REPORT_TAKEN'
  | 'OUTPUT_FAILED'
  | 'EXPORT_INVALID'
  | 'PYTHON_MISSING'
  | 'ENVIRONMENT_FAILED'
  | 'TRAINING_FAILED'
  | 'GATE_DATA_UNFIT'
  | 'PROMOTION_REFUSED'
  | 'ROLLBACK_REFUSED'
  | 'STORE_BUSY'
> {
  readonly stage = 'distill';
}
