/** If this fails, the teachers named best are not, or money is spent on one that adds nothing. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nameOf, select } from '../../src/distill/select.ts';
import { renderSelections } from '../../src/distill/select-table.ts';
import { seeded } from '../../src/evaluation/bootstrap.ts';
import type { VotedDocument } from '../../src/evaluation/fusion.ts';

type Annotate = (gold: number, word: number, random: () => number) => boolean;

/** One word in four is Inside. */
function voted(annotators: readonly Annotate[], documents = 20): VotedDocument[] {
  const random = seeded(7);
  return Array.from({ length: documents }, () => {
    const gold = Uint8Array.from({ length: 80 }, (_, i) => (i % 4 === 0 ? 1 : 0));
    return { gold, votes: annotators.map(each => gold.map((label, i) => (each(label, i, random) ? 1 : 0))) };
  });
}

const right: Annotate = gold => gold === 1;
const noise: Annotate = (_gold, _word, random) => random() < 0.3;
/** Finds every mention of its half, and nothing else. */
const half =
  (which: 0 | 8): Annotate =>
  (gold, word) =>
    gold === 1 && word % 16 === which + (word % 8);
const mostly =
  (share: number): Annotate =>
  (gold, _word, random) =>
    (gold === 1) === random() < share;

describe('selecting annotators', () => {
  it('tries every subset in every fusion that differs', () => {
    const annotators = ['a', 'b', 'c', 'd', 'e'].map(name => ({ name, cost: 0 }));
    const { ranked } = select(voted([right, noise, noise, noise, noise]), annotators);
    assert.equal(new Set(ranked.map(each => each.annotators.join())).size, 31);
    assert.equal(new Set(ranked.map(nameOf)).size, 5 + 10 * 3 + 16 * 4);
    assert.equal(ranked.length, 99);
    assert.throws(() => select([], []), RangeError);
    assert.throws(() => select([], [...annotators, ...annotators, ...annotators]), RangeError);
  });

  it('takes the union of two that find different things, beyond chance', () => {
    const documents = voted([half(0), half(8), noise]);
    const { best, chosen, ranked } = select(documents, [
      { name: 'left', cost: 1 },
      { name: 'right', cost: 1 },
      { name: 'noise', cost: 0 },
    ]);
    assert.equal(nameOf(best), 'left + right, union');
    assert.equal(best.f1, 1);
    assert.equal(chosen.candidate, best, 'either alone finds half');
    assert.ok(ranked.every(each => each.cost <= 2));
  });

  it('pays for none that adds nothing', () => {
    const priced = [
      { name: 'useless', cost: 100 },
      { name: 'good', cost: 1 },
    ];
    const { chosen, shown } = select(voted([noise, mostly(0.95)]), priced);
    assert.deepEqual(chosen.candidate.annotators, ['good']);
    assert.ok(shown.some(each => nameOf(each.candidate) === 'useless, alone'));
  });

  it('takes the cheaper of two that no chance tells apart, though the other is best', () => {
    /** Cheap misses a word that dear finds, in so many of the documents. */
    const missing = (inDocuments: number, ...costs: readonly number[]) =>
      select(
        voted([right, right]).map(({ gold, votes: [dear, cheap] }, i) => {
          if (i < inDocuments) (cheap as Uint8Array)[0] = 0;
          return { gold, votes: [dear as Uint8Array, cheap as Uint8Array] };
        }),
        ['dear', 'cheap'].map((name, i) => ({ name, cost: costs[i] as number })),
      );
    const { best, chosen } = missing(1, 9, 1);
    assert.equal(nameOf(best), 'dear, alone');
    assert.equal(nameOf(chosen.candidate), 'cheap, alone');
    assert.ok(!chosen.beyondChance && chosen.difference.low === 0 && chosen.difference.high > 0);
    assert.equal(nameOf(missing(20, 9, 1).chosen.candidate), 'dear, alone', 'what every document shows is no chance');
    assert.equal(nameOf(missing(1, 0, 0).chosen.candidate), 'dear, alone', 'none costs less');
  });

  it('ranks exact ties by cost, then size, then name', () => {
    const { ranked } = select(voted([right, right, right]), [
      { name: 'c', cost: 1 },
      { name: 'b', cost: 0 },
      { name: 'a', cost: 0 },
    ]);
    assert.deepEqual(ranked.slice(0, 3).map(nameOf), ['a, alone', 'b, alone', 'b + a, intersection']);
    assert.equal(nameOf(ranked[5] as (typeof ranked)[number]), 'c, alone');
  });

  it('gives the same figures again, and says which candidate it took and why', () => {
    const once = () =>
      select(voted([mostly(0.9), mostly(0.85), noise]), [
        { name: 'a', cost: 5 },
        { name: 'b', cost: 1 },
        { name: 'c', cost: 0 },
      ]);
    assert.deepEqual(once(), once());
    const page = renderSelections(new Map([['symptom', { ...once(), silent: [] }]]), {
      file: 'gold/x.jsonl',
      split: 'dev',
      documents: 19,
      of: 20,
    });
    assert.match(page, /gold\/x\.jsonl, dev: the 19 of 20 documents/);
    assert.match(page, /^Best: .*Runner-up: .*beyond chance\.$/m);
    assert.match(page, /^Chosen: .*\.$/m);
    const only = select(voted([right]), [{ name: 'a', cost: 0 }]);
    assert.equal(only.runnerUp, undefined);
    assert.deepEqual(only.chosen, { candidate: only.best, difference: { low: 0, high: 0 }, beyondChance: false });
  });
});
