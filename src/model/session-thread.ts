/** One worker thread seen from the main thread: opened, self-checked, then jobs in and answers out until it is closed or lost. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Batch, BatchResult } from './batch.ts';
import type { Manifest } from './manifest.ts';
import { ModelError } from './model-error.ts';
import type { WorkerOptions, WorkerReply, WorkerRequest } from './session-worker.ts';

interface Pending {
  readonly resolve: (result: BatchResult) => void;
  readonly reject: (error: Error) => void;
}

/** The thread ended, or answered that it could not run the batch. The batch may be tried on another thread. */
export class ThreadLost extends Error {
  readonly code: 'WORKER_EXITED' | 'SESSION_THREW';

  constructor(code: 'WORKER_EXITED' | 'SESSION_THREW') {
    super(code);
    this.code = code;
  }
}

/** Far more than a batch, or the loading of a model, takes. */
const CLOSE_MS = 30_000;

export class SessionThread {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #nextJob = 0;
  #lost: ThreadLost | undefined;
  readonly ready: Promise<void>;
  readonly #exited: Promise<void>;

  constructor(options: WorkerOptions) {
    this.#worker = new Worker(new URL('./session-worker.ts', import.meta.url), { workerData: options });
    this.#exited = new Promise(resolve => this.#worker.once('exit', () => resolve()));
    this.ready = new Promise((resolve, reject) => {
      this.#worker.on('message', (reply: WorkerReply) => {
        if (reply.kind === 'ready') resolve();
        else if (reply.kind === 'refused') reject(new Error(reply.reason));
        else this.#settle(reply);
      });
      this.#worker.on('error', () => this.#lose(reject));
      this.#worker.on('exit', () => this.#lose(reject));
    });
    this.ready.catch(() => {}); // whoever opens it awaits it
  }

  get jobs(): number {
    return this.#pending.size;
  }

  /** The batch is copied, so that it can be tried again. @throws ThreadLost */
  run(batch: Batch): Promise<BatchResult> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    const job = this.#nextJob++;
    return new Promise((resolve, reject) => {
      this.#pending.set(job, { resolve, reject });
      this.#worker.postMessage({ job, batch } satisfies WorkerRequest);
    });
  }

  /** @throws ModelError MODEL_SELF_CHECK_FAILED when the known question gets another answer. */
  async selfCheck({ selfCheck, heads }: Manifest): Promise<void> {
    const ids = Int32Array.from(selfCheck.inputIds);
    const { logits } = await this.run({ ids, lengths: Int32Array.of(ids.length), columns: ids.length });
    const worst = selfCheck.logits.reduce(
      (most, expected, i) => Math.max(most, Math.abs(expected - (logits[i] ?? Number.NaN))),
      0,
    );
    if (logits.length === ids.length * heads.length && worst <= selfCheck.tolerance) return;
    throw new ModelError(
      'MODEL_SELF_CHECK_FAILED',
      `the model answers its own check wrongly on this machine (off by ${worst.toFixed(3)}, allowed ${selfCheck.tolerance}): it must not serve`,
      { details: { worst } },
    );
  }

  /**
   * Ends the thread once the run under way is over. The binding cannot be interrupted: a thread that is terminated in the middle of a
   * run takes the process with it when the run's results are made (an uncaught Napi::Error). Only one that does not end is.
   */
  async close(): Promise<void> {
    this.#worker.postMessage('end' satisfies WorkerRequest);
    const waited = new AbortController();
    const late = sleep(CLOSE_MS, false, { signal: waited.signal }).catch(() => false);
    const ended = await Promise.race([this.#exited.then(() => true), late]);
    waited.abort();
    if (!ended) await this.#worker.terminate();
  }

  #settle(reply: Extract<WorkerReply, { job: number }>): void {
    const pending = this.#pending.get(reply.job);
    this.#pending.delete(reply.job);
    if (reply.kind === 'done') pending?.resolve({ logits: reply.logits, runMs: reply.runMs });
    else pending?.reject(new ThreadLost('SESSION_THREW'));
  }

  #lose(rejectReady: (error: Error) => void): void {
    this.#lost ??= new ThreadLost('WORKER_EXITED');
    rejectReady(this.#lost);
    for (const pending of this.#pending.values()) pending.reject(this.#lost);
    this.#pending.clear();
  }
}
