/**
 * Drives a processor over a subscription, on any transport: bounded work in flight over all partitions, outputs in input order
 * within each, everything committed exactly once. A processor's failure that may pass is tried again a few times; any other, and a
 * failed commit, ends the run: what was not committed is delivered again to whoever runs next.
 */
import { Admission, type Amounts } from '../core/admission.ts';
import { ClinstreamError } from '../core/errors.ts';
import type { Observer } from '../core/facts.ts';
import type { Processor, Stop } from '../core/processor.ts';
import type { OutgoingRecord, StreamRecord } from '../core/record.ts';
import { Pipeline } from './pipeline.ts';
import { StreamError } from './stream-error.ts';
import type { BatchHandler, Claim, Subscription, Transport } from './transport.ts';

export interface RunOptions {
  readonly transport: Pick<Transport, 'subscribe'>;
  readonly processor: Processor;
  readonly group: string;
  readonly topics: readonly string[];
  /** Topics that the processor writes to. */
  readonly outputs: readonly string[];
  /** Where a group that never committed begins: at the oldest record when absent. */
  readonly begin?: 'beginning' | 'end';
  readonly inFlightRecords: number;
  readonly inFlightBytes: number;
  readonly transactionRecords: number;
  readonly transactionBytes: number;
  readonly transactionMs: number;
  readonly drainMs: number;
  readonly observe: Observer;
  /** Waits between attempts at a record; milliseconds. */
  readonly sleep: (ms: number) => Promise<unknown>;
}

export interface Running {
  readonly subscription: Subscription;
  /** Stop reading, finish and commit what is in hand, leave the group. */
  readonly stop: Stop;
  /** Settles when the run has ended: rejects with what ended it, if that was not `stop`. */
  readonly done: Promise<void>;
}

const ATTEMPTS = 3;
const BACKOFF_MS = 100;

/** @throws StreamError when the group or its topics cannot be had. */
export async function runProcessor(options: RunOptions): Promise<Running> {
  const inFlight = new Admission({ records: options.inFlightRecords, bytes: options.inFlightBytes });
  const pipelines = new Map<Claim, Pipeline>();
  const releasing = new WeakSet<Claim>();
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => {}); // `done` reports it

  const pipelineOf = (claim: Claim): Pipeline => {
    const known = pipelines.get(claim);
    if (known !== undefined) return known;
    const fresh = new Pipeline(claim, {
      ...options,
      onSettled: record => inFlight.leave(sizeOf(record)),
      // a claim that is lost is over, not the run: its records are delivered to whoever has the partition now
      onFailure: error => {
        if (!claim.lost.aborted && !isGivenBack(error)) failure.reject(error);
      },
    });
    pipelines.set(claim, fresh);
    return fresh;
  };

  const stopping = new AbortController();
  const isGivenBack = (error: unknown): boolean => stopping.signal.aborted && error === stopping.signal.reason;
  const handler: BatchHandler = {
    async onBatch(claim, records) {
      for (const record of records) {
        await inFlight.enter(sizeOf(record));
        // what was fetched and not begun is left for the next owner
        if (stopping.signal.aborted || releasing.has(claim) || claim.lost.aborted) {
          inFlight.leave(sizeOf(record));
          return;
        }
        pipelineOf(claim).add(record, attempt(options, record, claim.lost, stopping.signal));
      }
    },
    async onRelease(claim) {
      releasing.add(claim);
      await pipelines.get(claim)?.drained();
      pipelines.delete(claim);
    },
  };

  const subscription = await options.transport.subscribe({
    group: options.group,
    topics: options.topics,
    outputs: options.outputs,
    ...(options.begin === undefined ? {} : { begin: options.begin }),
    handler,
    fetchRecords: options.inFlightRecords,
    fetchBytes: options.inFlightBytes,
    drainMs: options.drainMs,
    observe: options.observe,
  });
  let stopped: Promise<void> | undefined;
  const stop: Stop = () => {
    stopping.abort(new StreamError('STOPPING', 'the run is stopping: the record is given back'));
    stopped ??= subscription.stop();
    return stopped;
  };
  const done = Promise.race([subscription.done, failure.promise]).then(
    () => stop(),
    async error => {
      await stop().catch(() => {}); // the first failure is the one to report
      throw error;
    },
  );
  done.catch(() => {}); // whoever waits for it hears of it
  return { subscription, stop, done };
}

/** Rejections that may pass are tried again, with growing waits. */
async function attempt(
  options: RunOptions,
  record: StreamRecord,
  lost: AbortSignal,
  stopping: AbortSignal,
): Promise<readonly OutgoingRecord[]> {
  for (let tries = 1; ; tries++) {
    try {
      return await options.processor.process(record, lost, stopping);
    } catch (error) {
      const hopeless = !(error instanceof ClinstreamError) || !error.retryable || tries === ATTEMPTS || lost.aborted;
      if (hopeless) throw error;
      await options.sleep(BACKOFF_MS * 4 ** (tries - 1));
    }
  }
}

function sizeOf(record: StreamRecord): Amounts<'records' | 'bytes'> {
  return { records: 1, bytes: (record.value?.length ?? 0) + (record.key?.length ?? 0) };
}
