/** If this fails, a promotion or a rollback that is killed, or meets a full disk, leaves a store from which nothing can serve. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { install, rollBack } from '../../src/distill/change-store.ts';
import { contentHash } from '../../src/distill/model-content.ts';
import { lockStore } from '../../src/distill/store-lock.ts';
import { loadModel } from '../../src/model/manifest.ts';
import { loadServing, readStore } from '../../src/model/store.ts';
import { breakDisk, type Fault } from '../support/failing-disk.ts';
import { makeCandidate, makeCorpus } from '../support/promotion.ts';
import { temporaryFolder } from '../support/temporary.ts';

const CHILD = join(import.meta.dirname, 'killed-change.ts');
const folder = temporaryFolder('change-store');
makeCorpus(join(folder, 'corpus'));
const made = (version: string): string => {
  const directory = makeCandidate(join(folder, version), join(folder, 'corpus'), () => ({ version }));
  // nothing is special about these, and each is three more steps to fail at
  for (const name of ['metrics.json', 'MODEL_CARD.md']) rmSync(join(directory, name));
  return directory;
};
const [old, fresh] = [made('1.0.0'), made('2.0.0')];
const why = { at: '2026-11-25T12:00:00.000Z', command: 'test', commit: 'test' };
const put = async (store: string, candidate: string, judged = contentHash(loadModel(candidate))) =>
  install(store, loadModel(candidate), judged, { ...why, from: candidate });
const thresholdsOf = (directory: string): string => readFileSync(join(directory, 'routing.json'), 'utf8');
const retune = (directory: string): void =>
  writeFileSync(join(directory, 'routing.json'), `${thresholdsOf(directory)}\n`);
const servedVersion = (store: string): string => loadServing(store).identity.version;
const plain = (store: string): string[] =>
  readdirSync(store)
    .filter(name => !/^\.lock/.test(name))
    .sort();

/** The same files under other names: a store never changes one in place. Its lock is its own. */
function twin(base: string, store: string): void {
  for (const name of readdirSync(base, { recursive: true, encoding: 'utf8' })) {
    const [from, to] = [join(base, name), join(store, name)];
    mkdirSync(dirname(to), { recursive: true });
    if (statSync(from).isFile() && !name.startsWith('.lock')) linkSync(from, to);
  }
}

/**
 * Fails at step after step until a change has no further one. @param fault for each step anew.
 * @returns how many steps it had.
 */
async function atEveryStep(
  base: string,
  fault: Fault,
  change: (store: string) => Promise<unknown>,
  check: (store: string, error: { readonly code?: string }) => Promise<void>,
): Promise<number> {
  for (let step = 1; ; step++) {
    const store = join(folder, `failing-${step}`);
    twin(base, store);
    const mend = breakDisk(fault, step);
    const error = await change(store)
      .then(
        () => null,
        (cause: { code?: string }) => cause,
      )
      .finally(mend);
    if (error !== null) await check(store, error);
    rmSync(store, { recursive: true });
    if (error === null) return step - 1;
  }
}

const [one, two] = [join(folder, 'store-one'), join(folder, 'store-two')];

