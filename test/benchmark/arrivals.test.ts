/** If this fails, a load is not the load that it says it is, and every latency under it is of something else. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bursts, byProfile, poisson } from '../../src/benchmark/arrivals.ts';
import { seeded } from '../../src/evaluation/bootstrap.ts';

const near = (value: number, expected: number, share: number): void =>
  assert.ok(Math.abs(value - expected) <= share * expected, `${value} is not within ${100 * share} % of ${expected}`);

describe('arrivals', () => {
  it('come sorted, within their time, and as many as their rate says', () => {
    fc.assert(
      fc.property(fc.integer(), fc.double({ min: 0.5, max: 200, noNaN: true }), (seed, rate) => {
        const at = poisson(rate, 60, seeded(seed));
        assert.deepEqual(at, at.toSorted());
        assert.ok(at.every(ms => ms >= 0 && ms < 60_000));
        assert.ok(Math.abs(at.length - 60 * rate) < 6 * Math.sqrt(60 * rate) + 1);
      }),
    );
  });

  it('are independent: gaps have the spread of an exponential distribution', () => {
    const at = poisson(50, 1_000, seeded(1));
    const gaps = [...at.subarray(1)].map((ms, i) => ms - (at[i] as number));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
    near(mean, 20, 0.03);
    near(deviation, mean, 0.03);
  });

  it('follow a profile and keep its mean', () => {
    const at = byProfile([1, 3, 0, 4], 100, 400, seeded(2));
    const quarters = [0, 1, 2, 3].map(i => at.filter(ms => Math.floor(ms / 100_000) === i).length);
    near(at.length, 40_000, 0.02);
    near(quarters[1] as number, 3 * (quarters[0] as number), 0.05);
    assert.equal(quarters[2], 0);
    near(quarters[3] as number, 4 * (quarters[0] as number), 0.05);
  });

  it('come in bursts of one moment', () => {
    const at = bursts(40, 100, 200, seeded(3));
    near(at.length, 20_000, 0.15);
    const sizes = new Map<number, number>();
    for (const ms of at) sizes.set(ms, (sizes.get(ms) ?? 0) + 1);
    assert.ok([...sizes.values()].every(size => size === 40));
  });

  it('need a rate and a time', () => {
    for (const [rate, seconds] of [
      [0, 1],
      [1, 0],
      [Number.NaN, 1],
    ] as const)
      assert.throws(() => poisson(rate, seconds, seeded(4)), RangeError);
  });
});
