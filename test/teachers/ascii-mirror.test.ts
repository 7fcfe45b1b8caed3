/** If these fail, offsets of an annotation service shift behind the first accent, or words break where they did not. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { asciiMirror } from '../../src/teachers/ascii-mirror.ts';
import { textSections } from '../../src/teachers/text-sections.ts';

describe('ASCII mirror', () => {
  it('has one ASCII character for each code point, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        const mirror = asciiMirror(text);
        assert.equal(mirror.length, [...text].length);
        assert.match(mirror, /^[ -~]*$/);
        assert.equal(mirror.toUpperCase().length, mirror.length);
        assert.equal(Buffer.byteLength(mirror), mirror.length);
      }),
      { numRuns: 1_000 },
    );
  });

  it('keeps what is ASCII, and letters as letters', () => {
    assert.equal(asciiMirror('Ménière’s “x”\r\n— 😀 ß患β'), `Meniere's "x"  -   xxx`);
  });
});

describe('text sections', () => {
  it('cover the text, overlap, and do not cut words that have white space near', () => {
    const text = fc
      .array(fc.constantFrom('fever ', '😀', 'a', '\r\n'), { maxLength: 300 })
      .map(parts => parts.join(''));
    fc.assert(
      fc.property(text, fc.integer({ min: 0, max: 20 }), fc.integer({ min: 1, max: 50 }), (given, overlap, more) => {
        const length = [...given].length;
        const size = 2 * overlap + more;
        const sections = textSections(given, { size, overlap });
        if (length === 0) return assert.deepEqual(sections, []);
        assert.equal(sections[0]?.start, 0);
        assert.equal(sections.at(-1)?.end, length);
        sections.forEach(({ start, end }, i) => {
          assert.ok(end > start && end - start <= size);
          const next = sections[i + 1];
          if (next !== undefined) assert.ok(next.start > start && end - next.start >= Math.floor(overlap / 2));
        });
      }),
      { numRuns: 500 },
    );
  });
});
