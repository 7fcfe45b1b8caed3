/** The trainer's Python environment: in CI it must be there, on a user's machine its absence is a loud skip. */
import { existsSync } from 'node:fs';
import { cacheDirectory } from '../../src/commands/cache.ts';
import { environmentPython } from '../../src/distill/trainer.ts';

/** Path of the environment's Python, and the reason to skip where there is none. */
export function trainerPython(): { python: string; skip: string | false } {
  const python = environmentPython(cacheDirectory(process.env));
  if (existsSync(python)) return { python, skip: false };
  if (process.env.CI !== undefined) throw new Error(`no trainer environment (${python}): CI must make one`);
  return { python, skip: "SKIPPED: 'npm run -s clinstream -- distill environment' makes what training is tested with" };
}
