/** The part that OpenAI's and Google's error bodies have in common. */

/** The `error` object of a body, or the body where it says that it is one, as vLLM's and Mistral's do; undefined when there is none. */
export function errorIn(body: string): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(body);
    const outer = Array.isArray(json) ? json[0] : json;
    if (!isRecord(outer)) return undefined;
    if (isRecord(outer.error)) return outer.error;
    // BioPortal's
    if (Array.isArray(outer.errors)) return { message: outer.errors.join('\n') };
    return outer.object === 'error' || Array.isArray(outer.detail) ? outer : undefined;
  } catch {
    return undefined;
  }
}

/** At least one stands in whatever a model answered, be it nothing. */
const OF_AN_ANSWER = ['choices', 'candidates', 'usage', 'usageMetadata', 'promptFeedback'] as const;

/**
 * What an answer of 200 says went wrong in the place of an answer, as the status and the body that it would have had: once a model has
 * begun a router has no status left to say it by (https://openrouter.ai/docs/api/reference/errors-and-debugging). What has nothing of
 * an answer is a failure whatever it says: were it the note's fault, an outage would cost every note its answer.
 */
export function failureInside(
  answer: Record<string, unknown>,
): { readonly status: number; readonly body: string } | undefined {
  const [first] = [answer.choices, answer.candidates].flatMap(each => (Array.isArray(each) ? each : []));
  const ended = isRecord(first) && (isRecord(first.error) || first.finish_reason === 'error');
  if (first !== undefined && !ended) return undefined;
  const [error] = [isRecord(first) ? first.error : undefined, answer.error].filter(isRecord);
  if (error === undefined && !ended)
    return OF_AN_ANSWER.some(key => (answer[key] ?? null) !== null)
      ? undefined
      : { status: 502, body: JSON.stringify(answer) };
  const code = typeof error?.code === 'object' ? Number.NaN : Number(error?.code);
  const status = Number.isInteger(code) && code >= 400 && code < 600 ? code : 502;
  return { status, body: JSON.stringify({ error }) };
}

/** The objects of Google's `error.details`. */
export function detailsIn(error: Record<string, unknown> | undefined): Record<string, unknown>[] {
  return Array.isArray(error?.details) ? error.details.filter(isRecord) : [];
}

/** The value where it is text: String() throws for an object that a server may well send. */
export function textIn(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
