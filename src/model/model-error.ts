/** Why a model does not serve, or a batch has no answer. */
import { ClinstreamError } from '../core/errors.ts';

export class ModelError extends ClinstreamError<
  | 'MODEL_MISSING'
  | 'MODEL_UNREADABLE'
  | 'MANIFEST_INVALID'
  | 'MODEL_FILE_CHANGED'
  | 'MODEL_SELF_CHECK_FAILED'
  | 'STORE_INVALID'
  | 'ROUTING_INVALID'
  | 'ROUTING_OF_ANOTHER_MODEL'
  | 'DEVICE_UNAVAILABLE'
  | 'BATCH_FAILED'
  | 'WORKERS_LOST'
  | 'POOL_STOPPED'
> {
  readonly stage = 'model';
}
