/** `run`: a role until SIGTERM, or until its input is consumed. Drains, commits, and ends with an exit code that says how. */
import { type Config, ConfigError } from '../config.ts';
import type { Doubt } from '../core/doubt.ts';
import type { Fact, Observer } from '../core/facts.ts';
import type { Ground } from '../escalation/merge.ts';
import type { VerifiedModel } from '../model/manifest.ts';
import type { Running } from '../streams/runner.ts';
import type { Transport } from '../streams/transport.ts';
import type { Tagged } from '../tagging/tagger.ts';
import { startTelemetryServer } from '../telemetry/server.ts';
import { createTelemetry } from '../telemetry/telemetry.ts';
import { ESCALATOR_ROLE, startEscalator } from './escalator-role.ts';
import type { Io } from './io.ts';
import { openCodecs, openTransport } from './open-transport.ts';
import { type End, playRole, type Stage, whatEnds } from './play-role.ts';
import { createProgress } from './progress.ts';
import { serveModel } from './serve-model.ts';
import { Interrupted } from './signals.ts';
import { startTagger, TAGGER_ROLE } from './tagger-role.ts';
import { buildTeachers, type TeacherFactory } from './teachers.ts';

export const ROLES = [TAGGER_ROLE, ESCALATOR_ROLE] as const;
export type Role = (typeof ROLES)[number];

export interface RunOptions {
  readonly role: Role;
  readonly untilDrained: boolean;
  readonly quiet: boolean;
}

/** What the fallback is made of besides the escalator itself. */
export interface Fallback {
  readonly createTeacher: TeacherFactory;
  readonly ground: Ground;
  /** What of a note is doubtful by the configuration's rules. @throws RouterError when the model cannot say. */
  readonly doubtsOf: (config: Config, model: VerifiedModel) => (tagged: Tagged) => readonly Doubt[];
}

/** @throws Interrupted, once it has ended well, when a signal came before the input was drained that was to be. */
export async function run(config: Config, options: RunOptions, io: Io, fallback: Fallback): Promise<void> {
  const telemetry = createTelemetry({ log: { level: config.telemetry.level } });
  const end = await playRole(options.role, telemetry, stage => runRole(config, options, { ...stage, io, fallback }));
  if (options.untilDrained && end === 'interrupted') throw new Interrupted();
}

interface Around extends Stage {
  readonly io: Io;
  readonly fallback: Fallback;
}

async function runRole(config: Config, { role, untilDrained, quiet }: RunOptions, around: Around): Promise<End> {
  const { io, telemetry, interrupted, closers } = around;
  telemetry.observe({ kind: 'role.state', role, state: 'starting' });
  if (config.telemetry.port !== null) {
    const server = await startTelemetryServer({ telemetry, host: config.telemetry.host, port: config.telemetry.port });
    closers.push(server.stop);
    io.stderr.write(`health and metrics: ${server.url}\n`);
  }
  const transport = await openTransport(config, { create: false, now: io.now });
  closers.push(transport.close);
  const progress = createProgress({
    label: 'run',
    unit: 'notes',
    quiet: quiet || !untilDrained,
    stream: io.stderr,
    now: io.now,
  });
  const observe = counting(telemetry.observe, done => progress.update(done));
  const start = role === TAGGER_ROLE ? tagger : escalator;
  const running = await start(config, { ...around, transport, observe });
  telemetry.observe({ kind: 'role.state', role, state: 'ready' });
  const ends = [running.done, ...(untilDrained ? [running.subscription.drained()] : [])];
  const end = await whatEnds(interrupted, ends);
  telemetry.observe({ kind: 'role.state', role, state: 'draining' });
  await running.stop();
  await running.done;
  progress.end();
  return end;
}

type Start = (
  config: Config,
  around: Around & { readonly transport: Transport; readonly observe: Observer },
) => Promise<Running>;

const tagger: Start = async (config, { io, telemetry, fallback, closers, transport, observe }) => {
  const escalates = Object.keys(config.escalation.tasks).length > 0;
  const codecs = await openCodecs(config, io.now, { toTag: true, toEscalate: escalates });
  const serving = await serveModel(config, telemetry.observe);
  closers.push(serving.stop);
  const doubts = escalates ? { doubts: fallback.doubtsOf(config, serving.model) } : {};
  return startTagger(config, { transport, codecs, serving, observe, now: io.now, ...doubts });
};

const escalator: Start = async (config, { io, fallback, closers, transport, observe }) => {
  const { createTeacher, ground } = fallback;
  if (Object.keys(config.escalation.tasks).length === 0) {
    throw new ConfigError('CONFIG_INVALID', 'escalation.tasks: the escalator has nobody to ask about anything', {
      details: { key: 'escalation.tasks' },
    });
  }
  const teachers = await buildTeachers(config, { createTeacher, env: io.env, now: io.now });
  const codecs = await openCodecs(config, io.now, { toTag: true, toEscalate: true });
  const running = await startEscalator(config, { transport, codecs, teachers, ground, observe, now: io.now });
  closers.push(running.close);
  return running;
};

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
