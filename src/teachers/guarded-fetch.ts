/**
 * The one way from a provider's client to the network. It lets requests go only where notes may go, follows no redirect, reads
 * the whole body under the caller's signal, and turns every failure into a TeacherError before the client makes an error of its
 * own: those carry bodies and headers, and Google's has lost Retry-After.
 */
import { allowedHost } from './egress.ts';
import { failureInside, isRecord } from './error-body.ts';
import { httpFailure } from './http-failure.ts';
import { type TeacherCode, TeacherError } from './teacher-error.ts';

export interface GuardedFetchOptions {
  readonly teacher: string;
  /** The `egress.allow` list. */
  readonly allow: readonly string[];
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** What a good answer is: by default a JSON object; `any` for a caller that checks the whole of it. */
  readonly answer?: 'json-object' | 'any';
  /** Bounds memory when a server never stops; by default 8 MiB, as models answer a few kilobytes. */
  readonly maxBodyBytes?: number;
}

export function guardedFetch(options: GuardedFetchOptions): typeof fetch {
  const { teacher, allow, now, answer = 'json-object', maxBodyBytes = 8 * 2 ** 20 } = options;
  return async (input, init) => {
    const url = input instanceof Request ? input.url : input;
    allowedHost({ teacher, url, allow });
    const { response, body } = await transfer({ teacher, maxBodyBytes }, input, init);
    const { status, headers } = response;
    if (status >= 300 && status < 400) {
      const message = `${teacher} answered with a redirect (${status}): notes go nowhere but to the host that was allowed`;
      throw new TeacherError('EGRESS_DENIED', message, { details: { teacher, status } });
    }
    if (!response.ok) throw httpFailure({ teacher, status, headers, body, now: now() });
    // a Response of these may not even have an empty body
    if (status === 204 || status === 205) {
      throw new TeacherError('TEACHER_FAILED', `${teacher} answered ${status}, without anything`, {
        details: { teacher, status },
      });
    }
    if (answer === 'json-object') {
      const json = jsonObjectIn(body);
      if (json === undefined) {
        throw new TeacherError(
          'TEACHER_FAILED',
          `${teacher} answered ${status} with something that is no JSON object`,
          {
            details: { teacher, status },
          },
        );
      }
      const inside = failureInside(json);
      if (inside !== undefined) throw httpFailure({ teacher, ...inside, headers, now: now() });
    }
    return new Response(body, { status, headers: { 'content-type': 'application/json' } });
  };
}

type Bounds = Pick<Required<GuardedFetchOptions>, 'teacher' | 'maxBodyBytes'>;

async function transfer(bounds: Bounds, input: string | URL | Request, init: RequestInit | undefined) {
  let began = false;
  try {
    const response = await fetch(input, { ...init, redirect: 'manual' });
    began = true;
    return { response, body: await wholeBody(bounds, response) };
  } catch (error) {
    if (error instanceof TeacherError) throw error;
    throw transportFailure({ teacher: bounds.teacher, error, began, aborted: init?.signal?.aborted === true });
  }
}

async function wholeBody({ teacher, maxBodyBytes }: Bounds, response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    // leaving the loop cancels the stream, which closes the connection
    if (bytes > maxBodyBytes) {
      const message = `${teacher} answered with more than ${maxBodyBytes} bytes`;
      throw new TeacherError('TEACHER_FAILED', message, { details: { teacher, status: response.status } });
    }
  }
  return Buffer.concat(chunks).toString('utf8');
}

interface TransportFailure {
  readonly teacher: string;
  readonly error: unknown;
  /** Whether a status had come. */
  readonly began: boolean;
  readonly aborted: boolean;
}

/** By the codes of Node's sockets and of undici. */
const BY_CODE: Readonly<Record<string, TeacherCode>> = {
  ECONNRESET: 'TEACHER_HUNG_UP',
  EPIPE: 'TEACHER_HUNG_UP',
  UND_ERR_SOCKET: 'TEACHER_HUNG_UP',
  UND_ERR_HEADERS_TIMEOUT: 'TEACHER_TIMEOUT',
  UND_ERR_BODY_TIMEOUT: 'TEACHER_TIMEOUT',
};

function transportFailure({ teacher, error, began, aborted }: TransportFailure): TeacherError {
  if (aborted) return stopped(teacher);
  const said = codeOf(error);
  const code = BY_CODE[said ?? ''] ?? (began ? 'TEACHER_HUNG_UP' : 'TEACHER_UNREACHABLE');
  const what = {
    TEACHER_HUNG_UP: 'closed the connection before its answer ended',
    TEACHER_TIMEOUT: 'did not answer for minutes',
  }[code as string];
  return new TeacherError(code, `${teacher} ${what ?? 'cannot be reached'}${said === undefined ? '' : ` (${said})`}`, {
    details: { teacher, ...(said === undefined ? {} : { said }) },
  });
}

/** The caller's deadline, or the caller's own stop: to the caller, who knows which, both are an answer that did not come. */
export function stopped(teacher: string): TeacherError {
  return new TeacherError('TEACHER_TIMEOUT', `${teacher} had not answered when the time was over`, {
    details: { teacher },
  });
}

/** A system code such as ECONNREFUSED, from the error or what caused it; fetch itself only says "fetch failed". */
function codeOf(error: unknown, depth = 0): string | undefined {
  if (!(error instanceof Error) || depth > 4) return undefined;
  const code = 'code' in error && typeof error.code === 'string' && /^[A-Z][A-Z0-9_]+$/.test(error.code);
  return codeOf(error.cause, depth + 1) ?? (code ? String((error as Error & { code: string }).code) : undefined);
}

function jsonObjectIn(body: string): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(body);
    return isRecord(json) ? json : undefined;
  } catch {
    return undefined;
  }
}
