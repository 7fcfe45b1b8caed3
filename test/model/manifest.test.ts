/** If this fails, a model with a changed or missing file would serve answers that nobody measured. */
import assert from 'node:assert/strict';
import { appendFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { listModels, loadModel } from '../../src/model/manifest.ts';
import { loadRouting } from '../../src/model/routing.ts';
import { readStore } from '../../src/model/store.ts';
import { directoryOf, MODEL_DIRECTORY, SHIPPED } from '../support/model.ts';
import { temporaryFolder } from '../support/temporary.ts';

const folder = temporaryFolder('manifest');
let copies = 0;

/** A copy of the committed model, changed. */
function changed(change: (directory: string, manifest: Record<string, unknown>) => void): string {
  const directory = join(folder, String(copies++));
  cpSync(MODEL_DIRECTORY, directory, { recursive: true });
  const path = join(directory, 'manifest.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  change(directory, manifest);
  writeFileSync(path, JSON.stringify(manifest));
  return directory;
}

describe('model manifest', () => {
  it('loads the committed models and knows their tasks', () => {
    assert.deepEqual(listModels(dirname(MODEL_DIRECTORY)), SHIPPED);
    for (const name of SHIPPED) {
      const { heads, identity } = loadModel(directoryOf(name));
      assert.deepEqual(
        heads.map(head => head.task),
        ['medication', 'disease', 'symptom'],
      );
      assert.equal(identity.name, name);
      assert.match(identity.sha256, /^[0-9a-f]{64}$/);
    }
  });

  it('refuses a changed, a shortened and a missing file, each by name', () => {
    const appended = changed(directory => appendFileSync(join(directory, 'tokenizer.json'), ' '));
    assert.throws(() => loadModel(appended), { code: 'MODEL_FILE_CHANGED', message: /tokenizer\.json/ });
    const flipped = changed(directory => {
      const path = join(directory, 'model.int8.onnx');
      const bytes = readFileSync(path);
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
      writeFileSync(path, bytes);
    });
    assert.throws(() => loadModel(flipped), { code: 'MODEL_FILE_CHANGED', message: /model\.int8\.onnx/ });
    const removed = changed(directory => rmSync(join(directory, 'model.int8.onnx')));
    assert.throws(() => loadModel(removed), { code: 'MODEL_MISSING', message: /model\.int8\.onnx/ });
    assert.throws(() => loadModel(folder), { code: 'MODEL_MISSING', message: /manifest\.json/ });
  });

  it('says which file it cannot read', () => {
    const folderFor = (name: string): string =>
      changed(directory => {
        rmSync(join(directory, name));
        mkdirSync(join(directory, name));
      });
    const code = 'MODEL_UNREADABLE';
    assert.throws(() => loadModel(folderFor('tokenizer.json')), { code, message: /tokenizer\.json \(EISDIR\)/ });
    const directory = join(folder, 'unreadable');
    mkdirSync(join(directory, 'manifest.json'), { recursive: true });
    assert.throws(() => loadModel(directory), { code, message: /manifest\.json \(EISDIR\)/ });
    for (const [file, read] of [
      ['serving.json', () => readStore(directory)],
      ['routing.json', () => loadRouting({ ...loadModel(MODEL_DIRECTORY), directory })],
    ] as const) {
      mkdirSync(join(directory, file));
      assert.throws(read, { code, message: new RegExp(`${file} \\(EISDIR\\)`) });
    }
  });

  it('refuses a manifest that says less or more than it must, naming the key', () => {
    const cases: readonly (readonly [RegExp, (manifest: Record<string, unknown>) => void])[] = [
      [/window\.overlap/, m => Object.assign(m, { window: { tokens: 256, overlap: 254 } })],
      [/heads\.0\.threshold/, m => Object.assign((m.heads as object[])[0] as object, { threshold: 1 })],
      [/files/, m => Object.assign(m.files as object, { '../elsewhere': { sha256: 'a'.repeat(64), bytes: 1 } })],
      [/format/, m => Object.assign(m, { format: 2 })],
      [/unknown|Unrecognized/i, m => Object.assign(m, { extra: true })],
      [/selfCheck\.logits/, m => (m.selfCheck as { logits: number[] }).logits.pop()],
      [/other\.onnx is used but not listed/, m => Object.assign(m, { graphs: { int8: 'other.onnx' } })],
    ];
    for (const [message, change] of cases) {
      assert.throws(() => loadModel(changed((_, manifest) => change(manifest))), { code: 'MANIFEST_INVALID', message });
    }
  });
});
