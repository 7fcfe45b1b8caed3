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
});
