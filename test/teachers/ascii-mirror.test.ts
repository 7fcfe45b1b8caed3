/** If these fail, offsets of an annotation service shift behind the first accent, or words break where they did not. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { asciiMirror } from '../../src/teachers/ascii-mirror.ts';

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
