/** If this fails, one model's figures are written over another's, or are recorded as if the default model had made them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { benchCommand, originOf, resultName } from '../../src/commands/bench/results.ts';
import { loadConfig } from '../../src/config.ts';
import { loadModel } from '../../src/model/manifest.ts';
import { changedModel, stricterModel } from '../support/changed-model.ts';
import { MODEL_DIRECTORY } from '../support/model.ts';
import { temporaryFolder } from '../support/temporary.ts';

const of = (model?: string) => loadConfig({ env: {}, overrides: model === undefined ? {} : { model } });

describe('results', () => {
  it('of the default model are called after what was measured alone', () => {
    for (const config of [of(), of(MODEL_DIRECTORY)])
      assert.deepEqual([resultName('load', config), benchCommand(config, 'load')], ['load', 'npm run bench -- load']);
  });

  it('name what of the configuration was not as by default, wherever it was given, and no secret', () => {
    const overrides = { 'inference.workers': 3, 'inference.batchWindows': 4, 'topics.notes': "the clinic's notes" };
    const env = { CLINSTREAM_STREAM_TRANSACTION_MS: '50', CLINSTREAM_REGISTRY_PASSWORD: 'canary' };
    const config = loadConfig({ env, overrides });
    assert.equal(
      benchCommand(config, 'load'),
      "CLINSTREAM_INFERENCE_WORKERS=3 CLINSTREAM_INFERENCE_BATCH_WINDOWS=4 CLINSTREAM_STREAM_TRANSACTION_MS=50 CLINSTREAM_TOPICS_NOTES='the clinic'\\''s notes' npm run bench -- load",
    );
    assert.equal(originOf(config, 'load').command, benchCommand(config, 'load'));
  });

  it("of another are called after it too, and their command names it, but no folder of this machine's", () => {
    const renamed = changedModel(temporaryFolder('results'), manifest => {
      manifest.name = 'mine';
    });
    const config = of(renamed);
    assert.deepEqual(
      [resultName('load', config), benchCommand(config, 'load')],
      ['load@mine', 'npm run bench -- load --model models/mine'],
    );
    const { model, machine } = originOf(config, 'load', 'broker on the same machine');
    assert.deepEqual([model.name, model.version], ['mine', loadModel(MODEL_DIRECTORY).identity.version]);
    assert.match(machine, /^\d+ × .*, Node v24\.[\d.]+; broker on the same machine$/);
    const namesake = of(stricterModel(temporaryFolder('results')));
    assert.match(resultName('load', namesake), /^load@notes-minilm-[0-9a-f]{8}$/);
  });
});
