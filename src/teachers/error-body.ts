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

/** The objects of Google's `error.details`. */
export function detailsIn(error: Record<string, unknown> | undefined): Record<string, unknown>[] {
  return Array.isArray(error?.details) ? error.details.filter(isRecord) : [];
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
