/** The bare ONNX session: a thread that runs the batches it is given one after the other, with nothing around them. */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { Batch } from '../../model/batch.ts';
import { openSession, toFeeds, type WorkerOptions } from '../../model/session-worker.ts';

interface BareData {
  readonly options: WorkerOptions;
  readonly batches: readonly Batch[];
}

/**
 * Runs all batches on as many bare sessions as the pipeline has, dealt out in turn. @returns seconds from the first batch to the
 * end of the last, sessions open and warm before.
 */
export async function runBare(options: WorkerOptions, workers: number, batches: readonly Batch[]): Promise<number> {
  const threads = Array.from({ length: workers }, (_, worker) => {
    const share = batches.filter((_, i) => i % workers === worker);
    return new Worker(new URL(import.meta.url), { workerData: { options, batches: share } satisfies BareData });
  });
  const heard = (thread: Worker): Promise<unknown> =>
    new Promise((done, fail) => thread.once('message', done).once('error', fail));
  await Promise.all(threads.map(heard));
  const began = performance.now();
  const finished = threads.map(heard);
  for (const thread of threads) thread.postMessage('go');
  await Promise.all(finished);
  const seconds = (performance.now() - began) / 1000;
  await Promise.all(threads.map(thread => thread.terminate()));
  return seconds;
}

async function serve({ options, batches }: BareData): Promise<void> {
  const session = await openSession(options);
  const warm = batches[0];
  if (warm !== undefined) await session.run(toFeeds(warm), [options.output]);
  parentPort?.once('message', async () => {
    for (const batch of batches) await session.run(toFeeds(batch), [options.output]);
    parentPort?.postMessage('done');
  });
  parentPort?.postMessage('ready');
}

if (!isMainThread && workerData !== null && typeof workerData === 'object' && 'batches' in workerData)
  await serve(workerData as BareData);
