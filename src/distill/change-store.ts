/**
 * The two changes of a store, for whoever holds its lock. Each ends with one rename of `serving.json`, which a loss of power survives too:
 * whatever happens before or after, what serves is a whole and verified model, the one before or the new one.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { loadModel, type VerifiedModel } from '../model/manifest.ts';
import { ModelError } from '../model/model-error.ts';
import { loadRouting, ROUTING_FILE } from '../model/routing.ts';
import { type Change, readStore, SERVING_FILE, type Store, stackOf } from '../model/store.ts';
import { WorkerPool } from '../model/worker-pool.ts';
import { DistillError } from './distill-error.ts';

/** Copied with the model where they are; the manifest vouches for none of them. */
const COMPANIONS = [ROUTING_FILE, 'metrics.json', 'MODEL_CARD.md'];
const INCOMING = '.incoming-';

type Provenance = Pick<Change, 'at' | 'command' | 'commit'>;

/**
 * Copies the candidate into the store, verifies the copy, and lets it serve.
 * @returns the folder in the store.
 * @throws ModelError when the copy is not the candidate, or fails its own check. @throws DistillError OUTPUT_FAILED
 */
export async function install(
  storeDirectory: string,
  candidate: VerifiedModel,
  why: Provenance & Pick<Change, 'forced' | 'from' | 'report'>,
): Promise<string> {
  const folder = folderOf(candidate);
  const target = join(storeDirectory, folder);
  if (existsSync(target)) {
    await verify(target, candidate.identity.sha256);
  } else {
    const incoming = join(storeDirectory, `${INCOMING}${folder}`);
    removeLeftovers(storeDirectory);
    try {
      writing(incoming, () => copyModel(candidate, incoming));
      await verify(incoming, candidate.identity.sha256);
      writing(target, () => {
        renameSync(incoming, target);
        syncFolder(storeDirectory);
      });
    } catch (error) {
      discard(incoming);
      throw error;
    }
  }
  append(storeDirectory, { change: 'promote', folder, model: candidate.identity, ...why });
  return folder;
}

/**
 * Lets a model serve again that did before: the one below what serves, or `to`.
 * @throws DistillError ROLLBACK_REFUSED where there is none. @throws ModelError when it is no longer what it was.
 */
export async function rollBack(storeDirectory: string, to: string | undefined, why: Provenance): Promise<Change> {
  const store = readStore(storeDirectory);
  if (store === null)
    throw refused(`nothing was ever promoted into ${storeDirectory}: there is no model to go back to`);
  const folder = to ?? stackOf(store.history).at(-2);
  if (folder === undefined)
    throw refused(`${store.serving} is the first model of ${storeDirectory}: there is none to go back to`);
  if (folder === store.serving) throw refused(`${folder} serves already`);
  const model = store.history.findLast(each => each.folder === folder)?.model;
  if (model === undefined) {
    const known = [...new Set(store.history.map(each => each.folder))].join(', ');
    throw refused(`--to ${folder}: it never served in ${storeDirectory}; these did: ${known}`);
  }
  await verify(join(storeDirectory, folder), model.sha256);
  return append(storeDirectory, { change: 'rollback', folder, model, from: store.serving, ...why });
}

/** Files, thresholds and the model's own check. @throws ModelError */
async function verify(directory: string, sha256: string): Promise<void> {
  const model = loadModel(directory);
  if (model.identity.sha256 !== sha256) {
    const why = `${directory} holds another model than its name says: remove the folder, and promote again`;
    throw new ModelError('MODEL_FILE_CHANGED', why);
  }
  loadRouting(model);
  const pool = await WorkerPool.open({ model, device: 'cpu', workers: 1, threadsPerWorker: 1 });
  await pool.stop();
}

/** Such as `notes-minilm-1.0.0-b2f4f1e0`. */
export function folderOf({ identity: { name, version, sha256 } }: VerifiedModel): string {
  const plain = `${name}-${version}`.replace(/[^A-Za-z0-9._-]+/g, '_').replace(/^[^A-Za-z0-9]+/, '');
  return `${plain.slice(0, 150)}-${sha256.slice(0, 8)}`;
}

/** As far as the disk lets us: the next promotion removes the rest. */
function discard(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {}
}

/** Of promotions that were killed; nobody else is at work on the store. */
function removeLeftovers(storeDirectory: string): void {
  writing(storeDirectory, () => {
    for (const name of readdirSync(storeDirectory)) {
      if (name.startsWith(INCOMING)) rmSync(join(storeDirectory, name), { recursive: true });
    }
  });
}

function copyModel({ directory, manifest }: VerifiedModel, target: string): void {
  mkdirSync(target);
  const companions = COMPANIONS.filter(name => !(name in manifest.files) && existsSync(join(directory, name)));
  for (const name of ['manifest.json', ...Object.keys(manifest.files), ...companions]) {
    writeSynced(join(target, name), readFileSync(join(directory, name)));
  }
  syncFolder(target);
}

function append(storeDirectory: string, change: Change): Change {
  const path = join(storeDirectory, SERVING_FILE);
  const history = [...(readStore(storeDirectory)?.history ?? []), change];
  const store: Store = { format: 1, serving: change.folder, history };
  writing(path, () => {
    writeSynced(`${path}.new`, `${JSON.stringify(store, null, 1)}\n`);
    renameSync(`${path}.new`, path);
    syncFolder(storeDirectory);
  });
  return change;
}

function writeSynced(path: string, content: Buffer | string): void {
  const file = openSync(path, 'w');
  try {
    writeFileSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** So that a rename in it is on the disk. */
function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function writing(path: string, step: () => void): void {
  try {
    step();
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    throw new DistillError(
      'OUTPUT_FAILED',
      `${path} cannot be written (${code}): what ${SERVING_FILE} names serves still`,
      {
        cause,
      },
    );
  }
}

function refused(what: string): DistillError {
  return new DistillError('ROLLBACK_REFUSED', what);
}
