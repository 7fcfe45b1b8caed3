/** What the rivals run in: made once by this command, in the cache, each under a hash of what it was made from. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { TRAINER, trainerEnvironment } from '../../../distill/trainer.ts';
import type { VerifiedModel } from '../../../model/manifest.ts';
import { RivalError } from './rival-error.ts';

export const RIVALS = resolve(import.meta.dirname, '../../../../benchmarks/rivals');
const PACKAGE = ['package.json', 'package-lock.json'];

export interface Preparation {
  /** Folder of what is large and the same for every checkout. */
  readonly cache: string;
  readonly model: VerifiedModel;
  /** JSON Lines with a text, on which the checkpoint is compared with the graph. */
  readonly notes: string;
  readonly progress: (line: string) => void;
}

export interface PythonRivals {
  readonly python: string;
  /** Folder of the model as a transformers checkpoint. */
  readonly checkpoint: string;
  /** How far its logits are from the graph's. */
  readonly parity: Readonly<Record<string, unknown>>;
}

/** The trainer's environment, whose pins are the rivals' too, and the checkpoint. @throws DistillError PYTHON_MISSING, ENVIRONMENT_FAILED; RivalError CHECKPOINT_FAILED */
export async function pythonRivals({ cache, model, notes, progress }: Preparation): Promise<PythonRivals> {
  const python = await trainerEnvironment(cache, progress);
  const scripts = [join(RIVALS, 'from_onnx.py'), join(RIVALS, 'note_spans.py'), join(TRAINER, 'graph_weights.py')];
  const made = scripts.map(path => readFileSync(path));
  const checkpoint = join(cache, `rivals-model-${hashOf(model.identity.sha256, ...made)}`);
  await once(checkpoint, `making a PyTorch checkpoint of ${model.identity.name}`, progress, async building => {
    const args = ['--model', model.directory, '--notes', notes, '--out', building];
    const code = await call(python, [join(RIVALS, 'from_onnx.py'), ...args], building, progress);
    if (code !== 0)
      throw new RivalError('CHECKPOINT_FAILED', `from_onnx.py ended with ${code}: see its messages above`);
  });
  const parity = JSON.parse(readFileSync(join(checkpoint, 'parity.json'), 'utf8')) as Record<string, unknown>;
  return { python, checkpoint, parity };
}

/** @returns the folder in which transformers.js is installed, the rival's script beside it. @throws RivalError NPM_MISSING, ENVIRONMENT_FAILED */
export async function javascriptRival({ cache, progress }: Preparation): Promise<string> {
  const folder = javascriptFolder(cache);
  await once(folder, 'installing transformers.js (500 MB)', progress, async building => {
    for (const name of PACKAGE) copyFileSync(join(RIVALS, name), join(building, name));
    // scripts would fetch CUDA libraries; the CPU's come with the package
    const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    const code = await call('npm', args, building, progress).catch(cause => {
      throw new RivalError('NPM_MISSING', 'the transformers.js rival needs npm on the PATH', { cause });
    });
    if (code !== 0) throw new RivalError('ENVIRONMENT_FAILED', `npm ci ended with ${code}`, { retryable: true });
  });
  // where its imports find what is installed
  copyFileSync(join(RIVALS, 'transformers-js.mjs'), join(folder, 'transformers-js.mjs'));
  return folder;
}

/** Where transformers.js is, once it is installed. */
export function javascriptFolder(cache: string): string {
  return join(cache, `rivals-js-${hashOf(...PACKAGE.map(name => readFileSync(join(RIVALS, name))))}`);
}

/** Builds a folder aside and moves it into place, so that a half-made one is never used. */
async function once(
  folder: string,
  what: string,
  progress: (line: string) => void,
  build: (building: string) => Promise<void>,
): Promise<void> {
  if (existsSync(folder)) return;
  const building = `${folder}.building`;
  rmSync(building, { recursive: true, force: true });
  mkdirSync(building, { recursive: true });
  progress(`bench rivals: ${what} in ${folder} (once)`);
  await build(building);
  renameSync(building, folder);
}

function hashOf(...parts: readonly (string | Buffer)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex').slice(0, 12);
}

/** @returns the exit code. @throws Error when the program cannot be started. */
function call(
  command: string,
  args: readonly string[],
  cwd: string,
  progress: (line: string) => void,
): Promise<number> {
  return new Promise((done, fail) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr.setEncoding('utf8').on('data', (text: string) => progress(text.trimEnd()));
    child.on('error', fail);
    child.on('close', code => done(code ?? 1));
  });
}
