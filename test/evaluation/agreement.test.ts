/** If this fails, two models would be said to agree more, or less, than they do. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { agreementF1, cohensKappa, wordAgreement } from '../../src/evaluation/agreement.ts';
import { f1Interval, RESAMPLES, seeded } from '../../src/evaluation/bootstrap.ts';
import { scores } from '../../src/evaluation/counts.ts';
import { onlineInterval, poissonWeights } from '../../src/evaluation/online-bootstrap.ts';
import { INSIDE, MISSING, OUTSIDE } from '../../src/text/words.ts';

describe('agreement', () => {
  it('counts words by who marks them, and none that either cuts', () => {
    const first = Uint8Array.of(INSIDE, INSIDE, OUTSIDE, OUTSIDE, MISSING, INSIDE);
    const second = Uint8Array.of(INSIDE, OUTSIDE, INSIDE, OUTSIDE, INSIDE, MISSING);
    assert.deepEqual(wordAgreement(first, second), { both: 1, onlyFirst: 1, onlySecond: 1, neither: 1 });
  });

  it('is F1 whichever is taken for the truth, and kappa as Cohen has it', () => {
    const said = { both: 20, onlyFirst: 5, onlySecond: 10, neither: 15 };
    const turned = { ...said, onlyFirst: 10, onlySecond: 5 };
    assert.equal(agreementF1(said), scores({ tp: 20, fp: 10, fn: 5 }).f1);
    assert.equal(agreementF1(said), agreementF1(turned));
    // the textbook's example: 0.7 observed, 0.5 by chance
    assert.ok(Math.abs((cohensKappa(said) as number) - 0.4) < 1e-12);
    assert.equal(cohensKappa(turned), cohensKappa(said));
    assert.ok((cohensKappa({ both: 0, onlyFirst: 5, onlySecond: 5, neither: 0 }) as number) < 0);
  });

  it('has no value where nothing was marked, or where chance explains everything', () => {
    assert.equal(agreementF1({ both: 0, onlyFirst: 0, onlySecond: 0 }), null);
    assert.equal(cohensKappa({ both: 0, onlyFirst: 0, onlySecond: 0, neither: 9 }), null);
    assert.equal(cohensKappa({ both: 0, onlyFirst: 0, onlySecond: 0, neither: 0 }), null);
  });
});

describe('the bootstrap of a stream', () => {
  it('weighs a document as Poisson(1) does, and always the same', () => {
    const weights = [...poissonWeights(7, 200_000)];
    const mean = weights.reduce((sum, each) => sum + each, 0) / weights.length;
    const variance = weights.reduce((sum, each) => sum + (each - mean) ** 2, 0) / weights.length;
    assert.ok(Math.abs(mean - 1) < 0.01 && Math.abs(variance - 1) < 0.02, `${mean}, ${variance}`);
    assert.deepEqual(poissonWeights(7), poissonWeights(7));
    assert.notDeepEqual(poissonWeights(7), poissonWeights(8));
  });

  it('gives the interval that drawing documents again gives', () => {
    const random = seeded(3);
    const documents = Array.from({ length: 120 }, () => {
      const [tp, fp, fn] = [6, 3, 3].map(most => Math.floor(most * random()));
      return { tp, fp, fn } as { tp: number; fp: number; fn: number };
    });
    const sums = Array.from({ length: RESAMPLES }, () => ({ both: 0, onlyFirst: 0, onlySecond: 0 }));
    documents.forEach(({ tp, fp, fn }, i) => {
      poissonWeights(i).forEach((weight, r) => {
        const sum = sums[r] as (typeof sums)[number];
        sum.both += weight * tp;
        sum.onlySecond += weight * fp;
        sum.onlyFirst += weight * fn;
      });
    });
    const online = onlineInterval(sums.map(agreementF1)) as { low: number; high: number };
    const drawn = f1Interval(documents, seeded(1));
    assert.ok(Math.abs(online.low - drawn.low) < 0.015 && Math.abs(online.high - drawn.high) < 0.015);
    assert.equal(onlineInterval([null, null]), null);
  });
});
