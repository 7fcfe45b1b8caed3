/** `run`: a role until SIGTERM, or until its input is consumed. Drains, commits, and ends with an exit code that says how. */
import type { Config } from '../config.ts';
import type { Fact, Observer } from '../core/facts.ts';
import { startTelemetryServer } from '../telemetry/server.ts';
import { createTelemetry, type Telemetry } from '../telemetry/telemetry.ts';
import type { Io } from './io.ts';
import { openCodecs, openTransport } from './open-transport.ts';
import { createProgress } from './progress.ts';
import { serveModel } from './serve-model.ts';
import { aborted, onInterrupt } from './signals.ts';
import { startTagger, TAGGER_ROLE } from './tagger-role.ts';

export async function run(config: Config, options: { untilDrained: boolean; quiet: boolean }, io: Io): Promise<void> {
  const telemetry = createTelemetry({ log: { level: config.telemetry.level } });
  const interrupt = onInterrupt();
  const closers: (() => Promise<void>)[] = [];
  try {
    await runRole(config, options, io, telemetry, interrupt.signal, closers);
    telemetry.observe({ kind: 'role.state', role: TAGGER_ROLE, state: 'stopped' });
  } catch (error) {
    const { code } = error as { code?: unknown };
    telemetry.observe({
      kind: 'role.state',
      role: TAGGER_ROLE,
      state: 'failed',
      ...(typeof code === 'string' ? { code } : {}),
    });
    throw error;
  } finally {
    // what was opened last closes first; one that fails keeps none of the others open
    for (const close of closers.reverse()) await close().catch(() => {});
    interrupt.dispose();
  }
}

async function runRole(
  config: Config,
  options: { untilDrained: boolean; quiet: boolean },
  io: Io,
  telemetry: Telemetry,
  interrupted: AbortSignal,
  closers: (() => Promise<void>)[],
): Promise<void> {
  telemetry.observe({ kind: 'role.state', role: TAGGER_ROLE, state: 'starting' });
  if (config.telemetry.port !== null) {
    const server = await startTelemetryServer({ telemetry, host: config.telemetry.host, port: config.telemetry.port });
    closers.push(server.stop);
    io.stderr.write(`health and metrics: ${server.url}\n`);
  }
  const transport = await openTransport(config, { create: false, now: io.now });
  closers.push(transport.close);
  const codecs = await openCodecs(config, io.now, { toTag: true });
  const serving = await serveModel(config, telemetry.observe);
  closers.push(serving.stop);
  const progress = createProgress({
    label: 'run',
    unit: 'notes',
    quiet: options.quiet || !options.untilDrained,
    stream: io.stderr,
    now: io.now,
  });
  const observe = counting(telemetry.observe, done => progress.update(done));
  const running = await startTagger(config, { transport, codecs, serving, observe, now: io.now });
  telemetry.observe({ kind: 'role.state', role: TAGGER_ROLE, state: 'ready' });
  const ends = [aborted(interrupted), running.done, ...(options.untilDrained ? [running.subscription.drained()] : [])];
  await Promise.race(ends);
  telemetry.observe({ kind: 'role.state', role: TAGGER_ROLE, state: 'draining' });
  await running.stop();
  await running.done;
  progress.end();
}

/** Tells how many records are committed so far. */
function counting(observe: Observer, tell: (done: number) => void): Observer {
  let done = 0;
  return (fact: Fact) => {
    observe(fact);
    if (fact.kind !== 'transaction.committed') return;
    done += fact.records;
    tell(done);
  };
}
