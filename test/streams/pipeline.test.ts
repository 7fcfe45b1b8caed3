/** If this fails, records would be committed out of order, past a failure, or never. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { unobserved } from '../../src/core/facts.ts';
import type { OutgoingRecord, StreamRecord } from '../../src/core/record.ts';
import { Pipeline, type PipelineOptions } from '../../src/streams/pipeline.ts';
import type { Claim } from '../../src/streams/transport.ts';

const record = (offset: number): StreamRecord => ({
  topic: 'in',
  partition: 0,
  offset: BigInt(offset),
  timestamp: 0,
  key: null,
  value: Buffer.from([offset]),
  headers: {},
});

const outputOf = (offset: number): OutgoingRecord => ({
  topic: 'out',
  key: null,
  value: Buffer.from([offset]),
  headers: {},
});

/** A claim that remembers its commits. */
function remembering(): { claim: Claim; commits: { outputs: number[]; next: number }[] } {
  const commits: { outputs: number[]; next: number }[] = [];
  const claim: Claim = {
    group: 'g',
    topic: 'in',
    partition: 0,
    lost: new AbortController().signal,
    commit: async (outputs, next) => {
      await Promise.resolve();
      commits.push({ outputs: outputs.map(each => each.value?.[0] as number), next: Number(next) });
    },
  };
  return { claim, commits };
}

const QUIET: PipelineOptions = {
  transactionRecords: 1,
  transactionBytes: 1,
  transactionMs: 0,
  observe: unobserved,
  onSettled: () => {},
  onFailure: () => {},
};

const settle = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

describe('pipeline', () => {
  it('commits in offset order, whole and bounded, whatever finishes first; and nothing behind a failure', async () => {
    const cases = fc.integer({ min: 1, max: 30 }).chain(count =>
      fc.record({
        order: fc.shuffledSubarray([...Array(count).keys()], { minLength: count, maxLength: count }),
        failing: fc.option(fc.nat(count - 1), { nil: undefined }),
        transactionRecords: fc.integer({ min: 1, max: 8 }),
        transactionMs: fc.constantFrom(0, 1, 60_000),
      }),
    );
    await fc.assert(
      fc.asyncProperty(cases, async ({ order, failing, transactionRecords, transactionMs }) => {
        const { claim, commits } = remembering();
        const failures: unknown[] = [];
        const settled: number[] = [];
        const pipeline = new Pipeline(claim, {
          ...QUIET,
          transactionRecords,
          transactionMs,
          transactionBytes: 1000,
          onSettled: each => settled.push(Number(each.offset)),
          onFailure: error => failures.push(error),
        });
        const finish = new Map<number, () => void>();
        for (let offset = 0; offset < order.length; offset++) {
          const processing = new Promise<readonly OutgoingRecord[]>((done, fail) =>
            finish.set(offset, () => (offset === failing ? fail(new Error('broken')) : done([outputOf(offset)]))),
          );
          pipeline.add(record(offset), processing);
        }
        for (const offset of order) {
          finish.get(offset)?.();
          await settle();
        }
        await pipeline.drained();
        const committed = commits.flatMap(each => each.outputs);
        const expected = failing ?? order.length;
        assert.deepEqual(committed, [...Array(expected).keys()]);
        let next = 0;
        for (const commit of commits) {
          assert.ok(commit.outputs.length <= transactionRecords);
          next += commit.outputs.length;
          assert.equal(commit.next, next);
        }
        assert.equal(failures.length, failing === undefined ? 0 : 1);
        assert.deepEqual(
          [...settled].sort((a, b) => a - b),
          [...Array(order.length).keys()],
          'every record leaves',
        );
      }),
      { numRuns: 60 },
    );
  });

  it('stops committing when a commit fails', async () => {
    const { claim } = remembering();
    let commits = 0;
    const refused: Claim = {
      ...claim,
      commit: async () => {
        commits++;
        throw new Error('fenced');
      },
    };
    const failures: Error[] = [];
    const pipeline = new Pipeline(refused, { ...QUIET, onFailure: error => failures.push(error as Error) });
    for (let offset = 0; offset < 5; offset++) pipeline.add(record(offset), Promise.resolve([outputOf(offset)]));
    await pipeline.drained();
    assert.deepEqual([commits, failures.map(each => each.message)], [1, ['fenced']]);
  });

  it('closes a transaction at its bytes, and lets one larger output through alone', async () => {
    const { claim, commits } = remembering();
    const pipeline = new Pipeline(claim, {
      ...QUIET,
      transactionRecords: 100,
      transactionBytes: 10,
      transactionMs: 60_000,
    });
    const sized = (bytes: number): OutgoingRecord[] => [{ ...outputOf(0), value: Buffer.alloc(bytes) }];
    [1, 4, 4, 4, 50, 1].forEach((bytes, offset) => void pipeline.add(record(offset), Promise.resolve(sized(bytes))));
    await pipeline.drained();
    assert.deepEqual(
      commits.map(each => each.next),
      [1, 4, 5, 6],
      'the first, which need not wait; three; the large one; the last, which has nothing to wait for',
    );
  });

  it('commits what is finished at once, and what comes soon after it after its time, though later records go on', async () => {
    const { claim, commits } = remembering();
    let settled = Promise.withResolvers<void>();
    const pipeline = new Pipeline(claim, {
      ...QUIET,
      transactionRecords: 10,
      transactionBytes: 1000,
      transactionMs: 500,
      onSettled: () => settled.resolve(),
    });
    const slow = Promise.withResolvers<readonly OutgoingRecord[]>();
    pipeline.add(record(0), Promise.resolve([outputOf(0)]));
    pipeline.add(record(1), slow.promise);
    await settled.promise;
    assert.deepEqual(commits, [{ outputs: [0], next: 1 }]);
    const slower = Promise.withResolvers<readonly OutgoingRecord[]>();
    pipeline.add(record(2), slower.promise);
    settled = Promise.withResolvers<void>();
    slow.resolve([outputOf(1)]);
    await new Promise(resolve => setImmediate(resolve));
    assert.equal(commits.length, 1, 'it waits for others, since one has just been committed');
    await settled.promise;
    assert.deepEqual(commits[1], { outputs: [1], next: 2 });
    slower.resolve([outputOf(2)]);
    await pipeline.drained();
    assert.deepEqual(commits[2], { outputs: [2], next: 3 });
  });
});
