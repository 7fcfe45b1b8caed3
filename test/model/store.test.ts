/** If this fails, a worker told to serve from a store serves another model than was promoted, or a rollback goes astray. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { loadModel } from '../../src/model/manifest.ts';
import { type Change, loadServing, parseStore, readStore, stackOf } from '../../src/model/store.ts';
import { MODEL_DIRECTORY } from '../support/model.ts';
import { temporaryFolder } from '../support/temporary.ts';

const folder = temporaryFolder('store');
const change = (name: string): Change => ({
  change: 'promote',
  folder: name,
  model: { name: 'm', version: '1', sha256: 'a'.repeat(64) },
  at: '2026-11-25T12:00:00.000Z',
  from: 'candidate',
  command: 'promote',
  commit: 'abc',
});
const store = (more: object = {}): string =>
  JSON.stringify({ format: 1, serving: 'b', history: [change('a'), change('b')], ...more });

describe('a store of models', () => {
  it('stands for the model that serves in it', () => {
    const directory = join(folder, 'whole');
    mkdirSync(directory);
    assert.equal(readStore(directory), null);
    cpSync(MODEL_DIRECTORY, join(directory, 'b'), { recursive: true });
    writeFileSync(join(directory, 'serving.json'), store());
    assert.equal(loadServing(directory).directory, join(directory, 'b'));
    assert.deepEqual(loadServing(directory).identity, loadModel(MODEL_DIRECTORY).identity);
    assert.deepEqual(loadServing(MODEL_DIRECTORY), loadModel(MODEL_DIRECTORY));
    writeFileSync(join(directory, 'serving.json'), store({ serving: 'a', history: [change('a')] }));
    assert.throws(() => loadServing(directory), { code: 'MODEL_MISSING', message: /whole\/a/ });
  });

  it('is no model at the same time', () => {
    const both = join(folder, 'both');
    cpSync(MODEL_DIRECTORY, both, { recursive: true });
    writeFileSync(join(both, 'serving.json'), store());
    assert.throws(() => loadServing(both), { code: 'STORE_INVALID', message: /both manifest\.json and serving\.json/ });
  });

  it('is refused by the key that is wrong', () => {
    const cases: readonly (readonly [RegExp, string])[] = [
      [/not JSON/, '{'],
      [/format/, store({ format: 2 })],
      [/serving/, store({ serving: '../elsewhere' })],
      [/serving: the last change .* made b serve/, store({ serving: 'a' })],
      [/history/, store({ history: [] })],
      [/history\.0\.folder/, store({ history: [change('/etc')] })],
      [/history\.0\.at/, store({ history: [{ ...change('b'), at: 'yesterday' }] })],
      [/[Uu]nrecognized/, store({ extra: 1 })],
    ];
    for (const [message, text] of cases)
      assert.throws(() => parseStore(text, 'serving.json'), { code: 'STORE_INVALID', message });
  });
});

describe('what served before', () => {
  const history = (changes: string): { change: 'promote' | 'rollback'; folder: string }[] =>
    changes.split(' ').map(each => ({ change: each[0] === '+' ? 'promote' : 'rollback', folder: each.slice(1) }));

  it('is below on the stack, however often was gone back', () => {
    assert.deepEqual(stackOf(history('+a +b +c -b')), ['a', 'b']);
    assert.deepEqual(stackOf(history('+a +b +c -b -a')), ['a']);
    assert.deepEqual(stackOf(history('+a +b +c -a +d')), ['a', 'd']);
    assert.deepEqual(stackOf(history('+a +b +a')), ['a', 'b', 'a']);
    assert.deepEqual(stackOf(history('+a +b +a -b -a')), ['a']);
    assert.deepEqual(stackOf(history('+a +b -a -b')), ['a', 'b'], 'forward again');
  });

  it('ends at the first promotion after as many rollbacks as there were promotions, whatever happened', () => {
    const step = fc.record({
      change: fc.constantFrom<Change['change']>('promote', 'rollback'),
      folder: fc.constantFrom('a', 'b', 'c'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), steps => {
        const changes: Parameters<typeof stackOf>[0][number][] = [{ change: 'promote', folder: 'first' }, ...steps];
        let stack = stackOf(changes);
        assert.equal(stack.at(-1), changes.at(-1)?.folder, 'what was changed to last serves');
        assert.equal(stack[0], 'first');
        while (stack.length > 1) {
          const below = stack.at(-2) as string;
          changes.push({ change: 'rollback', folder: below });
          const next = stackOf(changes);
          assert.ok(next.length < stack.length && next.at(-1) === below);
          stack = next;
        }
      }),
    );
  });
});
