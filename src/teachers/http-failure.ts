/** What a request by `fetch` can come to instead of a usable answer, in the codes that the breaker and the budget understand. */
import { TeacherError } from './teacher-error.ts';

const HUNG_UP: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);
const SLOW: ReadonlySet<string> = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ETIMEDOUT']);

/** @param cause what `fetch`, or reading the body, threw. */
export function fromFetch(name: string, cause: unknown, signal: AbortSignal): TeacherError {
  if (signal.aborted)
    return new TeacherError('TEACHER_TIMEOUT', `${name}: no answer in time, the request was given up`);
  const code = codeOf(cause);
  if (isRedirect(cause))
    return new TeacherError('EGRESS_DENIED', `${name}: it redirects elsewhere; notes do not follow`, { cause });
  if (SLOW.has(code)) return new TeacherError('TEACHER_TIMEOUT', `${name}: no answer in time (${code})`, { cause });
  if (HUNG_UP.has(code))
    return new TeacherError('TEACHER_HUNG_UP', `${name}: the connection ended early (${code})`, { cause });
  return new TeacherError('TEACHER_UNREACHABLE', `${name}: cannot be reached (${code})`, { cause });
}

/** For a status that is not 2xx. @param now milliseconds since the epoch, for a Retry-After that is a date. */
export function fromStatus(name: string, response: Response, now: number): TeacherError {
  const { status } = response;
  const details = { status };
  if (status === 401 || status === 403)
    return new TeacherError('TEACHER_DENIED', `${name}: ${status}, the API key is not accepted`, { details });
  if (status === 404)
    return new TeacherError('MODEL_UNKNOWN', `${name}: 404, no such service, ontology or semantic type`, { details });
  if (status === 429) {
    const retryAfterMs = retryAfter(response.headers.get('retry-after'), now);
    return new TeacherError('TEACHER_BUSY', `${name}: 429, it asks to wait`, {
      details,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    });
  }
  if (status >= 500) return new TeacherError('TEACHER_FAILED', `${name}: ${status}`, { details });
  return new TeacherError('REQUEST_REJECTED', `${name}: ${status}, it does not take this request`, { details });
}

/** RFC 9110, 10.2.3: seconds, or a date. */
function retryAfter(value: string | null, now: number): number | undefined {
  if (value === null) return undefined;
  if (/^\d+$/.test(value.trim())) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** The innermost code; fetch wraps what happened in a TypeError. */
function codeOf(cause: unknown): string {
  for (let error = cause, depth = 0; error instanceof Error && depth < 4; error = error.cause, depth++) {
    if ('code' in error && typeof error.code === 'string') return error.code;
  }
  return 'unknown';
}

function isRedirect(cause: unknown): boolean {
  return cause instanceof Error && cause.cause instanceof Error && /redirect/i.test(cause.cause.message);
}
