/** If this fails, the table that says what escalating is worth would promise an F1 that the notes kept do not have. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { seeded } from '../../src/evaluation/bootstrap.ts';
import { type Counts, scores, sum } from '../../src/evaluation/counts.ts';
import {
  areaIntervals,
  areas,
  atRate,
  atRates,
  atThreshold,
  bestAreas,
  type JudgedNote,
  smallestRisk,
  thresholdAt,
} from '../../src/evaluation/risk-coverage.ts';

const note = (doubt: number, [tp, fp, fn]: readonly [number, number, number], words = 10): JudgedNote => ({
  doubt,
  counts: { tp, fp, fn },
  words,
});

/** In order of doubt: perfect, nothing to find, 2 errors of 10, 4 errors of 8. */
const NOTES: readonly JudgedNote[] = [
  note(0.8, [4, 2, 2], 60),
  note(0.1, [5, 0, 0], 10),
  note(0.4, [8, 1, 1], 30),
  note(0.2, [0, 0, 0], 20),
];

function near(value: number, expected: number, what: string): void {
  assert.ok(Math.abs(value - expected) < 1e-12, `${what}: ${value} is not ${expected}`);
}

const counts = fc.record({ tp: fc.nat(6), fp: fc.nat(3), fn: fc.nat(3) });
const judged = fc.array(
  fc.record({ doubt: fc.integer({ min: 0, max: 5 }), counts, words: fc.integer({ min: 1, max: 50 }) }),
  { minLength: 1, maxLength: 12 },
);

describe('risk and coverage', () => {
  it('are what counting by hand gives', () => {
    // kept one by one: 0 errors; 0; 2 of 2·13+2; 6 of 2·17+6
    const risks = [0, 0, 2 / 28, 6 / 40];
    const found = areas(NOTES);
    near(found.f1, (risks[2] as number) / 4 + (risks[3] as number) / 4, 'area');
    near(found.f1Half, ((risks[1] as number) + (risks[2] as number) + (risks[3] as number)) / 3, 'upper half');
    near(found.errors, (2 / 3 + 6 / 4) / 4, 'errors');
    near(found.errorsHalf, (2 / 3 + 6 / 4) / 3, 'errors, upper half');
    // words kept: 10, 30, 60, 120 of 120; at least half from the third note on
    near(found.f1HalfOfWords, (30 * (risks[2] as number) + 60 * (risks[3] as number)) / 90, 'by words');
  });

  it('say what remains at a rate and what it costs', () => {
    assert.deepEqual(atRate(NOTES, 0), {
      rate: 0,
      escalated: 0,
      f1Kept: 1 - 6 / 40,
      errorsPerNoteKept: 1.5,
      shareOfErrors: 0,
      shareOfWords: 0,
    });
    const quarter = atRate(NOTES, 0.25);
    assert.deepEqual([quarter.escalated, quarter.shareOfWords], [1, 0.5]);
    near(quarter.f1Kept, 26 / 28, 'F1');
    near(quarter.shareOfErrors, 4 / 6, 'errors');
    assert.equal(atRate(NOTES, 0.5).f1Kept, 1);
    // the very same notes by a threshold between the doubts
    assert.deepEqual({ rate: 0.25, ...atThreshold(NOTES, 0.5) }, quarter);
    assert.equal(atThreshold(NOTES, 0.4).escalated, 1, 'at the threshold a note stays');
    assert.equal(atThreshold(NOTES, 0).f1Kept, 1, 'nothing kept, nothing wrong');
  });

  it('keep everything at rate 0, whatever the doubts', () => {
    fc.assert(
      fc.property(judged, notes => {
        const { f1Kept, shareOfErrors, shareOfWords } = atRate(notes, 0);
        const total = sum(notes.map(each => each.counts));
        const f1 = total.tp + total.fp + total.fn === 0 ? 1 : scores(total).f1;
        near(f1Kept, f1, 'F1');
        assert.deepEqual([shareOfErrors, shareOfWords], [0, 0]);
      }),
    );
  });

  it('do not depend on the order in which notes of equal doubt came', () => {
    const shuffled = judged.chain(notes =>
      fc.tuple(fc.constant(notes), fc.shuffledSubarray(notes, { minLength: notes.length })),
    );
    fc.assert(
      fc.property(shuffled, fc.double({ min: 0, max: 0.99, noNaN: true }), ([notes, others], rate) => {
        const [one, other] = [areas(notes), areas(others)];
        for (const key of Object.keys(one) as (keyof typeof one)[]) near(other[key], one[key], key);
        near(atRate(others, rate).f1Kept, atRate(notes, rate).f1Kept, 'F1 kept');
      }),
    );
  });

  it('give an uninformed doubt the same risk at every coverage, and one that knows the errors fewer of them', () => {
    fc.assert(
      fc.property(judged, notes => {
        const blind = areas(notes.map(each => ({ ...each, doubt: 1 })));
        const whole = atRate(notes, 0);
        near(blind.f1, 1 - whole.f1Kept, 'risk');
        near(blind.errors, whole.errorsPerNoteKept, 'errors');
        const knowing = areas(notes.map(each => ({ ...each, doubt: each.counts.fp + each.counts.fn })));
        assert.ok(knowing.errors <= areas(notes).errors + 1e-12);
        assert.ok(
          areas(notes).errors <=
            areas(notes.map(each => ({ ...each, doubt: -each.counts.fp - each.counts.fn }))).errors + 1e-12,
        );
      }),
    );
  });
});

