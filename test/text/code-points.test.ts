/** If this fails, an offset would point at another word than the one that was found. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CodePointIndex } from '../../src/text/code-points.ts';
import { trickyText } from './support.ts';

describe('code points', () => {
  it('slice as an array of code points does', () => {
    fc.assert(
      fc.property(trickyText, fc.nat(), fc.nat(), (text, a, b) => {
        const points = [...text];
        const index = new CodePointIndex(text);
        assert.equal(index.length, points.length);
        const [start, end] = [a % (points.length + 1), b % (points.length + 1)].sort((x, y) => x - y) as [
          number,
          number,
        ];
        assert.equal(index.slice(start, end), points.slice(start, end).join(''));
      }),
    );
  });

  it('reach across many checkpoints', () => {
    const text = '💊a'.repeat(1000);
    const index = new CodePointIndex(text);
    for (const point of [0, 63, 64, 65, 1023, 1999, 2000])
      assert.equal(index.toUtf16(point), Math.floor((point * 3 + 1) / 2));
  });

  it('refuse a place outside the text', () => {
    const index = new CodePointIndex('abc');
    assert.throws(() => index.slice(0, 4), RangeError);
    assert.throws(() => index.toUtf16(Number.NaN), RangeError);
  });
});
