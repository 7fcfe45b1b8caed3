/** What the fallback's own files refused. Nothing is sent to anyone while this machine cannot write down what it sends and pays. */
import { ClinstreamError } from '../core/errors.ts';

export class EscalationError extends ClinstreamError<
  'STATE_UNREADABLE' | 'STATE_VERSION' | 'STATE_BUSY' | 'STATE_FULL' | 'AUDIT_UNWRITABLE'
> {
  readonly stage = 'escalation';
}
