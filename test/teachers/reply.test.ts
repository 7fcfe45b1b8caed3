/** If this fails, a usable answer is thrown away after it was paid for, or an unusable one is taken for "nothing found". */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseReply } from '../../src/teachers/reply.ts';

const quotes = (...texts: string[]) => ({ kind: 'quotes', quotes: texts.map(text => ({ text })) });

describe('reading a reply', () => {
  it('takes quotes exactly as they are, and leaves blank ones out', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), texts => {
        const reply = JSON.stringify({ mentions: texts.map(quote => ({ quote })) });
        assert.deepEqual(parseReply(reply), quotes(...texts.filter(text => text.trim() !== '')));
      }),
    );
  });

  it('takes JSON out of a Markdown fence, and drops what was not asked for', () => {
    const json = '{"mentions": [{"quote": "gout", "start": 3}], "comment": "done"}';
    assert.deepEqual(parseReply(`\`\`\`json\n${json}\n\`\`\`\n`), quotes('gout'));
    assert.deepEqual(parseReply(json), quotes('gout'));
  });

  it('tells what is not JSON from what has another shape', () => {
    for (const text of ['', 'none', '{"mentions": [', 'Sure: {"mentions": []}'])
      assert.equal(parseReply(text).kind, 'not-json');
    for (const json of [
      '[]',
      'null',
      '{}',
      '{"mentions": null}',
      '{"mentions": ["gout"]}',
      '{"mentions": [{"quote": 3}]}',
    ]) {
      assert.equal(parseReply(json).kind, 'wrong-schema');
    }
    assert.deepEqual(parseReply('{"mentions": []}'), quotes());
  });
});
