/** If these fail, a note waits for ever behind those that came after it, or for one that does not even want what it stands for. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MinuteLine, type Place } from '../../src/escalation/minute-line.ts';

function lineOf() {
  let moves = 0;
  const line = new MinuteLine(() => {
    moves++;
  });
  return { place: () => line.place(), moves: () => moves };
}

describe('the line', () => {
  it('is first come, first served, by when each first stood', () => {
    const { place } = lineOf();
    const [one, two, late] = [place(), place(), place()];
    assert.deepEqual([one.first, two.first], [true, true], 'nobody stands');
    two.stand();
    one.stand();
    assert.deepEqual([two.first, one.first, late.first], [true, false, false]);
    two.stand();
    two.leave();
    assert.deepEqual([one.first, late.first], [true, false]);
  });

  it('lets those behind pass one that waits for something else, which keeps its turn', () => {
    const { place, moves } = lineOf();
    const [one, two] = [place(), place()];
    one.stand();
    two.stand();
    one.stepAside();
    assert.deepEqual([two.first, one.first, moves()], [true, true, 1]);
    one.stepAside();
    assert.equal(moves(), 1, 'it had moved already');
    one.stand();
    assert.deepEqual([one.first, two.first], [true, false]);
  });

  it('says so whenever one that stood does not, and never else', () => {
    const { place, moves } = lineOf();
    const one = place();
    one.stepAside();
    one.leave();
    assert.equal(moves(), 0);
    one.stand();
    one.leave();
    assert.equal(moves(), 1);
    one.leave();
    assert.equal(moves(), 1);
  });

  it('always has a first among those that stand, and no other', () => {
    const step = fc.record({ who: fc.nat(4), what: fc.constantFrom('stand', 'stepAside', 'leave') });
    fc.assert(
      fc.property(fc.array(step), steps => {
        const { place } = lineOf();
        const places = Array.from({ length: 5 }, place) as readonly Place[];
        const standing = new Set<number>();
        for (const { who, what } of steps) {
          places[who]?.[what as 'stand']();
          if (what === 'stand') standing.add(who);
          else standing.delete(who);
          assert.equal([...standing].filter(each => places[each]?.first).length, Math.min(1, standing.size));
        }
      }),
    );
  });
});
