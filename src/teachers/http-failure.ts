/** What an HTTP status says about a teacher. Of the body only known codes are taken: the rest may repeat the request. */
import { detailsIn, errorIn } from './error-body.ts';
import { retryAfterMs } from './retry-after.ts';
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

/** Codes of OpenAI and Gemini that say more than the status does. */
const TELLING: Readonly<Record<string, TeacherCode>> = {
  insufficient_quota: 'TEACHER_UNPAID',
  billing_hard_limit_reached: 'TEACHER_UNPAID',
  billing_not_active: 'TEACHER_UNPAID',
  invalid_api_key: 'TEACHER_DENIED',
  API_KEY_INVALID: 'TEACHER_DENIED',
  BILLING_DISABLED: 'TEACHER_UNPAID',
  model_not_found: 'MODEL_UNKNOWN',
  DeploymentNotFound: 'MODEL_UNKNOWN',
  content_filter: 'REPLY_REFUSED',
};

/** Codes that only help a person who reads the message. */
const REPEATED = new Set([
  ...Object.keys(TELLING),
  'context_length_exceeded',
  'rate_limit_exceeded',
  'unsupported_parameter',
  'unsupported_value',
  'INVALID_ARGUMENT',
  'FAILED_PRECONDITION',
  'RESOURCE_EXHAUSTED',
]);

const ADVICE: Readonly<Partial<Record<TeacherCode, string>>> = {
  TEACHER_DENIED: 'check the API key and what it may use',
  TEACHER_UNPAID: 'the account has no credit left: top it up',
  MODEL_UNKNOWN: 'it does not know the model, or the base URL is wrong',
};

export function httpFailure({ teacher, status, headers, body, now }: HttpFailure): TeacherError {
  const said = codesIn(body);
  const telling = said.find(code => Object.hasOwn(TELLING, code));
  const code = (telling === undefined ? undefined : TELLING[telling]) ?? byStatus(status);
  const repeated = telling ?? said.find(one => REPEATED.has(one));
  const advice = ADVICE[code];
  const waits = code === 'TEACHER_BUSY' || status >= 500 ? retryAfterMs({ headers, body, now }) : undefined;
  const options: TeacherErrorOptions = {
    details: { teacher, status, ...(repeated === undefined ? {} : { said: repeated }) },
    ...(waits === undefined ? {} : { retryAfterMs: waits }),
  };
  const why = repeated === undefined ? `${status}` : `${status} ${repeated}`;
  return new TeacherError(code, `${teacher} answered ${why}${advice === undefined ? '' : `: ${advice}`}`, options);
}

function byStatus(status: number): TeacherCode {
  if (status === 401 || status === 403) return 'TEACHER_DENIED';
  if (status === 402) return 'TEACHER_UNPAID';
  if (status === 404) return 'MODEL_UNKNOWN';
  if (status === 408) return 'TEACHER_TIMEOUT';
  if (status === 429) return 'TEACHER_BUSY';
  return status >= 500 ? 'TEACHER_FAILED' : 'REQUEST_REJECTED';
}

/** `error.code`, `error.type`, `error.status`, and the reasons in Google's `error.details`. */
function codesIn(body: string): string[] {
  const error = errorIn(body);
  const reasons = detailsIn(error).map(detail => detail.reason);
  return [...reasons, error?.code, error?.type, error?.status].filter(code => typeof code === 'string');
}
