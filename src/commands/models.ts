/** `models list` and `models verify`. */
import { join, resolve } from 'node:path';
import type { Config } from '../config.ts';
import { unobserved } from '../core/facts.ts';
import { listModels, loadModel } from '../model/manifest.ts';
import { servingDirectory } from '../model/store.ts';
import { type Io, write } from './io.ts';
import { serveModel } from './serve-model.ts';

const MODELS = resolve(import.meta.dirname, '../../models');

export async function listAllModels(config: Config, io: Io): Promise<void> {
  for (const name of listModels(MODELS)) {
    const directory = join(MODELS, name);
    const { identity, heads } = loadModel(directory);
    const serving = resolve(servingDirectory(config.model)) === directory ? '  (serves)' : '';
    const tasks = heads.map(head => head.task).join(', ');
    await write(io.stdout, `${name}  ${identity.version}  ${identity.sha256.slice(0, 12)}  ${tasks}${serving}\n`);
  }
}

/** Checks every file against the manifest and lets the sessions answer the model's own check. @throws ModelError */
export async function verifyModel(config: Config, io: Io): Promise<void> {
  const serving = await serveModel(config, unobserved);
  try {
    const { name, version, sha256 } = serving.model.identity;
    await write(
      io.stdout,
      `${name} ${version} (${sha256}): files unchanged, self-check passed on ${serving.pool.device}\n`,
    );
  } finally {
    await serving.stop();
  }
}
