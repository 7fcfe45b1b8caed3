/**
 * What the fallback cannot go on after. Nothing is sent to anyone while this machine cannot write down what it sends and pays; and a
 * teacher that breaks in a way that its port does not foresee ends the role, without its message, which may quote a note.
 */
import { ClinstreamError } from '../core/errors.ts';

export class EscalationError extends ClinstreamError<
  'STATE_UNREADABLE' | 'STATE_VERSION' | 'STATE_BUSY' | 'STATE_FULL' | 'AUDIT_UNWRITABLE' | 'TEACHER_BROKEN'
> {
  readonly stage = 'escalation';
}
