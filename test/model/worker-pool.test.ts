/** If this fails, a crash of one thread would lose notes, or a model that answers wrongly would serve. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Fact } from '../../src/core/facts.ts';
import { packBatch } from '../../src/model/batch.ts';
import { loadModel, type VerifiedModel } from '../../src/model/manifest.ts';
import { WorkerPool } from '../../src/model/worker-pool.ts';
import { MODEL_DIRECTORY } from '../support/model.ts';

const SPECIAL = { cls: 101, sep: 102, pad: 0 };
const row = (...ids: number[]): Int32Array => Int32Array.from(ids);
const BATCH = packBatch([row(2023, 2003, 1037), row(14324)], SPECIAL);

describe('worker pool', () => {
  const model = loadModel(MODEL_DIRECTORY);
  const facts: Fact[] = [];
  let pool: WorkerPool;
  const kinds = (kind: Fact['kind']): Fact[] => facts.filter(fact => fact.kind === kind);
  before(async () => {
    pool = await WorkerPool.open({
      model,
      device: 'auto',
      workers: 2,
      threadsPerWorker: 1,
      observe: fact => facts.push(fact),
    });
  });
  after(() => pool.stop());

  it('says which device it chose and why', () => {
    assert.equal(pool.device, 'cpu');
    const [chosen] = kinds('device.chosen') as Extract<Fact, { kind: 'device.chosen' }>[];
    assert.match(chosen?.reason ?? '', /int8 graph; not cuda: .*; not webgpu: /);
  });

  it('answers every row, and padding changes an answer by no more than int8 may', async () => {
    const { logits } = await pool.run(BATCH);
    assert.equal(logits.length, 2 * BATCH.columns * 3);
    const alone = (await pool.run(packBatch([row(14324)], SPECIAL))).logits;
    for (let i = 0; i < 9; i++) {
      const padded = logits[BATCH.columns * 3 + i] as number;
      assert.ok(Math.abs(padded - (alone[i] as number)) < 1, `${padded} ${alone[i]}`);
    }
  });

  it('deals batches that come at once to all threads, two to each, and lets the others wait', async () => {
    const answers = Array.from({ length: 7 }, () => pool.run(BATCH));
    assert.deepEqual(pool.jobs, [2, 2]);
    await Promise.all(answers);
    assert.deepEqual(pool.jobs, [0, 0]);
  });

  it('replaces a killed thread and answers its batches all the same', async () => {
    facts.length = 0;
    const long = packBatch(
      Array.from({ length: 8 }, () => new Int32Array(254).fill(2023)),
      SPECIAL,
    );
    const answers = Promise.all(Array.from({ length: 4 }, () => pool.run(long)));
    await pool.kill(0);
    assert.equal((await answers).length, 4);
    assert.equal(kinds('worker.replaced').length, 1);
    assert.ok(kinds('batch.retried').length >= 1);
    for (let i = 0; i < 6; i++) assert.ok((await pool.run(BATCH)).logits.length > 0);
  });

  it('tries a batch that no session can run twice, fails it alone, and serves on', async () => {
    facts.length = 0;
    // a token id beyond the vocabulary makes the graph throw
    await assert.rejects(pool.run(packBatch([row(9_999_999)], SPECIAL)), { code: 'BATCH_FAILED' });
    assert.deepEqual([kinds('batch.retried').length, kinds('worker.replaced').length], [1, 2]);
    assert.ok((await pool.run(BATCH)).logits.length > 0);
  });

  it('refuses a model that answers its own check wrongly', async () => {
    const logits = model.manifest.selfCheck.logits.map((value, i) => (i === 4 ? value + 5 : value));
    const wrong: VerifiedModel = {
      ...model,
      manifest: { ...model.manifest, selfCheck: { ...model.manifest.selfCheck, logits } },
    };
    for (const device of ['cpu', 'auto'] as const) {
      await assert.rejects(WorkerPool.open({ model: wrong, device, workers: 1, threadsPerWorker: 1 }), {
        code: 'MODEL_SELF_CHECK_FAILED',
      });
    }
  });

  it('refuses a device that was asked for and is not there, rather than take another', async () => {
    for (const device of ['cuda', 'webgpu'] as const) {
      await assert.rejects(WorkerPool.open({ model, device, workers: 1, threadsPerWorker: 1 }), {
        code: 'DEVICE_UNAVAILABLE',
      });
    }
  });

  it('gives the corpus heads to an evaluation', async () => {
    const evaluation = await WorkerPool.open({
      model,
      device: 'cpu',
      workers: 1,
      threadsPerWorker: 1,
      output: 'corpus_logits',
    });
    try {
      const { logits } = await evaluation.run(BATCH);
      assert.equal(logits.length, 2 * BATCH.columns * model.manifest.corpusHeads.length);
    } finally {
      await evaluation.stop();
    }
  });

  it('refuses work once stopped, and stops twice without harm', async () => {
    const stopped = await WorkerPool.open({ model, device: 'cpu', workers: 1, threadsPerWorker: 1 });
    await Promise.all([stopped.stop(), stopped.stop()]);
    await assert.rejects(stopped.run(BATCH), { code: 'POOL_STOPPED' });
  });
});
