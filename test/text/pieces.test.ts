/** If these fail, whatever is looked for by words begins or ends inside one, or all offsets behind an emoji shift. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compatible, fold } from '../../src/text/fold.ts';
import { toNormalWords } from '../../src/text/normal-words.ts';
import { isInsideWord, pieceAt, toPieces, WORD } from '../../src/text/pieces.ts';

const crumbs = [
  'a',
  'B',
  'é',
  'e\u0301',
  '\u0301',
  '1',
  ' ',
  '\r\n',
  '-',
  ',',
  '😀',
  '👩‍⚕️',
  '患',
  '\u200b',
  '\u00ad',
  '\ud800',
  'ﬁ',
];
const texts = fc.array(fc.constantFrom(...crumbs), { maxLength: 40 }).map(parts => parts.join(''));

describe('pieces', () => {
  it('give every code point to exactly one piece, in both units', () => {
    fc.assert(
      fc.property(fc.oneof(texts, fc.string({ unit: 'binary' })), text => {
        const pieces = toPieces(text);
        const all = Array.from({ length: pieces.count }, (_, i) => pieceAt(pieces, i));
        assert.equal(all.join(''), text);
        let points = 0;
        all.forEach((piece, i) => {
          assert.equal(pieces.points[i], points);
          points += [...piece].length;
        });
        assert.equal(pieces.points[pieces.count], [...text].length);
      }),
      { numRuns: 1_000 },
    );
  });

  it('agree with isInsideWord about every boundary', () => {
    fc.assert(
      fc.property(texts, text => {
        const { count, units } = toPieces(text);
        const boundaries = new Set(units.subarray(0, count + 1));
        let unit = 0;
        for (const character of text) {
          if (boundaries.has(unit)) {
            const apart = !isInsideWord(text, unit);
            // a mark without a letter is a piece, and still belongs to whatever it is drawn over
            assert.ok(apart || /^\p{M}/u.test(text.slice(unit)), `${unit}`);
          }
          unit += character.length;
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('are words, each Han character by itself, with their marks and what has no width inside them', () => {
    const words = (text: string) => {
      const pieces = toPieces(text);
      return Array.from({ length: pieces.count }, (_, i) => i)
        .filter(i => pieces.kinds[i] === WORD)
        .map(i => pieceAt(pieces, i));
    };
    assert.deepEqual(words('L4-L5 cafe\u0301, hyper\u00adtension患者😀x'), [
      'L4',
      'L5',
      'cafe\u0301',
      'hyper\u00adtension',
      '患',
      '者',
      'x',
    ]);
  });
});

describe('fold', () => {
  it('makes equal what is spelled in another form, and keeps apart what is another word', () => {
    for (const [a, b] of [
      ['STRASSE', 'straße'],
      ['ΟΔΟΣ', 'οδος'],
      ['ﬁbrillation', 'Fibrillation'],
      ['cafe\u0301', 'CAFÉ'],
      ['ｆｅｖｅｒ', 'fever'],
      ['hyper\u00adtension', 'hypertension'],
      ['’', "'"],
    ] as const)
      assert.equal(fold(a), fold(b), a);
    assert.notEqual(fold('cafe'), fold('café'));
    assert.equal(compatible('ＡＬＬ'), 'ALL');
  });

  it('is settled after one pass', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), text => assert.equal(fold(fold(text)), fold(text))));
  });

  it('sees only words between hyphens, dashes and spaces of all kinds', () => {
    const words = (text: string) => toNormalWords(toPieces(text)).words;
    assert.deepEqual(words('X\u2011Ray \u2013\r\n of\u00a0chest.'), ['x', 'ray', 'of', 'chest', '.']);
  });
});
