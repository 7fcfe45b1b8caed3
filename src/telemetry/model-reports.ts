/** What the model and its workers do. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { type Reports, SECONDS } from './report.ts';

export type ModelFactKind =
  | 'model.loaded'
  | 'device.chosen'
  | 'worker.replaced'
  | 'batch.run'
  | 'batch.retried'
  | 'queue.changed';

export function modelReports(registry: Registry): Reports<ModelFactKind> {
  const registers = [registry];
  const model = new Gauge({
    name: 'clinstream_model_info',
    help: 'The model that serves; always 1.',
    labelNames: ['name', 'version', 'sha256'],
    registers,
  });
  const device = new Gauge({
    name: 'clinstream_device_info',
    help: 'Workers on the device that the model runs on.',
    labelNames: ['device', 'requested'],
    registers,
  });
  const replaced = new Counter({
    name: 'clinstream_worker_replacements_total',
    help: 'Model workers that died or failed and were replaced.',
    labelNames: ['code'],
    registers,
  });
  const batches = new Counter({ name: 'clinstream_batches_total', help: 'Batches that the model ran.', registers });
  const windows = new Counter({
    name: 'clinstream_batch_windows_total',
    help: 'Windows of notes in those batches.',
    registers,
  });
  const tokens = new Counter({
    name: 'clinstream_batch_tokens_total',
    help: 'Tokens of notes in those batches, padding not counted.',
    registers,
  });
  const padding = new Counter({
    name: 'clinstream_batch_padding_tokens_total',
    help: 'Tokens that only fill windows up to the longest of their batch: wasted work.',
    registers,
  });
  const queued = new Histogram({
    name: 'clinstream_batch_queue_seconds',
    help: "Time that a batch's oldest window waited for the model: from its admission to its answer, less the run.",
    buckets: SECONDS,
    registers,
  });
  const run = new Histogram({
    name: 'clinstream_batch_run_seconds',
    help: 'Time that the model took for a batch.',
    buckets: SECONDS,
    registers,
  });
  const retried = new Counter({
    name: 'clinstream_batch_retries_total',
    help: 'Batches tried again after their worker failed.',
    labelNames: ['code'],
    registers,
  });
  const waitingWindows = new Gauge({
    name: 'clinstream_queue_windows',
    help: 'Windows admitted and not yet answered by the model.',
    registers,
  });
  const waitingTokens = new Gauge({
    name: 'clinstream_queue_tokens',
    help: 'Tokens admitted and not yet answered by the model; inference.inFlightTokens bounds them.',
    registers,
  });

  return {
    'model.loaded': {
      level: 'info',
      message: 'model loaded',
      fields: ({ name, version, sha256 }) => ({ name, version, sha256 }),
      measure: ({ name, version, sha256 }) => {
        model.reset();
        model.set({ name, version, sha256 }, 1);
      },
    },
    'device.chosen': {
      level: 'info',
      message: 'device chosen',
      fields: fact => ({
        device: fact.device,
        requested: fact.requested,
        reason: fact.reason,
        workers: fact.workers,
        threadsPerWorker: fact.threadsPerWorker,
      }),
      measure: fact => {
        device.reset();
        device.set({ device: fact.device, requested: fact.requested }, fact.workers);
      },
    },
    'worker.replaced': {
      level: 'warn',
      message: 'worker replaced',
      fields: ({ worker, code }) => ({ worker, code }),
      measure: ({ code }) => replaced.inc({ code }),
    },
    'batch.run': {
      level: 'debug',
      message: 'batch run',
      fields: fact => ({
        windows: fact.windows,
        tokens: fact.tokens,
        paddedTokens: fact.paddedTokens,
        queueMs: fact.queueMs,
        runMs: fact.runMs,
      }),
      measure: fact => {
        batches.inc();
        windows.inc(fact.windows);
        tokens.inc(fact.tokens);
        padding.inc(fact.paddedTokens - fact.tokens);
        queued.observe(fact.queueMs / 1000);
        run.observe(fact.runMs / 1000);
      },
    },
    'batch.retried': {
      level: 'warn',
      message: 'batch retried',
      fields: fact => ({ windows: fact.windows, code: fact.code }),
      measure: ({ code }) => retried.inc({ code }),
    },
    'queue.changed': {
      level: 'debug',
      message: 'queue changed',
      fields: fact => ({ windows: fact.windows, tokens: fact.tokens }),
      measure: fact => {
        waitingWindows.set(fact.windows);
        waitingTokens.set(fact.tokens);
      },
    },
  };
}
