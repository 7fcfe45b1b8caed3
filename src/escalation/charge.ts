/**
 * What a request is taken to have cost when nobody says. An answer that came is charged for, at its bound; one that never came may
 * be, and is counted modestly: were the bound kept for each timeout, a provider that hangs would use up a day's money for nothing.
 */
import type { TeacherRequest, Usage } from '../teachers/teacher.ts';
import { type TeacherCode, TeacherError } from '../teachers/teacher-error.ts';

const NOTHING: Usage = { inputTokens: 0, outputTokens: 0, usd: 0, ms: 0 };

const UNANSWERED: readonly TeacherCode[] = ['TEACHER_TIMEOUT', 'TEACHER_HUNG_UP'];
const ANSWERED: readonly TeacherCode[] = [
  'REPLY_EMPTY',
  'REPLY_REFUSED',
  'REPLY_CUT',
  'REPLY_NOT_JSON',
  'REPLY_WRONG_SCHEMA',
];

/** Bounds of tokens are bytes; English has about four a token, notes full of numbers and abbreviations nearer three. */
const BYTES_PER_TOKEN = 3;

export interface Charge {
  readonly usage: Usage;
  /** Nobody said so. */
  readonly estimated: boolean;
}

/**
 * @param request.atMost its bound. @param error what it failed with. @param how.trying whether its provider was being tried after an
 * outage: nothing is kept for a try that fails, whatever its status, or trying would spend what the provider is tried for. @param how.ms that it took.
 */
export function chargeOf(
  { atMost }: TeacherRequest,
  error: unknown,
  { trying, ms }: { readonly trying: boolean; readonly ms: number },
): Charge {
  if (!(error instanceof TeacherError)) return { usage: { ...modest(atMost), ms }, estimated: true };
  if (error.usage !== undefined) return { usage: error.usage, estimated: false };
  if (trying && error.fault === 'provider') return { usage: NOTHING, estimated: false };
  if (ANSWERED.includes(error.code) || hasSucceeded(error)) return { usage: { ...atMost, ms }, estimated: true };
  if (UNANSWERED.includes(error.code)) return { usage: { ...modest(atMost), ms }, estimated: true };
  return { usage: NOTHING, estimated: false };
}

/** Whatever became of the answer afterwards. */
function hasSucceeded({ details: { status } }: TeacherError): boolean {
  return typeof status === 'number' && status >= 200 && status < 300;
}

/** The input alone, at the mean price of a token; that of input is no higher. */
function modest({ inputTokens, outputTokens, usd }: TeacherRequest['atMost']): TeacherRequest['atMost'] {
  const tokens = Math.ceil(inputTokens / BYTES_PER_TOKEN);
  return {
    inputTokens: tokens,
    outputTokens: 0,
    usd: tokens === 0 ? 0 : (usd * tokens) / (inputTokens + outputTokens),
  };
}