describe('a change of a store', { timeout: 600_000 }, () => {
  before(async () => {
    lockStore(one).release();
    await put(one, old);
    cpSync(one, two, { recursive: true });
    await put(two, fresh);
    assert.deepEqual([servedVersion(one), servedVersion(two)], ['1.0.0', '2.0.0']);
  });

  it('serves the old or the new model when it ends at any step, and is done by the next try', async () => {
    const served = new Set<string>();
    const seen = new Set<string>();
    const steps = await atEveryStep(
      one,
      'dead',
      store => put(store, fresh),
      async (store, { code }) => {
        assert.equal(code, 'OUTPUT_FAILED');
        served.add(servedVersion(store));
        const left = plain(store).join();
        if (seen.has(left)) return;
        seen.add(left);
        const folderName = await put(store, fresh);
        assert.equal(servedVersion(store), '2.0.0');
        const files = plain(store);
        assert.deepEqual(files, [readStore(one)?.serving, folderName, 'serving.json'].sort());
      },
    );
    assert.equal(steps, 21, 'else the steps of the next test are others');
    assert.deepEqual([...served].sort(), ['1.0.0', '2.0.0']);
  });

  it('does so when it is killed, too', async () => {
    // in the copy, before serving.json has its name, and after
    const ended = await Promise.all(
      [7, 20, 21].map(async step => {
        const store = join(folder, `killed-${step}`);
        twin(one, store);
        const child = spawn(process.execPath, [CHILD, store, fresh, String(step)]);
        const signal = await new Promise(done => child.once('close', (_code, how) => done(how)));
        assert.equal(signal, 'SIGKILL');
        lockStore(store).release();
        return servedVersion(store);
      }),
    );
    assert.deepEqual(ended, ['1.0.0', '1.0.0', '2.0.0']);
  });

  it('serves the old or the new model when the disk refuses any step, and leaves nothing half', async () => {
    await atEveryStep(
      one,
      'once',
      store => put(store, fresh),
      async (store, { code }) => {
        assert.equal(code, 'OUTPUT_FAILED');
        assert.match(servedVersion(store), /^[12]\.0\.0$/);
        assert.ok(!plain(store).some(name => name.startsWith('.incoming')));
      },
    );
  });

  it('goes back whole or not at all', async () => {
    const served = new Set<string>();
    const steps = await atEveryStep(
      two,
      'dead',
      store => rollBack(store, undefined, why),
      async (store, { code }) => {
        assert.equal(code, 'OUTPUT_FAILED');
        served.add(servedVersion(store));
        if (servedVersion(store) === '2.0.0') await rollBack(store, undefined, why);
        assert.equal(servedVersion(store), '1.0.0');
      },
    );
    assert.equal(steps, 5);
    assert.deepEqual([...served].sort(), ['1.0.0', '2.0.0']);
  });

  it('serves the files that were judged, where the same model came with others before, and goes back to those', async () => {
    const [store, retuned] = [join(folder, 'retuned-store'), join(folder, 'retuned')];
    cpSync(two, store, { recursive: true });
    cpSync(old, retuned, { recursive: true });
    retune(retuned);
    writeFileSync(join(retuned, 'MODEL_CARD.md'), 'measured anew');
    const served = await put(store, retuned);
    assert.equal(thresholdsOf(loadServing(store).directory), thresholdsOf(retuned));
    assert.equal(readFileSync(join(store, served, 'MODEL_CARD.md'), 'utf8'), 'measured anew');
    await put(store, old);
    assert.equal(thresholdsOf(loadServing(store).directory), thresholdsOf(old));
    assert.deepEqual(readdirSync(loadServing(store).directory).sort(), readdirSync(old).sort());
    await rollBack(store, undefined, why);
    assert.equal(thresholdsOf(loadServing(store).directory), thresholdsOf(retuned));
    const before = plain(store);
    await put(store, old);
    assert.deepEqual(plain(store), before, 'what is there already is not copied again');
  });

  it('leaves a folder alone whose thresholds somebody changed in the store, and serves what was judged', async () => {
    const store = join(folder, 'changed-inside');
    cpSync(one, store, { recursive: true });
    const first = loadServing(store).directory;
    retune(first);
    const again = await put(store, old);
    assert.match(again, /-[0-9a-f]{8}-2$/);
    assert.equal(thresholdsOf(loadServing(store).directory), thresholdsOf(old));
    assert.notEqual(thresholdsOf(first), thresholdsOf(old));
    assert.equal(await put(store, old), again);
  });

  it('refuses files that changed while they were judged', async () => {
    const [store, changing] = [join(folder, 'judged-store'), join(folder, 'changing')];
    cpSync(one, store, { recursive: true });
    cpSync(fresh, changing, { recursive: true });
    const [judged, before] = [contentHash(loadModel(changing)), plain(store)];
    retune(changing);
    await assert.rejects(put(store, changing, judged), { code: 'MODEL_FILE_CHANGED', message: /since it was judged/ });
    assert.deepEqual([servedVersion(store), plain(store)], ['1.0.0', before]);
  });

  it('refuses a folder that is not the model it is named after', async () => {
    const store = join(folder, 'other-inside');
    cpSync(two, store, { recursive: true });
    const [first, second] = (readStore(store)?.history ?? []).map(each => each.folder) as [string, string];
    rmSync(join(store, first), { recursive: true });
    cpSync(join(store, second), join(store, first), { recursive: true });
    await assert.rejects(rollBack(store, undefined, why), {
      code: 'MODEL_FILE_CHANGED',
      message: /another model than/,
    });
    await assert.rejects(put(store, old), { code: 'MODEL_FILE_CHANGED', message: /another model than/ });
    assert.equal(servedVersion(store), '2.0.0');
  });
});

describe('the lock of a store', () => {
  it('is held by one, and a kill releases it', async () => {
    const store = join(folder, 'locked');
    const script = `import { lockStore } from ${JSON.stringify(join(import.meta.dirname, '../../src/distill/store-lock.ts'))};
      globalThis.lock = lockStore(process.argv[1]); console.log('held'); setInterval(() => {}, 1000);`;
    const holder = spawn(process.execPath, ['--input-type=module', '-e', script, store], { stdio: 'pipe' });
    after(() => holder.kill('SIGKILL'));
    await new Promise(done => holder.stdout.once('data', done));
    assert.throws(() => lockStore(store), {
      code: 'STORE_BUSY',
      message: new RegExp(`process ${holder.pid} is changing`),
    });
    const gone = new Promise(done => holder.once('close', done));
    holder.kill('SIGKILL');
    await gone;
    const lock = lockStore(store);
    assert.throws(() => lockStore(store), { code: 'STORE_BUSY' });
    lock.release();
    lock.release();
    lockStore(store).release();
  });
});
