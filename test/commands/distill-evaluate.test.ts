/** If this fails, a card shows figures of the model that stood in the folder before, or a model that was never measured cannot be. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { loadModel } from '../../src/model/manifest.ts';
import { here } from '../support/here.ts';
import { MODEL_DIRECTORY, ROOT } from '../support/model.ts';
import { temporaryFolder } from '../support/temporary.ts';

describe('distill evaluate', { timeout: 300_000 }, () => {
  const folder = temporaryFolder('evaluate');
  const model = join(folder, 'model');
  const file = join(model, 'metrics.json');
  const metrics = JSON.parse(readFileSync(join(MODEL_DIRECTORY, 'metrics.json'), 'utf8')) as {
    model: { sha256: string };
    parity: { windows: number };
  };
  const evaluated = async (): Promise<{ card: string; metrics: Partial<typeof metrics> }> => {
    const { code, stderr } = await here(['distill', 'evaluate', '--corpus', join(folder, 'corpus'), '--model', model]);
    assert.equal(code, 0, stderr);
    const card = readFileSync(join(model, 'MODEL_CARD.md'), 'utf8');
    return { card, metrics: JSON.parse(readFileSync(file, 'utf8')) };
  };

  before(() => {
    cpSync(MODEL_DIRECTORY, model, { recursive: true });
    mkdirSync(join(folder, 'corpus/teacher'), { recursive: true });
    const notes = readFileSync(join(ROOT, 'test/data/quality/teacher-dev.jsonl'), 'utf8')
      .split('\n')
      .filter(line => line !== '' && line.length < 2000)
      .slice(0, 4)
      .map((line, i) => `${JSON.stringify({ ...JSON.parse(line), split: i < 2 ? 'dev' : 'test' })}\n`);
    writeFileSync(join(folder, 'corpus/teacher/notes.jsonl'), notes.join(''));
  });

  it('keeps the parity that the export of this very model had', async () => {
    const { card, metrics: written } = await evaluated();
    assert.deepEqual(written.parity, metrics.parity);
    assert.ok(card.includes(`On ${metrics.parity.windows} windows of dev notes`));
    assert.equal(written.model?.sha256, loadModel(model).identity.sha256);
  });

  it('says that parity was not measured where the figures are of another model, or there are none', async () => {
    const another = { ...metrics, model: { ...metrics.model, sha256: '0'.repeat(64) } };
    for (const left of [JSON.stringify(another), '{', null]) {
      rmSync(join(model, 'MODEL_CARD.md'));
      if (left === null) rmSync(file);
      else writeFileSync(file, left);
      const { card, metrics: written } = await evaluated();
      assert.ok(!('parity' in written) && written.model?.sha256 === loadModel(model).identity.sha256);
      assert.match(card, /^## int8 against the trained model\nNot measured: `distill train` /m);
      assert.doesNotMatch(card, /undefined|windows of dev notes/);
    }
    const files = [
      'MODEL_CARD.md',
      'manifest.json',
      'metrics.json',
      'model.int8.onnx',
      'routing.json',
      'tokenizer.json',
    ];
    assert.deepEqual(readdirSync(model).sort(), files);
  });
});
