/** A thread with one ONNX session. `session.run` blocks the thread it is called on, so it is called on this one. */
import './no-telemetry.ts';
import { parentPort, workerData } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Batch } from './batch.ts';

export interface WorkerOptions {
  readonly graph: string;
  readonly provider: string;
  readonly threads: number;
  /** Name of the graph's output to return. */
  readonly output: string;
}

/** `end` ends the thread; jobs that have not begun stay unanswered. */
export type WorkerRequest = { readonly job: number; readonly batch: Batch } | 'end';
export type WorkerReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'done'; readonly job: number; readonly logits: Float32Array<ArrayBuffer>; readonly runMs: number }
  | { readonly kind: 'failed'; readonly job: number };

/** Token ids and lengths to the two inputs of the graph. */
export function toFeeds({ ids, lengths, columns }: Batch): Record<string, Tensor> {
  const rows = lengths.length;
  const inputIds = new BigInt64Array(rows * columns);
  const mask = new BigInt64Array(rows * columns);
  for (let i = 0; i < inputIds.length; i++) inputIds[i] = BigInt(ids[i] as number);
  for (let row = 0; row < rows; row++) mask.fill(1n, row * columns, row * columns + (lengths[row] as number));
  const shape = [rows, columns];
  return { input_ids: new Tensor('int64', inputIds, shape), attention_mask: new Tensor('int64', mask, shape) };
}

export function openSession(options: WorkerOptions): Promise<InferenceSession> {
  return InferenceSession.create(options.graph, {
    executionProviders: [options.provider],
    intraOpNumThreads: options.threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    enableMemPattern: false, // shapes differ from batch to batch
    logSeverityLevel: 3,
    // a spinning thread would take the core that tokenizing and publishing need
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
}

async function serve(options: WorkerOptions): Promise<void> {
  const port = parentPort;
  if (port === null) return;
  const reply = (message: WorkerReply, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);
  let session: InferenceSession;
  try {
    session = await openSession(options);
  } catch (error) {
    // the message of a loader, before any note was seen
    reply({ kind: 'refused', reason: error instanceof Error ? error.message : String(error) });
    return;
  }
  const run = async ({ job, batch }: Exclude<WorkerRequest, 'end'>): Promise<void> => {
    try {
      const began = performance.now();
      const results = await session.run(toFeeds(batch), [options.output]);
      const data = results[options.output]?.data as Float32Array;
      const logits = new Float32Array(data);
      reply({ kind: 'done', job, logits, runMs: performance.now() - began }, [logits.buffer]);
    } catch {
      reply({ kind: 'failed', job });
    }
  };
  // one after the other: the binding defers each run, so that runs begun together would all seem to last as long as their sum
  let last = Promise.resolve();
  port.on('message', (request: WorkerRequest) => {
    // never heard while a run is under way, since that blocks the thread
    if (request === 'end') process.exit();
    last = last.then(() => run(request));
  });
  reply({ kind: 'ready' });
}

if (workerData !== null && typeof workerData === 'object' && 'graph' in workerData)
  await serve(workerData as WorkerOptions);
