/** If this fails, a replayed dead letter would come back without a header that it had, or with another value in it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeHeaders, encodeHeaders } from '../../../src/streams/embedded/header-bytes.ts';

type Pairs = [string, Buffer][];

const pairs = (headers: object): Pairs => Object.entries(headers).sort(([a], [b]) => (a < b ? -1 : 1)) as Pairs;

function roundTrip(given: Pairs): void {
  const headers = Object.fromEntries(given);
  assert.deepEqual(pairs(decodeHeaders(encodeHeaders(headers))), pairs(headers));
}

describe('header bytes', () => {
  it('keep any header to the byte', () => {
    const name = fc.string({ unit: 'binary', maxLength: 20 }).filter(each => each !== '__proto__');
    const value = fc.uint8Array({ maxLength: 50 }).map(bytes => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(name, value), { selector: ([each]) => each, maxLength: 8 }), roundTrip),
    );
  });

  it('keep names that mean something to JavaScript', () => {
    for (const name of ['', '0', 'constructor', 'toString', 'hasOwnProperty']) roundTrip([[name, Buffer.from('x')]]);
  });

  it('keep a header named __proto__', () => {
    roundTrip([
      ['__proto__', Buffer.from('x')],
      ['other', Buffer.alloc(0)],
    ]);
  });
});
