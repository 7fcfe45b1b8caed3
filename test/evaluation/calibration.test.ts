/** If this fails, a confidence of 0.9 would not mean that nine in ten are right. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seeded } from '../../src/evaluation/bootstrap.ts';
import {
  areaUnderRiskCoverage,
  bestThreshold,
  calibrationError,
  clippedLogLoss,
  fitTemperature,
  type Judged,
  negativeLogLikelihood,
} from '../../src/evaluation/calibration.ts';

/** Words whose true probability is sigmoid(x), reported with logits `factor` times too sure. */
function words(factor: number, count = 40_000): Judged {
  const random = seeded(7);
  const logits = new Float32Array(count);
  const inside = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const x = random() * 8 - 5;
    logits[i] = x * factor;
    inside[i] = random() < 1 / (1 + Math.exp(-x)) ? 1 : 0;
  }
  return { logits, inside };
}

describe('calibration', () => {
  it('finds the temperature that was planted', () => {
    for (const factor of [0.5, 1, 3]) {
      const found = fitTemperature(words(factor));
      assert.ok(Math.abs(found / factor - 1) < 0.05, `${found} for ${factor}`);
    }
  });

  it('has a small error at that temperature and a large one elsewhere', () => {
    const judged = words(3);
    assert.ok(calibrationError(judged, 3) < 0.01);
    assert.ok(calibrationError(judged, 1) > 0.05);
    assert.ok(calibrationError(judged, 3, true) < 0.012);
    assert.ok(negativeLogLikelihood(judged, 3) < negativeLogLikelihood(judged, 1));
  });

  it('takes logits that would overflow', () => {
    assert.equal(negativeLogLikelihood({ logits: Float32Array.of(1e4, -1e4), inside: Uint8Array.of(1, 0) }, 1), 0);
  });

  it('costs at most what 1e-6 does, a word', () => {
    const judged = { logits: Float32Array.of(1e4, -1e4, 2, -2), inside: Uint8Array.of(0, 1, 1, 0) };
    const expected = 2 * Math.log(1e6) + 2 * Math.log1p(Math.exp(-2));
    assert.ok(Math.abs(clippedLogLoss(judged, 1) - expected) < 1e-6);
    assert.ok(Math.abs(clippedLogLoss(judged, 2) - 2 * Math.log(1e6) - 2 * Math.log1p(Math.exp(-1))) < 1e-6);
  });

  it('chooses the threshold that separates, and the middle where nothing does', () => {
    const logits = Float32Array.from({ length: 200 }, (_, i) => (i < 100 ? -1.5 + i / 1000 : -0.6));
    const inside = Uint8Array.from({ length: 200 }, (_, i) => (i < 100 ? 0 : 1));
    const threshold = bestThreshold({ logits, inside }, 1);
    assert.ok(threshold > 0.2 && threshold < 0.36, `${threshold}`);
    const clear = Float32Array.from(inside, value => (value === 1 ? 9 : -9));
    assert.equal(bestThreshold({ logits: clear, inside }, 1), 0.5);
  });

  it('rewards a confidence that puts bad notes last', () => {
    const notes = [0.9, 0.8, 0.3].map(quality => ({ confidence: quality, quality }));
    const reversed = notes.map(({ quality }) => ({ confidence: -quality, quality }));
    assert.ok(areaUnderRiskCoverage(notes) < areaUnderRiskCoverage(reversed));
    assert.ok(Math.abs(areaUnderRiskCoverage(notes) - (0.1 + 0.15 + 1 / 3) / 3) < 1e-12);
  });
});
