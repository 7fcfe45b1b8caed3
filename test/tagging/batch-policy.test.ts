/** If this fails, a note could wait for ever, or one batch could be larger than memory allows. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type BatchLimits, nextBatch } from '../../src/tagging/batch-policy.ts';

const lengths = fc.array(fc.integer({ min: 2, max: 256 }), { maxLength: 60 });
const sized = (all: readonly number[]): { length: number }[] => all.map(length => ({ length }));

const within = (tokens: number): BatchLimits => ({ tokens, windows: Number.POSITIVE_INFINITY });

describe('batch policy', () => {
  it('never exceeds its budget of padded tokens, unless one window alone does', () => {
    fc.assert(
      fc.property(lengths, fc.integer({ min: 16, max: 4096 }), (all, budget) => {
        const batch = nextBatch(sized(all), within(budget)).map(i => all[i] as number);
        assert.ok(batch.length <= 1 || Math.max(...batch) * batch.length <= budget);
      }),
    );
  });

  it('always takes the longest waiting, so that every window leaves once and none starves', () => {
    fc.assert(
      fc.property(lengths, fc.integer({ min: 16, max: 2048 }), (all, budget) => {
        let waiting = all.map((length, id) => ({ length, id }));
        const left: number[] = [];
        while (waiting.length > 0) {
          const batch = nextBatch(waiting, within(budget));
          assert.ok(batch.includes(0));
          left.push(...batch.map(i => (waiting[i] as { id: number }).id));
          waiting = waiting.filter((_, i) => !batch.includes(i));
        }
        assert.deepEqual(
          left.sort((a, b) => a - b),
          all.map((_, i) => i),
        );
      }),
    );
  });

  it('fills the batch: nothing that fits beside its lengths is left behind', () => {
    fc.assert(
      fc.property(lengths, fc.integer({ min: 256, max: 2048 }), (all, budget) => {
        const batch = nextBatch(sized(all), within(budget));
        const longest = Math.max(...batch.map(i => all[i] as number));
        if (batch.length === all.length || batch.length === 0) return;
        const smallest = Math.min(...all.filter((_, i) => !batch.includes(i)));
        assert.ok(Math.max(longest, smallest) * (batch.length + 1) > budget);
      }),
    );
  });

  it('never takes more windows than it may, and one at a time where that is the limit', () => {
    fc.assert(
      fc.property(lengths, fc.integer({ min: 1, max: 9 }), (all, windows) => {
        const batch = nextBatch(sized(all), { tokens: 1_000_000, windows });
        assert.equal(batch.length, Math.min(all.length, windows));
        assert.ok(all.length === 0 || batch.includes(0));
      }),
    );
  });

  it('puts like lengths together', () => {
    assert.deepEqual(
      nextBatch(sized([100, 10, 101, 11, 99]), within(310)).map(i => [100, 10, 101, 11, 99][i]),
      [99, 100, 101],
    );
  });
});
