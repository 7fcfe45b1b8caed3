import { homedir } from 'node:os';
import { join } from 'node:path';

/** What is large and the same for every checkout: Python environments of the trainer. */
export function cacheDirectory({ XDG_CACHE_HOME }: NodeJS.ProcessEnv): string {
  return join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'clinstream');
}
