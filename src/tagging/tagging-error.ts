/** Why a note has no answer although the model gave one. */
import { ClinstreamError } from '../core/errors.ts';

export class TaggingError extends ClinstreamError<
  /** No topic may take its entities event: it holds nearly as many mentions as words. */
  'ENTITIES_TOO_LARGE'
> {
  readonly stage = 'tagging';
}
