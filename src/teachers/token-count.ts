/** What a server says it used goes into a budget and onto the disk, so it is believed only where it can be a count at all. */

/** The sum, or undefined where a part is no whole number from 0 to 2^53 − 1. */
export function tokenCount(...parts: readonly unknown[]): number | undefined {
  let sum = 0;
  for (const part of parts) {
    if (typeof part !== 'number' || part < 0) return undefined;
    sum += part;
    if (!Number.isSafeInteger(part) || !Number.isSafeInteger(sum)) return undefined;
  }
  return sum;
}
