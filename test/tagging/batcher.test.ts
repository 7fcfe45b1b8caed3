/** If this fails, memory would grow with the backlog, a note would get another note's answer, or a failure would spread. */
import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import fc from 'fast-check';
import type { Fact } from '../../src/core/facts.ts';
import type { Batch, BatchResult } from '../../src/model/batch.ts';
import { Batcher, type Runner } from '../../src/tagging/batcher.ts';

const SPECIAL = { cls: 101, sep: 102, pad: 0 };

/** A session that answers when it is told to, with each token's id as its logit. */
class ManualRunner implements Runner {
  readonly workers = 2;
  readonly capacity = 4;
  readonly waiting: { batch: Batch; done: (result: BatchResult) => void; fail: (error: Error) => void }[] = [];

  run(batch: Batch): Promise<BatchResult> {
    return new Promise((done, fail) => this.waiting.push({ batch, done, fail }));
  }

  answer(): void {
    const next = this.waiting.shift();
    next?.done({ logits: Float32Array.from(next.batch.ids), runMs: 1 });
  }
}

const settle = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

function batcherOn(runner: Runner, inFlightTokens: number, batchTokens = 64): Batcher {
  return new Batcher({
    runner,
    heads: 1,
    special: SPECIAL,
    limits: { tokens: batchTokens, windows: 1_000 },
    batchDelayMs: 0,
    inFlightTokens,
  });
}

describe('batcher', () => {
  it('gives every window its own answer and never holds more tokens than its limit', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 40 }), async lengths => {
        const runner = new ManualRunner();
        const batcher = batcherOn(runner, 128);
        let answered = 0;
        const all = lengths.map(async (length, i) => {
          const ids = new Int32Array(length).fill(1000 + i);
          const { logits, firstRow } = await batcher.score(ids);
          assert.deepEqual([...logits.subarray(firstRow, firstRow + length)], [...ids]);
          answered++;
        });
        while (answered < lengths.length) {
          assert.ok(batcher.tokensInFlight <= 128, `${batcher.tokensInFlight}`);
          assert.ok(runner.waiting.length <= runner.capacity);
          runner.answer();
          await settle();
        }
        await Promise.all(all);
        assert.equal(batcher.tokensInFlight, 0);
      }),
    );
  });

  it('runs a lone window at once, and holds a part-filled batch back only while every session is busy', async () => {
    const runner = new ManualRunner();
    const batcher = batcherOn(runner, 10_000);
    const answers = [batcher.score(new Int32Array(8)), batcher.score(new Int32Array(8))];
    await settle();
    assert.equal(runner.waiting.length, 2, 'both sessions have work');
    answers.push(batcher.score(new Int32Array(8)), batcher.score(new Int32Array(8)));
    await settle();
    assert.equal(runner.waiting.length, 2, 'the rest gathers');
    runner.answer();
    await settle();
    assert.deepEqual(
      runner.waiting.map(each => each.batch.lengths.length),
      [1, 2],
      'and leaves together',
    );
    runner.answer();
    runner.answer();
    await Promise.all(answers);
  });

  it('lets a window wait on an idle session for company until its deadline, unless the batch is full before', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    let now = 0;
    const pass = async (ms: number): Promise<void> => {
      now += ms;
      mock.timers.tick(ms);
      await settle();
    };
    try {
      const runner = new ManualRunner();
      const options = {
        runner,
        heads: 1,
        special: SPECIAL,
        limits: { tokens: 60, windows: 7 },
        inFlightTokens: 10_000,
      };
      const batcher = new Batcher({ ...options, batchDelayMs: 5, now: () => now });
      const answers = [batcher.score(new Int32Array(8))];
      await settle();
      await pass(3);
      answers.push(batcher.score(new Int32Array(8)));
      await pass(1);
      assert.equal(runner.waiting.length, 0, 'both wait although sessions are idle');
      await pass(1);
      assert.deepEqual(
        runner.waiting.map(each => each.batch.lengths.length),
        [2],
        'the deadline is that of the oldest',
      );
      answers.push(...Array.from({ length: 6 }, () => batcher.score(new Int32Array(8))));
      await settle();
      assert.equal(runner.waiting.length, 2, 'a full batch waits for nothing');
      runner.answer();
      runner.answer();
      await Promise.all(answers);
    } finally {
      mock.timers.reset();
    }
  });

  it('reports what is admitted and not yet answered, and how long the oldest window of a batch waited', async () => {
    const runner = new ManualRunner();
    const facts: Fact[] = [];
    let now = 0;
    const batcher = new Batcher({
      ...{
        runner,
        heads: 1,
        special: SPECIAL,
        limits: { tokens: 20, windows: 2 },
        batchDelayMs: 0,
        inFlightTokens: 40,
      },
      observe: fact => void facts.push(fact),
      now: () => now,
    });
    const queue = () => facts.findLast(fact => fact.kind === 'queue.changed');
    const answers = [batcher.score(new Int32Array(8))];
    await settle();
    assert.deepEqual([runner.waiting.length, queue()], [1, { kind: 'queue.changed', windows: 1, tokens: 10 }]);
    answers.push(...Array.from({ length: 4 }, () => batcher.score(new Int32Array(8))));
    await settle();
    assert.deepEqual(queue(), { kind: 'queue.changed', windows: 4, tokens: 40 }, 'the fifth is not admitted');
    now = 50;
    while (runner.waiting.length > 0) {
      runner.answer();
      await settle();
    }
    await Promise.all(answers);
    assert.deepEqual(queue(), { kind: 'queue.changed', windows: 0, tokens: 0 });
    const waited = facts.flatMap(fact => (fact.kind === 'batch.run' ? [fact.queueMs] : []));
    assert.deepEqual(waited.slice(0, 2), [49, 49], 'what is neither the run nor before admission');
    assert.equal(waited.at(-1), 0, 'admitted when another was answered, and run at once');
  });

  it('fails the windows of a failed batch and no others', async () => {
    const runner = new ManualRunner();
    const batcher = batcherOn(runner, 10_000);
    const first = batcher.score(new Int32Array(8));
    const second = batcher.score(new Int32Array(8));
    await settle();
    runner.waiting.shift()?.fail(new Error('batch failed'));
    runner.answer();
    await assert.rejects(first, /batch failed/);
    await second;
    assert.equal(batcher.tokensInFlight, 0);
  });
});
