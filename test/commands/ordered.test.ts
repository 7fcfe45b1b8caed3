/** If this fails, rows of `tag` would come out of order, or a million lines would fill memory. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mapOrdered } from '../../src/commands/ordered.ts';

async function* numbers(n: number, taken: { count: number }): AsyncIterable<number> {
  for (let i = 0; i < n; i++) {
    taken.count++;
    yield i;
  }
}

describe('mapOrdered', () => {
  it('keeps input order whatever finishes first, and never runs more than its limit', async () => {
    const taken = { count: 0 };
    const waiting: (() => void)[] = [];
    let most = 0;
    let running = 0;
    const call = (i: number): Promise<number> => {
      running++;
      most = Math.max(most, running);
      return new Promise(done => {
        waiting.push(() => {
          running--;
          done(i);
        });
        // the latest call finishes first
        if (waiting.length === 4 || i === 9) for (const finish of waiting.splice(0).reverse()) finish();
        else if (i > 3) waiting.pop()?.();
      });
    };
    const seen: number[] = [];
    for await (const i of mapOrdered(numbers(10, taken), 4, call)) seen.push(i);
    assert.deepEqual(seen, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.equal(most, 4);
  });

  it('takes no more input than its limit ahead of the reader', async () => {
    const taken = { count: 0 };
    const results = mapOrdered(numbers(100, taken), 4, i => Promise.resolve(i))[Symbol.asyncIterator]();
    await results.next();
    assert.equal(taken.count, 4);
    await results.return?.(undefined);
  });

  it('gives what is running before it reports that its input failed', async () => {
    async function* failing(): AsyncIterable<number> {
      yield* numbers(5, { count: 0 });
      throw new Error('no more input');
    }
    const seen: number[] = [];
    const run = async (): Promise<void> => {
      for await (const i of mapOrdered(failing(), 64, i => Promise.resolve(i))) seen.push(i);
    };
    await assert.rejects(run, /no more input/);
    assert.deepEqual(seen, [0, 1, 2, 3, 4]);
  });

  it('reports a failure in its turn', async () => {
    const seen: number[] = [];
    const run = async (): Promise<void> => {
      const results = mapOrdered(numbers(5, { count: 0 }), 3, i =>
        i === 2 ? Promise.reject(new Error('third')) : Promise.resolve(i),
      );
      for await (const i of results) seen.push(i);
    };
    await assert.rejects(run, /third/);
    assert.deepEqual(seen, [0, 1]);
  });
});
