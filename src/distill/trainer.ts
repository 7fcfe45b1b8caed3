/** Runs the Python trainer in an environment of its own: made once for each set of pinned requirements, never the machine's. */
import '../model/no-telemetry.ts'; // Python's onnxruntime reads the same variables
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DistillError } from './distill-error.ts';
import type { Progress } from './score-documents.ts';

/** Folder of its scripts. */
export const TRAINER = resolve(import.meta.dirname, 'trainer');

/** Where the environment's Python is, once it is made. @param cache folder for environments. */
export function environmentPython(cache: string): string {
  const hash = createHash('sha256')
    .update(readFileSync(join(TRAINER, 'requirements.txt')))
    .digest('hex')
    .slice(0, 12);
  return join(cache, `trainer-${hash}`, 'bin', 'python');
}

/** @param cache folder for environments. @returns the Python of the environment. @throws DistillError PYTHON_MISSING, ENVIRONMENT_FAILED */
export async function trainerEnvironment(cache: string, progress: Progress): Promise<string> {
  const requirements = join(TRAINER, 'requirements.txt');
  const python = environmentPython(cache);
  if (existsSync(python)) return python;
  const home = dirname(dirname(python));
  // built aside and moved into place, so that a half-made environment is never used
  const building = `${home}.building`;
  rmSync(building, { recursive: true, force: true });
  mkdirSync(cache, { recursive: true });
  progress(`train: making a Python environment in ${home} (once; a few minutes)`);
  const made = await call('python3', ['-m', 'venv', building], progress).catch(cause => {
    throw new DistillError(
      'PYTHON_MISSING',
      'training and its like need python3 (3.11 or newer) with venv on the PATH',
      { cause },
    );
  });
  if (made !== 0) throw new DistillError('ENVIRONMENT_FAILED', `python3 -m venv failed (exit code ${made})`);
  const installed = await call(
    join(building, 'bin', 'python'),
    ['-m', 'pip', 'install', '-q', '-r', requirements],
    progress,
  );
  if (installed !== 0)
    throw new DistillError(
      'ENVIRONMENT_FAILED',
      `pip install failed (exit code ${installed}): see its messages above`,
      { retryable: true },
    );
  renameSync(building, home);
  return python;
}

/** @throws DistillError TRAINING_FAILED */
export async function runTrainer(
  python: string,
  script: 'train.py' | 'export.py',
  args: readonly string[],
  progress: Progress,
): Promise<void> {
  const code = await call(python, ['-u', join(TRAINER, script), ...args], progress);
  if (code !== 0) {
    throw new DistillError(
      'TRAINING_FAILED',
      `${script} ended with exit code ${code}: see its messages above; an unfinished training resumes where it stopped`,
    );
  }
}

function call(command: string, args: readonly string[], progress: Progress): Promise<number> {
  return new Promise((done, fail) => {
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let rest = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split(/[\r\n]+/);
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.trim() !== '') progress(line);
    });
    child.on('error', fail);
    child.on('close', code => done(code ?? 1));
  });
}
