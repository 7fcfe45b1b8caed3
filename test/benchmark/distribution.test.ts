/** If this fails, the simulation draws other times than those that were measured. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { quantileOf, quantilesOf, stretched } from '../../src/benchmark/distribution.ts';

describe('a distribution by quantiles', () => {
  it('has the mean that is asked for, and the variation of its quantiles', () => {
    const uniform = stretched([0, 1], 3);
    assert.equal(uniform.mean, 3);
    assert.ok(Math.abs(uniform.cv2 - 1 / 3) < 1e-12, 'of a uniform from 0');
    assert.equal(uniform.at(0.25), 1.5);
    const always = stretched([2, 2, 2], 5);
    assert.ok(Math.abs(always.cv2) < 1e-12);
    assert.equal(always.at(0.9), 5);
  });

  it('draws what averages to its mean and varies as it says', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0.01, max: 10, noNaN: true }), { minLength: 2, maxLength: 30 }), values => {
        const drawn = stretched(
          [...values].sort((a, b) => a - b),
          7,
        );
        const count = 20_000;
        let [first, second] = [0, 0];
        for (let i = 0; i < count; i++) {
          const value = drawn.at((i + 0.5) / count);
          first += value / count;
          second += value ** 2 / count;
        }
        assert.ok(Math.abs(first - 7) < 0.01, `mean ${first}`);
        assert.ok(Math.abs(second / first ** 2 - 1 - drawn.cv2) < 0.01);
      }),
      { numRuns: 30 },
    );
  });

  it('refuses what is none', () => {
    assert.throws(() => stretched([1], 1), RangeError);
    assert.throws(() => stretched([2, 1], 1), RangeError);
    assert.throws(() => stretched([0, 0], 1), RangeError);
    assert.throws(() => quantilesOf([], 3), RangeError);
  });

  it('takes quantiles from the least to the largest', () => {
    assert.deepEqual(quantilesOf([4, 1, 3, 2], 4), [1, 2, 3, 4]);
    assert.deepEqual(quantilesOf([9], 3), [9, 9, 9]);
    assert.equal(quantileOf(Float64Array.of(0, 10), 0.99), 9.9);
  });
});
