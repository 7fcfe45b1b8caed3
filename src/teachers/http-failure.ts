/** A TeacherError from an HTTP status and body. Of the body only known codes are repeated: the rest may repeat the request. */
import { meaningOf } from './error-meaning.ts';
import { retryAfterMs } from './retry-after.ts';
import type { Usage } from './teacher.ts';
import { type TeacherCode, TeacherError, type TeacherErrorOptions } from './teacher-error.ts';

export interface HttpFailure {
  readonly teacher: string;
  readonly status: number;
  readonly headers: Headers;
  /** As received. */
  readonly body: string;
  /** Milliseconds since the Unix epoch, for dates in Retry-After. */
  readonly now: number;
}

const ADVICE: Readonly<Partial<Record<TeacherCode, string>>> = {
  TEACHER_DENIED: 'check the API key and what it may use',
  TEACHER_UNPAID: 'the account has no credit left: top it up',
  MODEL_UNKNOWN: 'it does not know the model',
  REQUEST_UNSUPPORTED: 'it would refuse every request: check the model, its settings, the base URL and the API version',
};

/** A filter that stops a request before the model sees it charges nothing. */
const FREE: Usage = { inputTokens: 0, outputTokens: 0, usd: 0, ms: 0 };

export function httpFailure({ teacher, status, headers, body, now }: HttpFailure): TeacherError {
  const { code, said } = meaningOf({ status, body });
  const advice = status === 404 && code === 'TEACHER_FAILED' ? 'its base URL may be wrong' : ADVICE[code];
  const waits = code === 'TEACHER_BUSY' || code === 'TEACHER_FAILED' ? retryAfterMs({ headers, body, now }) : undefined;
  const options: TeacherErrorOptions = {
    details: { teacher, status, ...(said === undefined ? {} : { said }) },
    ...(waits === undefined ? {} : { retryAfterMs: waits }),
    ...(code === 'REPLY_REFUSED' ? { usage: FREE } : {}),
  };
  const why = said === undefined ? `${status}` : `${status} ${said}`;
  return new TeacherError(code, `${teacher} answered ${why}${advice === undefined ? '' : `: ${advice}`}`, options);
}
