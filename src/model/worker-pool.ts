/**
 * Sessions in threads behind one `run`. Every thread answers the model's own check before it serves. A thread that dies or
 * throws is replaced and its batch tried once more on another; a batch that fails twice fails alone.
 */
import { join } from 'node:path';
import { type Observer, unobserved } from '../core/facts.ts';
import type { Stop } from '../core/processor.ts';
import type { Batch, BatchResult } from './batch.ts';
import { type Candidate, candidates, type Device, type Precision, type RequestedDevice } from './device.ts';
import type { VerifiedModel } from './manifest.ts';
import { ModelError } from './model-error.ts';
import { SessionThread, ThreadLost } from './session-thread.ts';
import type { WorkerOptions } from './session-worker.ts';

export interface PoolOptions {
  readonly model: VerifiedModel;
  readonly device: RequestedDevice;
  readonly workers: number;
  readonly threadsPerWorker: number;
  /** `logits` (the served heads) unless an evaluation asks for `corpus_logits`. */
  readonly output?: 'logits' | 'corpus_logits';
  readonly observe?: Observer;
}

/** Attempts of a batch, the first included. */
const ATTEMPTS = 2;
/** A thread runs one batch and has the next at hand. */
const JOBS_PER_THREAD = 2;
/** After so many replacements without one answer the pool gives up: the fault is not a passing one. */
const REPLACEMENTS = 4;

export class WorkerPool {
  readonly device: Device;
  readonly precision: Precision;
  readonly workers: number;
  /** Batches that may be under way at once without waiting behind another. */
  readonly capacity: number;
  readonly #model: VerifiedModel;
  readonly #options: WorkerOptions;
  readonly #observe: Observer;
  readonly #threads: (SessionThread | undefined)[];
  readonly #waiting: (() => void)[] = [];
  #fruitless = 0;
  #stopped: Promise<void> | undefined;
  #broken: ModelError | undefined;

  private constructor(chosen: Candidate, options: WorkerOptions, pool: PoolOptions, threads: SessionThread[]) {
    this.device = chosen.device;
    this.precision = chosen.precision;
    this.workers = threads.length;
    this.capacity = threads.length * JOBS_PER_THREAD;
    this.#options = options;
    this.#model = pool.model;
    this.#observe = pool.observe ?? unobserved;
    this.#threads = threads;
  }

  /** @throws ModelError DEVICE_UNAVAILABLE or MODEL_SELF_CHECK_FAILED; an explicit device never falls back to another. */
  static async open(pool: PoolOptions): Promise<WorkerPool> {
    const refused: string[] = [];
    for (const candidate of candidates(pool.device, pool.model.manifest)) {
      const { device, graph, reason } = candidate;
      if (graph === undefined) {
        refused.push(`${device}: ${reason}`);
        continue;
      }
      const options: WorkerOptions = {
        graph: join(pool.model.directory, graph),
        provider: device,
        threads: pool.threadsPerWorker,
        output: pool.output ?? 'logits',
      };
      const count = device === 'cpu' ? pool.workers : 1;
      const threads = Array.from({ length: count }, () => new SessionThread(options));
      try {
        await Promise.all(threads.map(thread => prepare(thread, pool.model, options)));
      } catch (error) {
        await Promise.all(threads.map(thread => thread.close()));
        if (error instanceof ModelError && pool.device !== 'auto') throw error;
        refused.push(`${device}: ${error instanceof Error ? error.message : 'failed'}`);
        continue;
      }
      pool.observe?.({
        kind: 'device.chosen',
        device,
        requested: pool.device,
        reason: [reason, ...refused.map(each => `not ${each}`)].join('; '),
        workers: count,
        threadsPerWorker: pool.threadsPerWorker,
      });
      return new WorkerPool(candidate, options, pool, threads);
    }
    const failedCheck = refused.some(each => each.includes('its own check'));
    throw new ModelError(
      failedCheck ? 'MODEL_SELF_CHECK_FAILED' : 'DEVICE_UNAVAILABLE',
      `no device can run the model ${pool.model.identity.name} (${refused.join('; ')})`,
    );
  }

  /** @throws ModelError BATCH_FAILED after two attempts, WORKERS_LOST when threads cannot be kept alive, POOL_STOPPED. */
  async run(batch: Batch): Promise<BatchResult> {
    for (let attempt = 1; ; attempt++) {
      // choosing and giving must be one step: between them another caller would choose the same thread
      let at = this.#pick();
      while (at < 0) {
        await new Promise<void>(resolve => this.#waiting.push(resolve));
        at = this.#pick();
      }
      const thread = this.#threads[at] as SessionThread;
      try {
        const result = await thread.run(batch);
        this.#fruitless = 0;
        return result;
      } catch (error) {
        if (!(error instanceof ThreadLost)) throw error;
        this.#replace(at, thread, error.code);
        if (attempt === ATTEMPTS) {
          throw new ModelError('BATCH_FAILED', `a batch of ${batch.lengths.length} windows failed ${ATTEMPTS} times`, {
            details: { cause: error.code },
          });
        }
        this.#observe({ kind: 'batch.retried', windows: batch.lengths.length, code: error.code });
      } finally {
        this.#waiting.shift()?.();
      }
    }
  }

  readonly stop: Stop = () => {
    this.#stopped ??= (async () => {
      await Promise.all(this.#threads.map(thread => thread?.close()));
      this.#wakeAll();
    })();
    return this.#stopped;
  };

  /** Ends a thread as a crash would: for fault injection. */
  async kill(worker: number): Promise<void> {
    await this.#threads[worker]?.close();
  }

  /** Batches in each thread, the waiting one included. */
  get jobs(): readonly number[] {
    return this.#threads.map(thread => thread?.jobs ?? 0);
  }

  /** The thread with the fewest batches that can take one more, or -1. */
  #pick(): number {
    if (this.#stopped !== undefined) {
      throw new ModelError('POOL_STOPPED', 'the model was stopped before it answered', { retryable: true });
    }
    if (this.#broken !== undefined) throw this.#broken;
    let best = -1;
    let fewest = JOBS_PER_THREAD;
    this.#threads.forEach((thread, i) => {
      if (thread === undefined || thread.jobs >= fewest) return;
      best = i;
      fewest = thread.jobs;
    });
    return best;
  }

  /** Once per thread, whoever notices first. */
  #replace(at: number, lost: SessionThread, code: string): void {
    if (this.#threads[at] !== lost || this.#stopped !== undefined) return;
    this.#threads[at] = undefined;
    void lost.close();
    this.#observe({ kind: 'worker.replaced', worker: at, code });
    if (++this.#fruitless > REPLACEMENTS * this.workers) {
      this.#break();
      return;
    }
    const fresh = new SessionThread(this.#options);
    prepare(fresh, this.#model, this.#options).then(
      () => {
        if (this.#stopped !== undefined) return void fresh.close();
        this.#threads[at] = fresh;
        this.#wakeAll();
      },
      () => {
        void fresh.close();
        this.#break();
      },
    );
  }

  #break(): void {
    this.#broken = new ModelError(
      'WORKERS_LOST',
      'model threads die as soon as they are replaced: restart, and check memory and the model',
    );
    this.#wakeAll();
  }

  #wakeAll(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

/** The self-check reads the served heads; a session for another output is only opened. */
async function prepare(thread: SessionThread, model: VerifiedModel, options: WorkerOptions): Promise<void> {
  await thread.ready;
  if (options.output === 'logits') await thread.selfCheck(model.manifest);
}
