/** If this fails, the int8 file no longer answers as the model that was trained and measured, on this processor. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Batch } from '../../src/model/batch.ts';
import { loadModel } from '../../src/model/manifest.ts';
import { WorkerPool } from '../../src/model/worker-pool.ts';
import { directoryOf, ROOT, SHIPPED, type Shipped } from '../support/model.ts';

interface Window {
  readonly inputIds: readonly number[];
  /** Of the trained model in float32, row-major [tokens × heads]. */
  readonly logits: readonly number[];
}

const windowsOf = (name: Shipped): Window[] =>
  JSON.parse(readFileSync(join(ROOT, `test/data/parity/${name}.json`), 'utf8')) as Window[];

describe('int8 parity', () => {
  for (const name of SHIPPED)
    it(`of ${name} agrees with the trained model on dev notes`, async () => {
      const model = loadModel(directoryOf(name));
      const heads = model.heads.length;
      const pool = await WorkerPool.open({ model, device: 'cpu', workers: 1, threadsPerWorker: 1 });
      let decisions = 0;
      let agreed = 0;
      let difference = 0;
      for (const { inputIds, logits } of windowsOf(name)) {
        const batch: Batch = {
          ids: Int32Array.from(inputIds),
          lengths: Int32Array.of(inputIds.length),
          columns: inputIds.length,
        };
        const answer = (await pool.run(batch)).logits;
        assert.equal(answer.length, logits.length);
        for (let i = heads; i < logits.length - heads; i++) {
          const [int8, trained] = [answer[i] as number, logits[i] as number];
          decisions++;
          if (int8 >= 0 === trained >= 0) agreed++;
          difference += Math.abs(int8 - trained);
        }
      }
      await pool.stop();
      assert.ok(decisions > 3000, `${decisions}`);
      assert.ok(agreed / decisions > 0.99, `${agreed} of ${decisions} decisions agree`);
      assert.ok(difference / decisions < 0.3, `logits differ by ${difference / decisions} on average`);
    });
});
