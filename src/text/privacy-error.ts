/** Why a note may not be processed. Details hold categories and counts, never what was found. */
import { ClinstreamError } from '../core/errors.ts';

export class PrivacyError extends ClinstreamError<'NOTE_NOT_ATTESTED' | 'NOTE_LOOKS_IDENTIFIED'> {
  readonly stage = 'privacy';
}
