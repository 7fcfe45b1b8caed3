/** If this fails, whichever version comes later would look slower, or faster, on a machine that warms up. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SIDES, turnOrder } from '../../src/benchmark/turn-order.ts';

const FIELD = fc.uniqueArray(fc.nat(), { minLength: 1, maxLength: 7 });

describe('turn order', () => {
  it('is AB BA BA AB AB BA', () => {
    assert.deepEqual(
      turnOrder(SIDES, 6).map(pair => pair.join('')),
      ['AB', 'BA', 'BA', 'AB', 'AB', 'BA'],
    );
  });

  it('gives each version every round, and neither the first place more than once more than the other', () => {
    fc.assert(
      fc.property(fc.nat(100), rounds => {
        const order = turnOrder(SIDES, rounds);
        assert.equal(order.length, rounds);
        let lead = 0;
        for (const pair of order) {
          assert.deepEqual([...pair].sort(), ['A', 'B']);
          lead += pair[0] === 'A' ? 1 : -1;
          assert.ok(Math.abs(lead) <= 1);
        }
      }),
    );
  });

  it('cancels a steady drift over every two rounds, and one that bends over every four', () => {
    const mean = (rounds: number, side: string, power: number): number => {
      const turns = turnOrder(SIDES, rounds).flat();
      const places = turns.flatMap((each, place) => (each === side ? [place ** power] : []));
      return places.reduce((sum, each) => sum + each, 0) / places.length;
    };
    assert.equal(mean(2, 'A', 1), mean(2, 'B', 1));
    assert.equal(mean(4, 'A', 2), mean(4, 'B', 2));
  });

  it('gives all of a field the same place on average over every two rounds', () => {
    fc.assert(
      fc.property(FIELD, fc.nat(20), (all, pair) => {
        const [forth = [], back = []] = turnOrder(all, 2 * pair + 2).slice(-2);
        for (const each of all) assert.equal(forth.indexOf(each) + back.indexOf(each), all.length - 1);
      }),
    );
  });

  it('gives each of a field every place twice in the end', () => {
    fc.assert(
      fc.property(FIELD, all => {
        const rounds = turnOrder(all, 2 * all.length);
        const twice = all.flatMap((_, place) => [place, place]);
        for (const each of all) {
          const places = rounds.map(order => order.indexOf(each)).sort((a, b) => a - b);
          assert.deepEqual(places, twice);
        }
      }),
    );
  });
});
