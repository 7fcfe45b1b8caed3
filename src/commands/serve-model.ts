/** A verified model, its sessions and the batcher, wired to a tagger by the configuration. */
import { join } from 'node:path';
import type { Config } from '../config.ts';
import type { Observer } from '../core/facts.ts';
import type { Stop } from '../core/processor.ts';
import type { Task } from '../core/span.ts';
import type { Batch } from '../model/batch.ts';
import type { VerifiedModel } from '../model/manifest.ts';
import { loadServing } from '../model/store.ts';
import { TextTokenizer } from '../model/tokenizer.ts';
import { WorkerPool } from '../model/worker-pool.ts';
import { Batcher, type Runner } from '../tagging/batcher.ts';
import { Tagger } from '../tagging/tagger.ts';

export interface Serving {
  readonly model: VerifiedModel;
  readonly tokenizer: TextTokenizer;
  readonly pool: WorkerPool;
  readonly tagger: Tagger;
  readonly tasks: readonly Task[];
  readonly stop: Stop;
}

/**
 * @param tap sees every batch before it runs: for measurements.
 * @throws ModelError when the model, or the store that config.model names, is missing, changed, or fails its own check.
 */
export async function serveModel(config: Config, observe: Observer, tap?: (batch: Batch) => void): Promise<Serving> {
  const model = loadServing(config.model);
  observe({ kind: 'model.loaded', ...model.identity });
  const tokenizer = new TextTokenizer(join(model.directory, model.manifest.tokenizer));
  const { device, workers, threadsPerWorker, batchTokens, batchWindows, batchDelayMs, inFlightTokens } =
    config.inference;
  const pool = await WorkerPool.open({ model, device, workers, threadsPerWorker, observe });
  const batcher = new Batcher({
    runner: tap === undefined ? pool : tapped(pool, tap),
    heads: model.heads.length,
    special: model.manifest.specialTokens,
    limits: {
      // the longest legal window must fit, or it would always run alone
      tokens: Math.max(batchTokens, model.manifest.window.tokens),
      windows: batchWindows ?? (pool.precision === 'int8' ? 1 : Number.POSITIVE_INFINITY),
    },
    batchDelayMs,
    inFlightTokens,
    observe,
  });
  const tagger = new Tagger(model, tokenizer, batcher);
  return { model, tokenizer, pool, tagger, tasks: tagger.tasks, stop: pool.stop };
}

function tapped(pool: WorkerPool, tap: (batch: Batch) => void): Runner {
  return {
    workers: pool.workers,
    capacity: pool.capacity,
    run: batch => {
      tap(batch);
      return pool.run(batch);
    },
  };
}