describe('the smallest risk', () => {
  /** Of all subsets of a size, by trying them. */
  function bySearch(all: readonly Counts[], kept: number): number {
    let best = 1;
    for (let set = 0; set < 1 << all.length; set++) {
      const chosen = all.filter((_, i) => (set >> i) & 1);
      if (chosen.length !== kept) continue;
      const total = sum(chosen);
      const errors = total.fp + total.fn;
      best = Math.min(best, errors === 0 ? 0 : errors / (2 * total.tp + errors));
    }
    return best;
  }

  it('is the one that trying every choice of notes finds', () => {
    fc.assert(
      fc.property(fc.array(counts, { minLength: 1, maxLength: 9 }), fc.nat(8), (all, seed) => {
        const kept = 1 + (seed % all.length);
        near(smallestRisk(all, kept), bySearch(all, kept), `${kept} of ${all.length}`);
      }),
      { numRuns: 300 },
    );
  });

  it('is below that of any doubt', () => {
    fc.assert(
      fc.property(judged, notes => {
        const best = bestAreas(notes.map(each => each.counts));
        // without ties, which stand for a mean over choices and no choice of their own
        const apart = notes.map((each, i) => ({ ...each, doubt: each.doubt + i / 100 }));
        assert.ok(best.f1 <= areas(apart).f1 + 1e-12 && best.f1Half <= areas(apart).f1Half + 1e-12);
      }),
    );
  });
});

describe('thresholds', () => {
  it('lie between the last note escalated and the first one kept', () => {
    assert.equal(thresholdAt([1, 9, 4, 2], 0.25), 6.5);
    assert.equal(thresholdAt([1, 9, 4, 2], 0.5), 3);
    for (const rate of [0, 0.01, 1]) assert.throws(() => thresholdAt([1, 9, 4, 2], rate), RangeError);
  });

  it('escalate the share that was asked for', () => {
    const doubts = fc.uniqueArray(fc.integer({ min: 0, max: 1000 }), { minLength: 10, maxLength: 60 });
    fc.assert(
      fc.property(doubts, fc.double({ min: 0.1, max: 0.9, noNaN: true }), (values, rate) => {
        const above = values.filter(each => each > thresholdAt(values, rate)).length;
        assert.equal(above, Math.round(rate * values.length));
      }),
    );
  });
});

describe('intervals of a curve', () => {
  const random = seeded(3);
  const many = Array.from({ length: 80 }, () => {
    const errors = Math.floor(random() * 5);
    return note(errors + random(), [6, errors, 0]);
  });

  it('bracket what they are intervals of, and are the same for the same seed', () => {
    const [none, fifth] = atRates(many, [0, 0.2], seeded(1));
    assert.ok(none && fifth && fifth.f1Kept > none.f1Kept);
    for (const { f1Kept, f1KeptInterval } of [none, fifth]) {
      assert.ok(f1KeptInterval.low < f1Kept && f1Kept < f1KeptInterval.high);
    }
    assert.ok(fifth.shareOfErrorsInterval.low > 0.2, 'more errors than notes');
    assert.deepEqual(atRates(many, [0, 0.2], seeded(1)), [none, fifth]);
  });

  it('tell a doubt that knows from one that guesses, and nothing from itself', () => {
    const guessing = many.map(each => ({ ...each, doubt: random() }));
    assert.ok(areaIntervals(guessing, many, 'f1', seeded(2)).excess.low > 0);
    assert.deepEqual(areaIntervals(many, many, 'f1', seeded(2)).excess, { low: 0, high: 0 });
    assert.throws(() => areaIntervals(many, many.slice(1), 'f1', seeded(2)), RangeError);
  });
});
