/** If this fails, labels of several teachers would be put together in a way that nobody measured. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { seeded } from '../../src/evaluation/bootstrap.ts';
import { type Fusion, fuse, fusionsOf, heldOutWeights, type VotedDocument } from '../../src/evaluation/fusion.ts';
import { INSIDE, MISSING, OUTSIDE } from '../../src/text/words.ts';

const ALL: readonly Fusion[] = ['union', 'intersection', 'vote', 'weighted'];
const bits = (size: number, max = 1) =>
  fc.array(fc.nat(max), { minLength: size, maxLength: size }).map(all => Uint8Array.from(all));

/** Documents of some words each, by the same annotators. */
const documents = fc
  .tuple(fc.integer({ min: 2, max: 5 }), fc.array(fc.nat(12), { minLength: 1, maxLength: 5 }))
  .chain(([annotators, sizes]) =>
    fc.tuple(
      ...sizes.map(size =>
        fc.record({
          gold: bits(size, MISSING),
          votes: fc.array(bits(size), { minLength: annotators, maxLength: annotators }),
        }),
      ),
    ),
  );

function fused(voted: readonly VotedDocument[], fusion: Fusion): Uint8Array[] {
  const weights = heldOutWeights(voted);
  return voted.map(({ votes }, i) => fuse(fusion, votes, weights[i] as (typeof weights)[number]));
}

describe('fusion', () => {
  it('lies between the intersection and the union, each annotator and the vote too', () => {
    fc.assert(
      fc.property(documents, voted => {
        const [union, intersection, vote] = ALL.map(fusion => fused(voted, fusion));
        voted.forEach(({ votes }, d) => {
          for (const between of [...votes, vote?.[d] as Uint8Array]) {
            between.forEach((label, i) => {
              assert.ok((intersection?.[d]?.[i] as number) <= label && label <= (union?.[d]?.[i] as number));
            });
          }
        });
      }),
    );
  });

  it('heeds no order of the annotators', () => {
    fc.assert(
      fc.property(documents, fc.integer(), (voted, seed) => {
        const random = seeded(seed);
        const order = (voted[0] as VotedDocument).votes
          .map((_, i) => ({ i, key: random() }))
          .sort((a, b) => a.key - b.key)
          .map(each => each.i);
        const shuffled = voted.map(({ gold, votes }) => ({ gold, votes: order.map(i => votes[i] as Uint8Array) }));
        for (const fusion of ALL) assert.deepEqual(fused(shuffled, fusion), fused(voted, fusion));
      }),
    );
  });

  it('decides by weight as one that is always right, among noise', () => {
    const random = seeded(3);
    const noise = (gold: Uint8Array) => gold.map(() => (random() < 0.5 ? 1 : 0));
    const voted = Array.from({ length: 8 }, () => {
      const gold = Uint8Array.from({ length: 200 }, () => (random() < 0.2 ? INSIDE : OUTSIDE));
      return { gold, votes: [noise(gold), gold, noise(gold), noise(gold)] };
    });
    assert.deepEqual(
      fused(voted, 'weighted'),
      voted.map(each => each.gold),
    );
  });

  it('never weighs a document by its own gold labels', () => {
    fc.assert(
      fc.property(documents, fc.infiniteStream(fc.nat(MISSING)), (voted, labels) => {
        const [first, ...others] = voted as readonly VotedDocument[] as readonly [VotedDocument, ...VotedDocument[]];
        const relabelled = { ...first, gold: first.gold.map(() => labels.next().value as number) };
        assert.deepEqual(heldOutWeights([relabelled, ...others])[0], heldOutWeights(voted)[0]);
      }),
    );
  });

  it('counts no missing word, and smooths by one', () => {
    const voted = [
      { gold: Uint8Array.of(INSIDE), votes: [Uint8Array.of(0)] },
      { gold: Uint8Array.of(INSIDE, OUTSIDE, OUTSIDE, MISSING), votes: [Uint8Array.of(1, 0, 1, 1)] },
    ];
    const { prior, evidence } = heldOutWeights(voted)[0] as ReturnType<typeof heldOutWeights>[number];
    const near = (value: number | undefined, wanted: number) => assert.ok(Math.abs((value as number) - wanted) < 1e-12);
    near(prior, Math.log(2 / 3));
    near(evidence[0]?.[0], Math.log(1 / 3 / (2 / 4)));
    near(evidence[0]?.[1], Math.log(2 / 3 / (2 / 4)));
  });

  it('is offered only where it differs', () => {
    assert.deepEqual(
      [1, 2, 3].map(size => fusionsOf(size).length),
      [1, 3, 4],
    );
  });
});
