/**
 * `demo --fallback simulated`: doubtful notes go to a teacher through the real client of its provider, which is an emulator on this
 * machine; it answers badly, hangs, comes back, and in the end the money is gone. Both roles run as they would in production, and
 * what is said at the end is read back from the topics.
 */
import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Config, ConfigError, type Overrides } from '../config.ts';
import type { Note } from '../core/note.ts';
import type { Stop } from '../core/processor.ts';
import type { EventCodecs } from '../events/codecs.ts';
import type { Running } from '../streams/runner.ts';
import type { Transport } from '../streams/transport.ts';
import { createTelemetry } from '../telemetry/telemetry.ts';
import { DEMO_NOTES, readDemoNotes } from './demo.ts';
import { type DemoEmulator, startEmulator } from './demo-emulator.ts';
import { printFallback } from './demo-fallback-print.ts';
import { readBackFallback, writeFallbackFiles } from './demo-fallback-report.ts';
import { FALLBACK_DATA, fallbackSettings, KEY_FROM, RATE, REQUEST_MS } from './demo-fallback-settings.ts';
import { Watch } from './demo-watch.ts';
import { type RunningEscalator, startEscalator } from './escalator-role.ts';
import { EXIT } from './exit.ts';
import { type Io, write } from './io.ts';
import { lineText, readBytes, readLines } from './lines.ts';
import { ensureTopics, openCodecs, openTransport } from './open-transport.ts';
import { appendNotes } from './produce.ts';
import type { Fallback } from './run.ts';
import { type Serving, serveModel } from './serve-model.ts';
import { onInterrupt } from './signals.ts';
import { startTagger } from './tagger-role.ts';
import { buildTeachers } from './teachers.ts';

const LABELS = resolve(import.meta.dirname, '../../test/data/demo/labels.jsonl');
const LATENCY_MS = 120;
/** Shares of the notes: while the provider is well, before its breaker opens, while it is open, after it, without money. */
const ACTS = [0.3, 0.15, 0.3, 0.15, 0.1] as const;
const FEWEST = 10;

export interface FallbackDemoOptions {
  readonly quiet: boolean;
  /** Only the first so many notes. */
  readonly notes?: number;
}

/** @param configure the configuration with so much overridden. @returns the exit code. @throws DemoError, ConfigError */
export async function demoFallback(
  configure: (overrides: Overrides) => Config,
  options: FallbackDemoOptions,
  io: Io,
  fallback: Fallback,
): Promise<number> {
  const interrupt = onInterrupt();
  const closers: Stop[] = [];
  try {
    const stage = await setUp({ configure, options, io, fallback, closers, interrupted: interrupt.signal });
    await play(stage);
    return EXIT.ok;
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    io.stderr.write('interrupted: the demo has stopped, and the simulated teacher with it\n');
    return EXIT.interrupted;
  } finally {
    // what was opened last closes first; one that fails keeps none of the others open
    for (const close of closers.reverse()) await close().catch(() => {});
    interrupt.dispose();
  }
}

interface SetUp {
  readonly configure: (overrides: Overrides) => Config;
  readonly options: FallbackDemoOptions;
  readonly io: Io;
  readonly fallback: Fallback;
  readonly closers: Stop[];
  readonly interrupted: AbortSignal;
}

interface Stage {
  readonly watch: Watch;
  readonly emulator: DemoEmulator;
  readonly acts: readonly (readonly Note[])[];
  readonly tagger: Running;
  readonly serving: Serving;
  readonly transport: Transport;
  readonly codecs: EventCodecs;
  readonly config: Config;
  readonly io: Io;
  /** Starts the escalator, on its state as it stands, with so much to spend a day. */
  readonly escalate: (usdPerDay?: number) => Promise<RunningEscalator>;
  /** What `work` comes to, unless something that it needs fails first, or somebody interrupts. */
  readonly unlessFailed: <T>(work: Promise<T>) => Promise<T>;
}

async function setUp({ configure, options, io, fallback, closers, interrupted }: SetUp): Promise<Stage> {
  const { now } = io;
  const watch = new Watch({ quiet: options.quiet, stream: io.stderr, now });
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => {}); // whoever waits hears of it
  interrupted.addEventListener('abort', () => failure.reject(interrupted.reason));
  const unlessFailed = <T>(work: Promise<T>): Promise<T> => Promise.race([work, failure.promise]);
  const started = <T extends Running>(running: T, close: Stop): T => {
    running.done.catch(failure.reject);
    closers.push(close);
    return running;
  };

  const emulator = await startEmulator({ notes: DEMO_NOTES, labels: LABELS, latencyMs: LATENCY_MS, env: io.env });
  closers.push(emulator.stop);
  emulator.ended.catch(failure.reject);
  interrupted.throwIfAborted();
  const acts = split(await labelledNotes(options.notes));
  const settings = fallbackSettings(emulator);
  const config = configure(settings);
  rmSync(resolve(config.data), { recursive: true, force: true });
  watch.say(`an emulated OpenAI listens on ${emulator.host} (simulated); nothing may be sent anywhere else`);
  watch.say(
    `${acts.flat().length} notes: of the 264 demo notes only those with labels, since the emulator answers from these`,
  );

  const serving = await serveModel(config, createTelemetry({ log: { level: 'warn' } }).observe);
  closers.push(serving.stop);
  const transport = await openTransport(config, { create: true, now });
  closers.push(transport.close);
  interrupted.throwIfAborted();
  await ensureTopics(transport, config);
  const codecs = await openCodecs(config, now);
  const { observe } = watch;
  const doubts = fallback.doubtsOf(config, serving.model);
  const tagger = await startTagger(config, { transport, codecs, serving, doubts, observe, now });
  started(tagger, tagger.stop);
  const { name, version } = serving.model.identity;
  watch.say(`model ${name} ${version} tags; each task goes to the teacher at a rate of ${RATE * 100} % of dev notes`);

  const { createTeacher, ground } = fallback;
  const escalate = async (usdPerDay?: number): Promise<RunningEscalator> => {
    const of = configure({
      ...settings,
      'escalation.budget.usdPerDay': usdPerDay ?? settings['escalation.budget.usdPerDay'],
    });
    // this run's key and no other: those of real providers in the environment are not looked at
    const teachers = await buildTeachers(of, { createTeacher, env: { [KEY_FROM]: emulator.apiKey }, now });
    const running = await startEscalator(of, { transport, codecs, teachers, ground, observe, now });
    return started(running, async () => {
      await running.stop().finally(running.close);
    });
  };
  return { watch, emulator, acts, tagger, serving, transport, codecs, config, io, escalate, unlessFailed };
}

