/** The part that OpenAI's and Google's error bodies have in common. */

/** The `error` object of a body, or undefined when there is none. */
export function errorIn(body: string): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(body);
    const outer = Array.isArray(json) ? json[0] : json;
    return isRecord(outer) && isRecord(outer.error) ? outer.error : undefined;
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
