/** The trainer's Python environment: in CI it must be there, on a user's machine its absence is a loud skip. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory } from '../../src/commands/cache.ts';
import { environmentPython } from '../../src/distill/trainer.ts';
import { ROOT } from './model.ts';

/** Path of the environment's Python, and the reason to skip where there is none. */
export function trainerPython(): { python: string; skip: string | false } {
  const python = environmentPython(cacheDirectory(process.env));
  if (existsSync(python)) return { python, skip: false };
  if (process.env.CI !== undefined) throw new Error(`no trainer environment (${python}): CI must make one`);
  return { python, skip: "SKIPPED: 'npm run -s clinstream -- distill environment' makes what training is tested with" };
}

/** The environment's Python among the trainer's scripts. @returns its exit code and what it said, whatever the code. */
export async function runPython(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { python } = trainerPython();
  try {
    const cwd = join(ROOT, 'src/distill/trainer');
    return { code: 0, ...(await promisify(execFile)(python, args, { cwd, maxBuffer: 1e8 })) };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}
