/** `models list` and `models verify`. */
import { join, resolve } from 'node:path';
import type { Config } from '../config.ts';
import { unobserved } from '../core/facts.ts';
import { fileHash } from '../distill/corpus.ts';
import { listModels, loadModel } from '../model/manifest.ts';
import { loadRouting, ROUTING_FILE } from '../model/routing.ts';
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

/**
 * Checks every file against the manifest, lets the sessions answer the model's own check, and reads the thresholds beside it, which are
 * measured after the manifest is written and so are not in it. @throws ModelError, RoutingError
 */
export async function verifyModel(config: Config, io: Io): Promise<void> {
  const serving = await serveModel(config, unobserved);
  try {
    const { name, version, sha256 } = serving.model.identity;
    const thresholds =
      loadRouting(serving.model) === null ? 'none' : fileHash(join(serving.model.directory, ROUTING_FILE));
    await write(
      io.stdout,
      `${name} ${version} (${sha256}): files unchanged, self-check passed on ${serving.pool.device}; ${ROUTING_FILE}: ${thresholds}\n`,
    );
  } finally {
    await serving.stop();
  }
}
