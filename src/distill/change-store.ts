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
import { loadRouting } from '../model/routing.ts';
import { type Change, readStore, SERVING_FILE, type Store, stackOf } from '../model/store.ts';
import { WorkerPool } from '../model/worker-pool.ts';
import { DistillError } from './distill-error.ts';
import { companionsOf, contentHash, folderOf } from './model-content.ts';

const INCOMING = '.incoming-';

type Provenance = Pick<Change, 'at' | 'command' | 'commit'>;

/**
 * Copies the candidate into the store, verifies the copy, and lets it serve. A folder of the store that has the same content serves again.
 * @param judged contentHash of the candidate when it was judged.
 * @returns the folder in the store.
 * @throws ModelError when the copy is not what was judged, or fails its own check. @throws DistillError OUTPUT_FAILED
 */
export async function install(
  storeDirectory: string,
  candidate: VerifiedModel,
  judged: string,
  why: Provenance & Pick<Change, 'forced' | 'from' | 'report'>,
): Promise<string> {
  const folder = await folderFor(storeDirectory, candidate, judged);
  const target = join(storeDirectory, folder);
  if (!existsSync(target)) {
    const incoming = join(storeDirectory, `${INCOMING}${folder}`);
    removeLeftovers(storeDirectory);
    try {
      writing(incoming, () => copyModel(candidate, incoming));
      if (contentHash(await verify(incoming, candidate.identity.sha256)) !== judged) {
        const what = `${candidate.directory} has changed since it was judged: promote again`;
        throw new ModelError('MODEL_FILE_CHANGED', what);
      }
      writing(target, () => renameSync(incoming, target));
    } catch (error) {
      discard(incoming);
      throw error;
    }
  }
  writing(target, () => syncFolder(storeDirectory));
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

/**
 * The folder that holds what was judged, or shall hold it. Somebody may have changed files beside a model in the store, as
 * `distill doubt --write` does: that folder stays as it is, for whoever goes back to it, and the next is taken.
 * @throws ModelError when a folder of the name is another model, or not whole.
 */
async function folderFor(storeDirectory: string, candidate: VerifiedModel, judged: string): Promise<string> {
  const name = folderOf(candidate, judged);
  for (let nth = 1; ; nth++) {
    const folder = nth === 1 ? name : `${name}-${nth}`;
    const path = join(storeDirectory, folder);
    if (!existsSync(path) || contentHash(await verify(path, candidate.identity.sha256)) === judged) return folder;
  }
}

/** Files, thresholds and the model's own check. @throws ModelError */
async function verify(directory: string, sha256: string): Promise<VerifiedModel> {
  const model = loadModel(directory);
  if (model.identity.sha256 !== sha256) {
    const why = `${directory} holds another model than its name says: remove the folder, and promote again`;
    throw new ModelError('MODEL_FILE_CHANGED', why);
  }
  loadRouting(model);
  const pool = await WorkerPool.open({ model, device: 'cpu', workers: 1, threadsPerWorker: 1 });
  await pool.stop();
  return model;
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

function copyModel(model: VerifiedModel, target: string): void {
  mkdirSync(target);
  for (const name of ['manifest.json', ...Object.keys(model.manifest.files), ...companionsOf(model)]) {
    writeSynced(join(target, name), readFileSync(join(model.directory, name)));
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
