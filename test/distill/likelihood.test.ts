/** If this fails, two models' probabilities are compared on different words, or wrongly. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { baseRateLoss, lossesOf, meanLoss } from '../../src/distill/likelihood.ts';
import type { ScoredDocument } from '../../src/distill/score-documents.ts';
import type { Manifest } from '../../src/model/manifest.ts';

const headOf = (task: string, temperature: number): Manifest['heads'][number] => ({
  ...{ task, temperature },
  ...{ labels: ['O', 'I'], threshold: 0.5, ece: 0 },
});
/** @param words first and end, and the logit of each head. */
const scored = (...words: (readonly [number, number, ...number[]])[]): ScoredDocument => ({
  document: {
    id: 'd',
    split: 'test',
    text: 'takes beta-blockers',
    entities: [{ start: 6, end: 19, type: 'medication' }],
  },
  words: {
    count: words.length,
    starts: Int32Array.from(words, each => each[0]),
    ends: Int32Array.from(words, each => each[1]),
    logits: Float32Array.from(words.flatMap(([, , ...logits]) => logits)),
  },
});

describe('losses', () => {
  const heads = [headOf('disease', 1), headOf('medication', 2)];
  const fine = scored([0, 5, 9, -2], [6, 10, 9, 2], [10, 11, 9, 4], [11, 19, 9, 6]);

  it('are those of the task at its temperature', () => {
    const [only] = lossesOf([fine], [fine], heads, 'medication') ?? [];
    const cost = (logit: number): number => Math.log1p(Math.exp(-logit / 2));
    assert.ok(Math.abs((only?.nats as number) - (2 * cost(2) + cost(4) + cost(6))) < 1e-6);
    assert.deepEqual([only?.words, only?.inside], [4, 3]);
    assert.equal(lossesOf([fine], [fine], heads, 'symptom'), undefined);
  });

  it('leave out words that the other model splits otherwise', () => {
    const coarse = scored([0, 5, 9, -2], [6, 19, 9, -90]);
    const [ofFine] = lossesOf([fine], [coarse], heads, 'medication') ?? [];
    const [ofCoarse] = lossesOf([coarse], [fine], heads, 'medication') ?? [];
    assert.deepEqual(ofFine, ofCoarse);
    assert.deepEqual([ofFine?.words, ofFine?.inside], [1, 0]);
    assert.ok(Math.abs((ofFine?.nats as number) - Math.log1p(Math.exp(-1))) < 1e-6);
  });

  it('have a mean over words, and a base rate that knows only how many are Inside', () => {
    const documents = [
      { nats: 3, words: 10, inside: 1 },
      { nats: 1, words: 30, inside: 9 },
    ];
    assert.equal(meanLoss(documents), 0.1);
    assert.ok(Math.abs(baseRateLoss(documents) - (-0.25 * Math.log(0.25) - 0.75 * Math.log(0.75))) < 1e-12);
    assert.deepEqual(
      [baseRateLoss([{ nats: 1, words: 9, inside: 0 }]), baseRateLoss([{ nats: 1, words: 9, inside: 9 }])],
      [0, 0],
    );
  });
});
