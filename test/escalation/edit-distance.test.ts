/** If this fails, misspelt quotes are lost or other words are taken for them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { editDistance } from '../../src/escalation/edit-distance.ts';

/** Optimal string alignment by its recurrence, without a band. */
function byDefinition(a: string, b: string): number {
  const d = Array.from({ length: a.length + 1 }, (_, i) => Array.from({ length: b.length + 1 }, (_, j) => i + j));
  const at = (i: number, j: number): number => d[i]?.[j] ?? Number.NaN;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const swap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? at(i - 2, j - 2) + 1 : Infinity;
      (d[i] as number[])[j] = Math.min(
        at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1),
        at(i - 1, j) + 1,
        at(i, j - 1) + 1,
        swap,
      );
    }
  }
  return at(a.length, b.length);
}

describe('edit distance', () => {
  it('is the definition up to its limit, and limit + 1 beyond', () => {
    const word = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 9 }).map(letters => letters.join(''));
    fc.assert(
      fc.property(word, word, fc.integer({ min: 0, max: 4 }), (a, b, most) => {
        assert.equal(editDistance(a, b, most), Math.min(byDefinition(a, b), most + 1));
      }),
      { numRuns: 5_000 },
    );
  });
});
