/** JSON that an earlier command wrote, and that may have been damaged since. */
import { readFileSync } from 'node:fs';

/** @returns nothing where it cannot be read or is not JSON; why is not told, since a parser's message quotes what stands there. */
export function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
