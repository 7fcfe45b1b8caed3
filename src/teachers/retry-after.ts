/** How long a provider asks to wait: OpenAI's and Azure's header in milliseconds, the standard header, or Google's RetryInfo. */
import { detailsIn, errorIn, textIn } from './error-body.ts';

export interface Waits {
  readonly headers: Headers;
  readonly body: string;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
}

/** No provider means more; one that seems to would stop everything that waits for it. */
const LONGEST_MS = 3_600_000;

/** In milliseconds, above 0 and at most an hour; undefined when it does not say, or names no time to come. */
export function retryAfterMs({ headers, body, now }: Waits): number | undefined {
  return milliseconds(headers) ?? standard(headers, now) ?? retryInfo(body);
}

function milliseconds(headers: Headers): number | undefined {
  const value = headers.get('retry-after-ms');
  return value === null ? undefined : toCome(Number(value));
}

/** RFC 9110, 10.2.3: seconds or an HTTP date. */
function standard(headers: Headers, now: number): number | undefined {
  const value = headers.get('retry-after');
  if (value === null) return undefined;
  return /^\s*\d/.test(value) && !/[a-z]/i.test(value) ? toCome(Number(value) * 1000) : toCome(Date.parse(value) - now);
}

/** google.rpc.RetryInfo: `{"@type": "…/google.rpc.RetryInfo", "retryDelay": "38.5s"}`. */
function retryInfo(body: string): number | undefined {
  for (const detail of detailsIn(errorIn(body))) {
    const seconds = /^(\d+(?:\.\d+)?)s$/.exec(textIn(detail.retryDelay))?.[1];
    if (textIn(detail['@type']).endsWith('google.rpc.RetryInfo') && seconds !== undefined)
      return toCome(Number(seconds) * 1000);
  }
  return undefined;
}

function toCome(ms: number): number | undefined {
  return ms > 0 ? Math.min(ms, LONGEST_MS) : undefined;
}
