/** If this fails, a model card would claim scores that nobody measured. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { f1Interval, pairedF1Interval, seeded } from '../../src/evaluation/bootstrap.ts';
import { scores, sum } from '../../src/evaluation/counts.ts';
import { exactCounts, relaxedCounts } from '../../src/evaluation/span-scores.ts';
import { tokenCounts } from '../../src/evaluation/token-scores.ts';
import { INSIDE, MISSING, OUTSIDE } from '../../src/text/words.ts';

const span = (start: number, end: number) => ({ start, end });

describe('scores', () => {
  it('count words, and no word that a span cuts', () => {
    const gold = Uint8Array.of(INSIDE, INSIDE, OUTSIDE, OUTSIDE, MISSING, MISSING);
    assert.deepEqual(tokenCounts(gold, Uint8Array.of(1, 0, 1, 0, 1, 0)), { tp: 1, fp: 1, fn: 1 });
  });

  it('are precision, recall and their harmonic mean', () => {
    assert.deepEqual(scores({ tp: 6, fp: 2, fn: 4 }), { precision: 0.75, recall: 0.6, f1: 12 / 18 });
    assert.deepEqual(scores({ tp: 0, fp: 0, fn: 0 }), { precision: 0, recall: 0, f1: 0 });
  });

  it('tell exact from overlapping spans', () => {
    const gold = [span(0, 5), span(10, 20), span(30, 35)];
    const found = [span(0, 5), span(12, 18), span(40, 45)];
    assert.deepEqual(exactCounts(gold, found), { tp: 1, fp: 2, fn: 2 });
    assert.deepEqual(relaxedCounts(gold, found), { tp: 2, fp: 1, fn: 1 });
  });

  it('pair overlapping spans one to one', () => {
    assert.deepEqual(relaxedCounts([span(0, 30)], [span(0, 5), span(6, 9)]), { tp: 1, fp: 1, fn: 0 });
    assert.deepEqual(relaxedCounts([span(0, 5), span(5, 9)], [span(0, 9)]), { tp: 1, fp: 0, fn: 1 });
    assert.deepEqual(relaxedCounts([span(0, 5)], [span(5, 9)]), { tp: 0, fp: 1, fn: 1 });
  });

  it('never find more exactly than relaxedly', () => {
    const spans = fc.array(
      fc.tuple(fc.nat(40), fc.integer({ min: 1, max: 8 })).map(([start, size]) => span(start, start + size)),
    );
    fc.assert(
      fc.property(spans, spans, (gold, found) => {
        // spans of one task never overlap: keep those that do not
        const apart = (all: { start: number; end: number }[]) =>
          all
            .sort((a, b) => a.start - b.start)
            .filter((each, i, list) => i === 0 || each.start >= Math.max(...list.slice(0, i).map(l => l.end)));
        const [g, f] = [apart(gold), apart(found)];
        const exact = exactCounts(g, f);
        const relaxed = relaxedCounts(g, f);
        assert.ok(exact.tp <= relaxed.tp);
        assert.equal(relaxed.tp + relaxed.fn, g.length);
        assert.equal(relaxed.tp + relaxed.fp, f.length);
      }),
    );
  });
});

describe('bootstrap', () => {
  const documents = Array.from({ length: 60 }, (_, i) => ({ tp: 5 + (i % 7), fp: i % 3, fn: i % 4 }));

  it('brackets the score, is the same for the same seed, and narrows with more documents', () => {
    const { f1 } = scores(sum(documents));
    const interval = f1Interval(documents, seeded(1));
    assert.ok(interval.low < f1 && f1 < interval.high);
    assert.deepEqual(f1Interval(documents, seeded(1)), interval);
    const four = f1Interval([...documents, ...documents, ...documents, ...documents], seeded(1));
    assert.ok(four.high - four.low < 0.7 * (interval.high - interval.low));
  });

  it('sees a difference that every document shows, and none between equals', () => {
    const worse = documents.map(each => ({ ...each, fn: each.fn + 2 }));
    assert.ok(pairedF1Interval(documents, worse, seeded(2)).low > 0);
    assert.deepEqual(pairedF1Interval(documents, documents, seeded(2)), { low: 0, high: 0 });
    assert.throws(() => pairedF1Interval(documents, [], seeded(2)), RangeError);
  });

  it('leave out draws in which nothing is to be found, where all models are alike', () => {
    const few = (counts: object) =>
      Array.from({ length: 20 }, (_, i) => ({ tp: 0, fp: 0, fn: 0, ...(i < 2 ? counts : {}) }));
    const perfect = few({ tp: 2 });
    assert.deepEqual(f1Interval(perfect, seeded(1)), { low: 1, high: 1 });
    assert.deepEqual(pairedF1Interval(few({ fn: 2 }), perfect, seeded(1)), { low: -1, high: -1 });
  });
});
