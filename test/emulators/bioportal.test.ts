/** If this fails, the emulated annotator takes what the real one refuses, or keys and notes in an address, and the teacher's tests mean nothing. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KEY, tidied } from '../teachers/support.ts';
import { bioportalEmulator } from './bioportal.ts';

const good = { text: 'took aspirin', ontologies: 'RXNORM', longest_only: 'true', include: 'prefLabel' };

const WRONG: readonly (readonly [
  what: string,
  status: number,
  { path?: string; form?: Record<string, string>; key?: string; json?: boolean },
])[] = [
  ['a request as it should be', 200, {}],
  ['another resource', 404, { path: '/search' }],
  ['a key in the address', 400, { path: `/annotator?apikey=${KEY}` }],
  ['a key in the form', 400, { form: { ...good, apikey: KEY } }],
  ['another key', 401, { key: 'other' }],
  ['JSON', 400, { json: true }],
  ['white space', 400, { form: { ...good, text: ' ' } }],
  ['an ontology that is not there', 404, { form: { ...good, ontologies: 'RXNORM,NOSUCH' } }],
  ['shorter names too', 400, { form: { ...good, longest_only: 'false' } }],
];

describe('the emulated annotator', () => {
  for (const [what, status, { path = '/annotator', form = good, key = KEY, json = false }] of WRONG) {
    it(`${what}: ${status}`, async () => {
      const emulator = await tidied(bioportalEmulator({ apiKey: KEY }));
      const response = await fetch(emulator.url + path, {
        method: 'POST',
        headers: {
          authorization: `apikey token=${key}`,
          'content-type': json ? 'application/json' : 'application/x-www-form-urlencoded',
        },
        body: json ? JSON.stringify(form) : new URLSearchParams(form).toString(),
      });
      await response.arrayBuffer();
      assert.equal(response.status, status);
      assert.equal(emulator.asked.all.length, status === 200 ? 1 : 0);
      await emulator.stop();
    });
  }
});
