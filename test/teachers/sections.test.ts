/** If this fails, part of a long note is never asked about, or a mention at a seam is lost to both sides. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { sectionsOf } from '../../src/teachers/sections.ts';
import { CodePointIndex } from '../../src/text/code-points.ts';

const texts = fc
  .array(
    fc.oneof(
      fc.constantFrom(' ', '\n', '\r\n', 'word', 'e\u0301', '💊', '\ud83d'),
      fc.string({ unit: 'binary', maxLength: 9 }),
    ),
    {
      maxLength: 120,
    },
  )
  .map(parts => parts.join(''));
const sizes = fc
  .record({ size: fc.integer({ min: 1, max: 80 }), overlap: fc.nat(40) })
  .filter(({ size, overlap }) => overlap < size);

describe('sections', () => {
  it('cover the note, overlap enough, and stay within their size', () => {
    fc.assert(
      fc.property(texts, sizes, (text, { size, overlap }) => {
        const { length } = new CodePointIndex(text);
        const sections = sectionsOf(text, { size, overlap });
        let covered = 0;
        sections.forEach(({ start, end }, i) => {
          assert.ok(end > start && end - start <= size);
          if (i === 0) assert.equal(start, 0);
          else assert.ok(covered - start >= overlap && start > (sections[i - 1]?.start ?? 0));
          assert.ok(end > covered);
          covered = end;
        });
        assert.equal(covered, length);
      }),
    );
  });

  it('leave every stretch no longer than the overlap whole in one of them', () => {
    fc.assert(
      fc.property(texts, sizes, fc.nat(), fc.nat(), (text, { size, overlap }, at, span) => {
        const { length } = new CodePointIndex(text);
        if (length === 0 || overlap === 0) return;
        const width = Math.min(length, (span % overlap) + 1);
        const start = at % (length - width + 1);
        assert.ok(sectionsOf(text, { size, overlap }).some(one => one.start <= start && one.end >= start + width));
      }),
    );
  });

  it('are one when the note is short, and none when it is empty', () => {
    assert.deepEqual(sectionsOf('a 💊 b', { size: 5, overlap: 2 }), [{ start: 0, end: 5 }]);
    assert.deepEqual(sectionsOf('', { size: 5, overlap: 2 }), []);
  });

  it('begin and end at lines, or else at words, where there are any', () => {
    const text = `${'alpha beta gamma\n'.repeat(40)}`;
    for (const { start, end } of sectionsOf(text, { size: 200, overlap: 40 })) {
      assert.ok(start === 0 || text[start - 1] === '\n');
      assert.equal(text[end - 1], '\n');
    }
    const words = 'alpha beta gamma '.repeat(40);
    for (const { start } of sectionsOf(words, { size: 200, overlap: 40 }))
      assert.ok(start === 0 || words[start - 1] === ' ');
  });

  it('refuse a size that would never end', () => {
    for (const size of [0, 4, 4.5, Number.NaN]) assert.throws(() => sectionsOf('x', { size, overlap: 4 }), RangeError);
  });
});
