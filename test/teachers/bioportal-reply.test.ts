/** If these fail, places that the text does not confirm become labels, or a service whose offsets have moved goes unnoticed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { asciiMirror } from '../../src/teachers/ascii-mirror.ts';
import { readBioportalReply } from '../../src/teachers/bioportal-reply.ts';

const TEXT = '😀 ß: took aspirin';
const AT = { start: 10, end: 17 };

const place = (from: number, to: number, text: string) => ({ from, to, text, matchType: 'PREF' });
const classOf = (code: string, ...annotations: ReturnType<typeof place>[]) => ({
  annotatedClass: {
    '@id': `http://purl.bioontology.org/ontology/RXNORM/${code}`,
    links: { ontology: 'https://x/ontologies/RXNORM' },
  },
  annotations,
});
const read = (body: unknown) =>
  readBioportalReply({ name: 'b', body: JSON.stringify(body), text: TEXT, mirror: asciiMirror(TEXT) });
const code = (value: string) => ({ system: 'RXNORM', code: value, display: value });

describe('what the annotator answers', () => {
  it('drops only what the text does not confirm', () => {
    const right = place(AT.start + 1, AT.end, 'ASPIRIN');
    const wrong = [place(1, 7, 'ASPIRIN'), place(0, 0, ''), place(9, 5, '')];
    assert.deepEqual(read([classOf('1191', right, ...wrong)]), [{ text: 'aspirin', at: AT, codes: [code('1191')] }]);
  });

  it('is one quote a place, with the codes of all classes', () => {
    const there = place(AT.start + 1, AT.end, 'ASPIRIN');
    assert.deepEqual(read([classOf('1191', there), classOf('7', there, there)]), [
      { text: 'aspirin', at: AT, codes: [code('1191'), code('7')] },
    ]);
  });

  for (const by of [-1, 3, 1_000_000]) {
    it(`is not believed when every offset is off by ${by}`, () => {
      const moved = classOf('1191', place(AT.start + 1 + by, AT.end + by, 'ASPIRIN'));
      assert.throws(() => read([moved]), { code: 'REPLY_WRONG_SCHEMA' });
    });
  }
});
