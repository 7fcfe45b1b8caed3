/**
 * The loop that drives the batch policy: windows of all notes in flight wait together, and whenever a session can take work the
 * best batch of them runs. A batch that is not full runs only on an idle session, and only when its oldest window is due.
 */
import { Admission } from '../core/admission.ts';
import { type Observer, unobserved } from '../core/facts.ts';
import { type Batch, type BatchResult, packBatch } from '../model/batch.ts';
import { type BatchLimits, nextBatch } from './batch-policy.ts';

/** What the batcher needs of a pool of sessions. */
export interface Runner {
  readonly workers: number;
  /** Batches that may be under way at once; at least `workers`. */
  readonly capacity: number;
  run(batch: Batch): Promise<BatchResult>;
}

export interface BatcherOptions {
  readonly runner: Runner;
  /** Channels of a logit row. */
  readonly heads: number;
  readonly special: { readonly cls: number; readonly sep: number; readonly pad: number };
  readonly limits: BatchLimits;
  /** How long a window may wait on an idle session for company, in milliseconds; 0 never waits. */
  readonly batchDelayMs: number;
  /** Tokens submitted and not yet answered: bounds memory, and is what holds the consumers back. */
  readonly inFlightTokens: number;
  readonly observe?: Observer;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

/** Where the answer of a window stands: token 0 of the window is row `firstRow` of `logits` [rows × heads]. */
export interface WindowLogits {
  readonly logits: Float32Array;
  readonly firstRow: number;
}

interface Waiting {
  readonly ids: Int32Array;
  readonly length: number;
  readonly since: number;
  readonly resolve: (answer: WindowLogits) => void;
  readonly reject: (error: Error) => void;
}

const SPECIAL_TOKENS = 2;

export class Batcher {
  readonly #options: BatcherOptions;
  readonly #admission: Admission<'tokens' | 'windows'>;
  readonly #observe: Observer;
  readonly #now: () => number;
  #waiting: Waiting[] = [];
  #waitingTokens = 0;
  #running = 0;
  #deadline: NodeJS.Timeout | undefined;

  constructor(options: BatcherOptions) {
    this.#options = options;
    this.#admission = new Admission({ tokens: options.inFlightTokens, windows: Number.POSITIVE_INFINITY });
    this.#observe = options.observe ?? unobserved;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Tokens submitted and not yet answered. */
  get tokensInFlight(): number {
    return this.#admission.underWay.tokens;
  }

  /**
   * How many windows of so many tokens keep every session in full batches, the next at hand. A note that submits more gains nothing, and
   * notes that come later wait behind it.
   */
  windowsAtOnce(tokens: number): number {
    const { runner, limits } = this.#options;
    return runner.capacity * Math.min(limits.windows, Math.ceil(limits.tokens / tokens));
  }

  /** Logits of one window. @param ids without special tokens. @throws ModelError from the pool, for the windows of one batch only. */
  async score(ids: Int32Array): Promise<WindowLogits> {
    const length = ids.length + SPECIAL_TOKENS;
    const amounts = { tokens: length, windows: 1 };
    await this.#admission.enter(amounts);
    try {
      this.#report();
      return await new Promise<WindowLogits>((resolve, reject) => {
        this.#waiting.push({ ids, length, since: this.#now(), resolve, reject });
        this.#waitingTokens += length;
        this.#pump();
      });
    } finally {
      this.#admission.leave(amounts);
      this.#report();
    }
  }

  #report(): void {
    this.#observe({ kind: 'queue.changed', ...this.#admission.underWay });
  }

  #pump(): void {
    const { runner, limits } = this.#options;
    while (this.#waiting.length > 0) {
      const full = this.#waitingTokens >= limits.tokens || this.#waiting.length >= limits.windows;
      if (this.#running >= (full ? runner.capacity : runner.workers)) break;
      if (!full && !this.#due()) break;
      this.#start(this.#take(nextBatch(this.#waiting, limits)));
    }
  }

  /** Whether the oldest window has waited long enough; if not, the loop comes back when it has. */
  #due(): boolean {
    const left = (this.#waiting[0]?.since ?? 0) + this.#options.batchDelayMs - this.#now();
    if (left <= 0) return true;
    this.#deadline ??= setTimeout(() => {
      this.#deadline = undefined;
      this.#pump();
    }, Math.ceil(left));
    return false;
  }

  #take(positions: readonly number[]): Waiting[] {
    const chosen = new Set(positions);
    const batch = positions.map(i => this.#waiting[i] as Waiting);
    this.#waiting = this.#waiting.filter((_, i) => !chosen.has(i));
    for (const { length } of batch) this.#waitingTokens -= length;
    return batch;
  }

  #start(windows: readonly Waiting[]): void {
    const { runner, special } = this.#options;
    const batch = packBatch(
      windows.map(each => each.ids),
      special,
    );
    const oldest = Math.min(...windows.map(each => each.since));
    this.#running++;
    runner
      .run(batch)
      .then(
        ({ logits, runMs }) => {
          this.#observe({
            kind: 'batch.run',
            windows: windows.length,
            tokens: windows.reduce((sum, each) => sum + each.length, 0),
            paddedTokens: windows.length * batch.columns,
            // a batch may also wait for its session, behind another
            queueMs: Math.max(0, this.#now() - oldest - runMs),
            runMs,
          });
          // row 0 of each window is its [CLS]
          windows.forEach((each, row) => {
            each.resolve({ logits, firstRow: row * batch.columns + 1 });
          });
        },
        (error: Error) => {
          for (const each of windows) each.reject(error);
        },
      )
      .finally(() => {
        this.#running--;
        this.#pump();
      });
  }
}
