/** If these fail, mentions are put together from what a note says in two places, or a text without end holds up a worker. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { countBreaks, hasBreak, stretchesOf } from '../../src/text/breaks.ts';
import { toNormalWords } from '../../src/text/normal-words.ts';
import { toPieces } from '../../src/text/pieces.ts';

const BREAKS = ['\n\n', '\r\n\r\n', '\r\r', '\n \t\n', '\n\u200b\n', '\n-', '\n \u2013', ' \u2014 ', ' -- '];
const JOINS = [' ', '\n', '\r\n', '\r', '\r\n  ', '-', ' - ', '-\r\n', '\u2014', '\u00ad', ' \u2011 '];

describe('breaks', () => {
  it('are blank lines, lines that begin with a dash, and dashes with space around', () => {
    for (const each of BREAKS) assert.ok(hasBreak(`a${each}b`), JSON.stringify(each));
    for (const each of JOINS) assert.ok(!hasBreak(`a${each}b`), JSON.stringify(each));
  });

  it('part a text into stretches that hold all its words, at their places', () => {
    const gap = fc.constantFrom(...BREAKS, ...JOINS);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('alpha', '\u{1f600}', 'b'), gap), { maxLength: 20 }), parts => {
        const pieces = toPieces(parts.flat().join(''));
        const normal = toNormalWords(pieces);
        const stretches = stretchesOf(pieces, normal);
        assert.deepEqual(
          stretches.flatMap(({ words }) => words),
          normal.words,
        );
        assert.deepEqual(
          stretches.flatMap(each => [...each.pieces]),
          [...normal.pieces],
        );
        const broken = parts.slice(0, -1).filter(([, each]) => BREAKS.includes(each)).length;
        assert.equal(countBreaks(pieces, normal).at(-1) ?? 0, broken);
        assert.equal(stretches.length, parts.length === 0 ? 0 : broken + 1);
      }),
    );
  });

  it('are found in linear time', { timeout: 10_000 }, () => {
    for (const each of [' ', '\n', '-', ' -', '\u2014', '\u200b', '\r', ' \u2014'])
      hasBreak(`a${each.repeat(1_000_000)}b`);
  });
});
