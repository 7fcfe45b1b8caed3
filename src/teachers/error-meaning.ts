/**
 * What an HTTP failure is about: the note, the request's shape, the account or the provider. A refusal of the note is stored and sends
 * that note to review; one of the shape would send every note there, so it is told apart where the body lets us. Where it does not,
 * the note is taken to be why. Messages are only matched, never repeated.
 */
import { detailsIn, errorIn, isRecord, textIn } from './error-body.ts';
import type { TeacherCode } from './teacher-error.ts';

export interface Meaning {
  readonly code: TeacherCode;
  /** A known code of the body that helps whoever reads the message. */
  readonly said?: string;
}

/** Codes of OpenAI, Azure and Gemini that say more than the status does. */
const TELLING: Readonly<Record<string, TeacherCode>> = {
  insufficient_quota: 'TEACHER_UNPAID',
  billing_hard_limit_reached: 'TEACHER_UNPAID',
  billing_not_active: 'TEACHER_UNPAID',
  BILLING_DISABLED: 'TEACHER_UNPAID',
  invalid_api_key: 'TEACHER_DENIED',
  API_KEY_INVALID: 'TEACHER_DENIED',
  model_not_found: 'MODEL_UNKNOWN',
  DeploymentNotFound: 'MODEL_UNKNOWN',
  content_filter: 'REPLY_REFUSED',
  content_policy_violation: 'REPLY_REFUSED',
  invalid_prompt: 'REPLY_REFUSED',
  context_length_exceeded: 'REQUEST_REJECTED',
  string_above_max_length: 'REQUEST_REJECTED',
  unsupported_parameter: 'REQUEST_UNSUPPORTED',
  unsupported_value: 'REQUEST_UNSUPPORTED',
  unknown_parameter: 'REQUEST_UNSUPPORTED',
  missing_required_parameter: 'REQUEST_UNSUPPORTED',
  invalid_json_schema: 'REQUEST_UNSUPPORTED',
  OperationNotSupported: 'REQUEST_UNSUPPORTED',
  FAILED_PRECONDITION: 'REQUEST_UNSUPPORTED',
};

/** Codes that only help a person. */
const REPEATED = new Set([...Object.keys(TELLING), 'rate_limit_exceeded', 'INVALID_ARGUMENT', 'RESOURCE_EXHAUSTED']);

/** Parameters that are the same for every note. */
const SETTING =
  /^(model|store|temperature|top_p|max_tokens|max_completion_tokens|response_format|text\.format|api-version)\b/;

const STATUSES: Readonly<Record<number, TeacherCode>> = {
  401: 'TEACHER_DENIED',
  402: 'TEACHER_UNPAID',
  403: 'TEACHER_DENIED',
  404: 'TEACHER_FAILED',
  405: 'REQUEST_UNSUPPORTED',
  406: 'REQUEST_UNSUPPORTED',
  // a proxy wants its credentials
  407: 'TEACHER_DENIED',
  408: 'TEACHER_TIMEOUT',
  // a lock, or too early: OpenAI's own client tries such again
  409: 'TEACHER_FAILED',
  // gone for good, as a model or a deployment that was retired
  410: 'MODEL_UNKNOWN',
  415: 'REQUEST_UNSUPPORTED',
  // it reached a server that is not meant for it: of the way there
  421: 'TEACHER_FAILED',
  425: 'TEACHER_FAILED',
  429: 'TEACHER_BUSY',
  501: 'REQUEST_UNSUPPORTED',
  505: 'REQUEST_UNSUPPORTED',
};

/** @param body as received */
export function meaningOf({ status, body }: { readonly status: number; readonly body: string }): Meaning {
  const error = errorIn(body);
  const codes = codesIn(error);
  const telling = codes.find(code => Object.hasOwn(TELLING, code));
  const said = telling ?? codes.find(code => REPEATED.has(code));
  const code = (telling === undefined ? undefined : TELLING[telling]) ?? byShape(status, error) ?? byStatus(status);
  return { code, ...(said === undefined ? {} : { said }) };
}

function byStatus(status: number): TeacherCode {
  return STATUSES[status] ?? (status >= 500 ? 'TEACHER_FAILED' : 'REQUEST_REJECTED');
}

/** `error.code`, `error.type`, `error.status`, and the reasons in Google's `error.details`. */
function codesIn(error: Record<string, unknown> | undefined): string[] {
  const reasons = detailsIn(error).map(detail => detail.reason);
  return [...reasons, error?.code, error?.type, error?.status].filter(code => typeof code === 'string');
}

function byShape(status: number, error: Record<string, unknown> | undefined): TeacherCode | undefined {
  if (error === undefined) return undefined;
  const message = textIn(error.message);
  if (status === 403 && isModeration(error, message)) return 'REPLY_REFUSED';
  if (status === 404) return isAboutModel(error, message) ? 'MODEL_UNKNOWN' : undefined;
  if (status !== 400 && status !== 422) return undefined;
  // vLLM blames max_tokens where a note leaves too little room for them
  const long = /context length/i.test(message);
  const setting = typeof error.param === 'string' && SETTING.test(error.param) && !long;
  return setting || hasExtraField(error) || hasUnknownName(error) ? 'REQUEST_UNSUPPORTED' : undefined;
}

/** OpenRouter's: https://openrouter.ai/docs/api/reference/errors-and-debugging#moderation-errors */
function isModeration({ metadata }: Record<string, unknown>, message: string): boolean {
  const flagged = isRecord(metadata) && (Array.isArray(metadata.reasons) || 'flagged_input' in metadata);
  return flagged || /\b(moderation|content[ _-](policy|filter)|flagged)\b/i.test(message);
}

function isAboutModel({ param, type }: Record<string, unknown>, message: string): boolean {
  if (param === 'model' || type === 'NotFoundError' || message.startsWith('The ontologies parameter')) return true;
  return /\b(models?|deployment)\b/i.test(message) && /not (found|exist|supported)/i.test(message);
}

/** Pydantic's word for a parameter that a server does not have; Mistral puts it under `message`. */
function hasExtraField({ detail, message }: Record<string, unknown>): boolean {
  const list = isRecord(message) ? message.detail : detail;
  return Array.isArray(list) && list.some(each => isRecord(each) && each.type === 'extra_forbidden');
}

/** Google's, at the very start of what it says: further on may stand anything. */
function hasUnknownName(error: Record<string, unknown>): boolean {
  const violations = detailsIn(error).flatMap(({ fieldViolations }) =>
    Array.isArray(fieldViolations) ? fieldViolations.filter(isRecord) : [],
  );
  return violations.some(each => textIn(each.description).startsWith('Invalid JSON payload received. Unknown name'));
}
