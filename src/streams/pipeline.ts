/**
 * One claim at work: records are processed at once and committed in order. The finished prefix leaves in transactions bounded
 * by records, bytes and time, while later records are still being processed. Nothing behind a failed record is ever committed.
 */
import { ClinstreamError } from '../core/errors.ts';
import type { Observer } from '../core/facts.ts';
import type { OutgoingRecord, StreamRecord } from '../core/record.ts';
import type { Claim } from './transport.ts';

export interface PipelineOptions {
  readonly transactionRecords: number;
  readonly transactionBytes: number;
  /** While more is being processed, the least time between two transactions, but for full ones: so long at most does a finished record wait. */
  readonly transactionMs: number;
  readonly observe: Observer;
  /** Called once for each record when it is committed or dropped. */
  readonly onSettled: (record: StreamRecord) => void;
  readonly onFailure: (error: unknown) => void;
}

interface Entry {
  readonly record: StreamRecord;
  /** Undefined while it is being processed. */
  outputs: readonly OutgoingRecord[] | undefined;
  failed: boolean;
}

export class Pipeline {
  readonly #claim: Claim;
  readonly #options: PipelineOptions;
  readonly #entries: Entry[] = [];
  readonly #idle: (() => void)[] = [];
  #committing = false;
  #broken = false;
  #timer: NodeJS.Timeout | undefined;
  /** When the last transaction began; `performance.now()`. */
  #began = Number.NEGATIVE_INFINITY;

  constructor(claim: Claim, options: PipelineOptions) {
    this.#claim = claim;
    this.#options = options;
  }

  /** Takes a record whose processing has begun. Records come in offset order. */
  add(record: StreamRecord, processing: Promise<readonly OutgoingRecord[]>): void {
    const entry: Entry = { record, outputs: undefined, failed: false };
    this.#entries.push(entry);
    processing.then(
      outputs => {
        entry.outputs = outputs;
        this.#pump();
      },
      error => {
        entry.failed = true;
        this.#options.onFailure(error);
        this.#pump();
      },
    );
  }

  /** Resolves when nothing is left that could still be committed. */
  async drained(): Promise<void> {
    if (this.#entries.length === 0) return;
    await new Promise<void>(resolve => this.#idle.push(resolve));
  }

  #pump(timeIsUp = false): void {
    if (this.#committing) return;
    if (this.#broken || this.#entries[0]?.failed === true) {
      this.#drop();
      return;
    }
    const { transactionRecords, transactionBytes, transactionMs } = this.#options;
    let count = 0;
    let bytes = 0;
    for (const { outputs } of this.#entries) {
      if (outputs === undefined || count === transactionRecords || (count > 0 && bytes >= transactionBytes)) break;
      for (const output of outputs) bytes += output.value?.length ?? 0;
      count++;
    }
    if (count === 0) return;
    const full = count === transactionRecords || bytes >= transactionBytes;
    const next = this.#entries[count];
    const wait = this.#began + transactionMs - performance.now();
    if (full || timeIsUp || wait <= 0 || next === undefined || next.failed) void this.#commit(count);
    else this.#timer ??= setTimeout(() => this.#pump(true), wait);
  }

  async #commit(count: number): Promise<void> {
    this.#committing = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const entries = this.#entries.slice(0, count);
    const outputs = entries.flatMap(entry => entry.outputs ?? []);
    const { group, topic, partition } = this.#claim;
    this.#began = performance.now();
    try {
      await this.#claim.commit(outputs, (entries.at(-1) as Entry).record.offset + 1n);
      const ms = performance.now() - this.#began;
      this.#options.observe({
        kind: 'transaction.committed',
        group,
        topic,
        partition,
        records: count,
        outputs: outputs.length,
        ms,
      });
      this.#entries.splice(0, count);
      for (const { record } of entries) this.#options.onSettled(record);
    } catch (error) {
      const { code, retryable } = error instanceof ClinstreamError ? error : { code: 'UNKNOWN', retryable: false };
      this.#options.observe({ kind: 'transaction.failed', group, topic, partition, code, retryable });
      this.#broken = true;
      this.#options.onFailure(error);
    }
    this.#committing = false;
    if (this.#entries.length === 0) this.#wake();
    else this.#pump();
  }

  /** Records behind a failure stay uncommitted: they will be delivered again. */
  #drop(): void {
    this.#broken = true;
    clearTimeout(this.#timer);
    for (const { record } of this.#entries.splice(0)) this.#options.onSettled(record);
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#idle.splice(0)) wake();
  }
}