async function play(stage: Stage): Promise<void> {
  const { watch, emulator, acts, tagger, escalate, unlessFailed } = stage;
  const [well = [], failing = [], meanwhile = [], after = [], unpaid = []] = acts;
  const { seen } = watch;
  const waiting = (): number => seen.escalated - seen.ended;
  const tagged = (): Promise<void> => unlessFailed(tagger.subscription.drained());

  const escalator = await escalate();
  const settled = (): Promise<void> => unlessFailed(escalator.subscription.drained());
  await emulator.plan({ schedule: ['refusal', 'none', 'none', 'none', 'invented'] });
  watch.say('the provider is well; its first answer is a refusal, its fifth is made up (simulated)');
  await feed(stage, well);
  await tagged();
  await settled();
  watch.say(
    `${seen.tagged} notes tagged, ${seen.escalated} doubtful: ${seen.revised} revised, ${seen.reviewed} to review`,
  );

  await emulator.plan({ rates: { hang: 1 } });
  watch.say(`the provider hangs (simulated); a request is given up after ${REQUEST_MS / 1000} s`);
  await feed(stage, failing);
  await tagged();
  await unlessFailed(watch.until(() => seen.breaker === 'open' || waiting() === 0));
  const began = performance.now();
  await feed(stage, meanwhile);
  await tagged();
  const rate = (meanwhile.length / (performance.now() - began)) * 1000;
  const unread = seen.escalated - seen.taken;
  watch.say(
    `the tagger goes on: ${meanwhile.length} more notes at ${rate.toFixed(0)} notes/s; ${waiting()} escalations wait, ${unread} of them unread`,
  );
  await unlessFailed(watch.until(() => seen.failedProbes > 0 || waiting() === 0));

  await emulator.plan({});
  watch.say('the provider is well again (simulated)');
  await feed(stage, after);
  await tagged();
  await settled();
  watch.say(
    `${seen.tagged} notes tagged, ${seen.escalated} doubtful: ${seen.revised} revised, ${seen.reviewed} to review`,
  );

  await escalator.stop();
  await escalator.close();
  const poor = await escalate(seen.usdToday);
  watch.say(
    `the escalator starts again on its state; the day's limit is now what was spent, $${seen.usdToday.toFixed(4)} (simulated)`,
  );
  await feed(stage, unpaid);
  await tagged();
  await unlessFailed(poor.subscription.drained());
  await report(stage);
}

async function report({ transport, codecs, config, serving, emulator, io, watch }: Stage): Promise<void> {
  const result = await readBackFallback({ transport, codecs }, config, await emulator.asked());
  const files = await writeFallbackFiles(result, { directory: resolve(config.data), tasks: serving.tasks });
  watch.say('everything is read back from the topics');
  await write(io.stdout, printFallback(result, { files, data: FALLBACK_DATA }));
}

async function feed({ transport, codecs, config, io }: Stage, notes: readonly Note[]): Promise<void> {
  const topic = config.topics.notes;
  await appendNotes({ transport, codec: codecs.notes(topic), topic, now: io.now }, notes);
}

/** The emulator knows no mentions of the other demo notes: its answers about them would be wrong. */
async function labelledNotes(most: number | undefined): Promise<Note[]> {
  const labelled = new Set<string>();
  for await (const line of readLines(readBytes(LABELS, process.stdin)))
    labelled.add((JSON.parse(lineText(line, LABELS)) as { noteId: string }).noteId);
  const notes = (await readDemoNotes()).filter(({ noteId }) => labelled.has(noteId));
  if (most === undefined) return notes;
  if (most >= FEWEST && most <= notes.length) return notes.slice(0, most);
  throw new ConfigError('CONFIG_INVALID', `--notes: the demo of the fallback takes ${FEWEST} to ${notes.length} notes`);
}

/** Each act gets its share, and the last what is left. */
function split(notes: readonly Note[]): Note[][] {
  let sum = 0;
  return ACTS.map((share, i) => {
    const from = Math.round(sum * notes.length);
    sum += share;
    return notes.slice(from, i === ACTS.length - 1 ? undefined : Math.round(sum * notes.length));
  });
}
