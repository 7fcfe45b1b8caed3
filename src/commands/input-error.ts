/** Mistakes in what the user handed to a command: a file, a line, an argument. */
import { ClinstreamError } from '../core/errors.ts';

export class InputError extends ClinstreamError<
  'FILE_UNREADABLE' | 'LINE_NOT_UTF8' | 'LINE_TOO_LONG' | 'LINE_NOT_JSON' | 'LINE_NOT_A_NOTE' | 'TEXT_NOT_UNICODE'
> {
  readonly stage = 'input';
}
