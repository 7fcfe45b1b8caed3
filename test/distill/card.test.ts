/** If this fails, the card claims a perfect figure, or prints one that is none, where nothing was measured. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { calibrationOf } from '../../src/distill/calibrate.ts';
import { type Parity, renderCard } from '../../src/distill/card.ts';
import type { Metrics } from '../../src/distill/evaluate.ts';
import { loadModel } from '../../src/model/manifest.ts';
import { MODEL_DIRECTORY } from '../support/model.ts';

const model = loadModel(MODEL_DIRECTORY);
const committed = JSON.parse(readFileSync(join(MODEL_DIRECTORY, 'metrics.json'), 'utf8')) as Metrics & {
  parity: Parity;
};

describe('the model card', () => {
  it('has a dash where a head has no words to be measured on', () => {
    const { heads } = model.manifest;
    const [dev] = committed.calibration.filter(each => each.split === 'dev');
    assert.ok(dev !== undefined);
    const card = renderCard(
      model,
      {
        ...committed,
        calibration: [dev, { split: 'test', heads: calibrationOf([], heads) }],
        noteConfidence: heads.map(({ task }) => ({ task, area: Number.NaN, meanRisk: Number.NaN })),
      },
      committed.parity,
    );
    for (const { task } of heads) {
      assert.match(
        card,
        new RegExp(`^\\| ${task} \\| [\\d.]+ \\| [\\d.]+ \\| 0\\.\\d{4} \\| 0\\.\\d{4} \\| – \\| – \\|$`, 'm'),
      );
      assert.match(card, new RegExp(`^\\| ${task} \\| – \\| – \\|$`, 'm'));
    }
    assert.ok(!card.includes('NaN'));
  });

  it('says what a training began with, where that was no base as it is', () => {
    const { manifest } = model;
    const cardOf = (run: object): string => {
      const { start: _, layers: __, keptStart: ___, ...plain } = manifest.training.run as Record<string, unknown>;
      const training = { ...manifest.training, run: { ...plain, ...run } };
      return renderCard({ ...model, manifest: { ...manifest, training } }, committed, committed.parity).replaceAll(
        /\s+/g,
        ' ',
      );
    };
    const start = { name: 'other', version: '2.0.0', graph: 'f'.repeat(64) };
    const layers = { kept: 3, of: 6 };
    assert.doesNotMatch(cardOf({}), /It began with/);
    assert.doesNotMatch(cardOf({ start: null, layers: null }), /It began with/);
    assert.match(
      cardOf({ start, layers: null }),
      / It began with the weights of other 2\.0\.0, read back from its int8 graph\. /,
    );
    assert.match(
      cardOf({ start, layers }),
      / It began with 3 of 6 layers, evenly spread, of other 2\.0\.0, read back from its int8 graph\. /,
    );
    assert.doesNotMatch(cardOf({ start, layers: null }), /Every exported weight/);
    assert.match(
      cardOf({ start, layers: null, keptStart: 0.3 }),
      / Every exported weight is 0\.3 of other 2\.0\.0's and 0\.7 of the trained one \(.*; what 2\.0\.0 had learnt from is not said here/,
    );
    assert.match(cardOf({ layers }), / It began with 3 of 6 layers, evenly spread, of minilm\. /);
  });
});
