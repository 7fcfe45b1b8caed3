/**
 * `distill shadow`: a candidate model reads live traffic beside the serving one, in a group of its own, and publishes nothing; what comes
 * of it is a report of where the two differ.
 */
import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Config, ConfigError } from '../config.ts';
import type { Observer } from '../core/facts.ts';
import type { TopicPartition } from '../core/record.ts';
import { DistillError } from '../distill/distill-error.ts';
import { ShadowLedger } from '../distill/shadow/ledger.ts';
import { figuresOf, renderShadow } from '../distill/shadow/report.ts';
import { loadModel, type VerifiedModel } from '../model/manifest.ts';
import { loadRouting } from '../model/routing.ts';
import { loadServing } from '../model/store.ts';
import { announcingCommits } from '../streams/before-commit.ts';
import { type Running, runProcessor } from '../streams/runner.ts';
import type { Transport } from '../streams/transport.ts';
import { Router, type TaskRule } from '../tagging/router.ts';
import { startTelemetryServer } from '../telemetry/server.ts';
import { createTelemetry } from '../telemetry/telemetry.ts';
import { type Io, write } from './io.ts';
import { openCodecs, openTransport } from './open-transport.ts';
import { type End, playRole, type Stage, whatEnds } from './play-role.ts';
import { currentCommit, thisMachine } from './provenance.ts';
import { type Serving, serveModel } from './serve-model.ts';
import { ShadowProcessor } from './shadow-processor.ts';
import { readShadowReport, type ShadowOrigin, ShadowReportFile, type ShadowSubject } from './shadow-report.ts';
import { Interrupted } from './signals.ts';

export interface ShadowFlags {
  /** Folder of the model that may be promoted. */
  readonly candidate: string;
  readonly report?: string;
  /** Seconds. */
  readonly for?: number;
  /** Notes read, over all starts. */
  readonly maxNotes?: number;
  /** Notes between two tables on standard error. */
  readonly every: number;
  /** Notes listed as the most different. */
  readonly listed: number;
  readonly fromBeginning?: boolean;
  readonly untilDrained?: boolean;
  readonly quiet?: boolean;
}

export const SHADOW_ROLE = 'shadow';
/** Share of notes that would escalate for each task where the configuration names no rules. */
const RATE = 0.1;
/** The report is written and the group moves at least so often while notes keep coming, in milliseconds. */
const COMMIT_MS = 1_000;

/** @throws ModelError when the candidate or the serving model fails its verification; DistillError about the report; StreamError. */
export async function distillShadow(config: Config, flags: ShadowFlags, io: Io): Promise<void> {
  const telemetry = createTelemetry({ log: { level: config.telemetry.level } });
  const end = await playRole(SHADOW_ROLE, telemetry, stage => shadow(config, flags, { ...stage, io }));
  const bounded = flags.untilDrained === true || flags.for !== undefined || flags.maxNotes !== undefined;
  if (bounded && end === 'interrupted') throw new Interrupted();
}

interface Around extends Stage {
  readonly io: Io;
}

async function shadow(config: Config, flags: ShadowFlags, around: Around): Promise<End> {
  const { io, telemetry, interrupted, closers } = around;
  const { observe } = telemetry;
  const tell = (line: string): void => void (flags.quiet === true || io.stderr.write(`${line}\n`));
  observe({ kind: 'role.state', role: SHADOW_ROLE, state: 'starting' });
  const models = { serving: loadServing(config.model), candidate: loadModel(resolve(flags.candidate)) };
  const rules = rulesOf(config, models.serving);
  const routers = { serving: routerOf(models.serving, rules), candidate: routerOf(models.candidate, rules) };
  requireCommonTask(models);
  if (models.serving.identity.sha256 === models.candidate.identity.sha256)
    io.stderr.write('warning: the candidate is the serving model (the same manifest), so nothing can differ\n');

  const { origin, ledger, file, path } = openReport(config, flags, { models, rules, io });
  if (config.telemetry.port !== null) {
    const server = await startTelemetryServer({ telemetry, host: config.telemetry.host, port: config.telemetry.port });
    closers.push(server.stop);
    io.stderr.write(`health and metrics: ${server.url}\n`);
  }
  const transport = await openTransport(config, { create: false, now: io.now });
  closers.push(transport.close);
  await requireGroup(transport, origin, ledger, path);
  const codecs = await openCodecs(config, io.now);
  const taggers = await openTaggers(config, flags, { observe, ledger, closers });
  // its group's name must be on the disk before there is the group
  file.write(ledger);

  const processor = new ShadowProcessor({
    serving: { tagger: taggers.serving.tagger, router: routers.serving },
    candidate: { tagger: taggers.candidate.tagger, router: routers.candidate },
    notes: codecs.notes(config.topics.notes),
    isCounted: ({ partition, offset }) => offset < ledger.next(partition),
    room: () => (flags.maxNotes ?? Number.POSITIVE_INFINITY) - ledger.read,
  });
  const names = { serving: nameOf(models.serving), candidate: nameOf(models.candidate) };
  const enough = Promise.withResolvers<void>();
  const beforeCommit = (place: TopicPartition, next: bigint): void => {
    const before = ledger.read;
    count(processor, ledger, { place, next, observe });
    file.write(ledger);
    if (Math.floor(ledger.read / flags.every) > Math.floor(before / flags.every))
      tell(renderShadow(figuresOf(ledger), names));
    if (flags.maxNotes !== undefined && ledger.read >= flags.maxNotes) enough.resolve();
  };
  const running = await runProcessor({
    ...config.stream,
    transactionMs: COMMIT_MS,
    group: origin.group,
    begin: origin.from,
    transport: announcingCommits(transport, beforeCommit),
    processor,
    topics: [origin.topic],
    outputs: [],
    observe: fact => {
      observe(fact);
      // what an earlier claim had in hand is delivered again, here or elsewhere
      if (fact.kind === 'partition.assigned') processor.forget(fact);
    },
    sleep: ms => sleep(ms),
  });
  observe({ kind: 'role.state', role: SHADOW_ROLE, state: 'ready' });
  tell(`${origin.group} reads ${origin.topic}: ${names.candidate} beside ${names.serving}; the report is ${path}`);
  if (flags.maxNotes !== undefined && ledger.read >= flags.maxNotes) enough.resolve();
  const end = await untilEnd(running, flags, { interrupted, enough: enough.promise });
  observe({ kind: 'role.state', role: SHADOW_ROLE, state: 'draining' });
  await running.stop();
  await running.done;
  file.write(ledger);
  await write(io.stdout, renderShadow(figuresOf(ledger), names));
  return end;
}

async function untilEnd(
  running: Running,
  flags: ShadowFlags,
  { interrupted, enough }: { interrupted: AbortSignal; enough: Promise<void> },
): Promise<End> {
  const timer = new AbortController();
  const time =
    flags.for === undefined ? [] : [sleep(1000 * flags.for, undefined, { signal: timer.signal }).catch(() => {})];
  const drained = flags.untilDrained === true ? [running.subscription.drained()] : [];
  const end = await whatEnds(interrupted, [enough, running.done, ...drained, ...time]);
  timer.abort();
  return end;
}

function count(
  processor: ShadowProcessor,
  ledger: ShadowLedger,
  { place, next, observe }: { place: TopicPartition; next: bigint; observe: Observer },
): void {
  for (const [offset, outcome] of processor.take(place, next)) {
    ledger.add(place.partition, offset, outcome);
    if (outcome.kind === 'compared') {
      const { noteId, words, tasks } = outcome;
      const apart = Array.from(tasks, ([task, each]) => [task, each.words.onlyFirst + each.words.onlySecond] as const);
      observe({ kind: 'note.shadowed', noteId, words, apart: Object.fromEntries(apart) });
    } else observe({ kind: 'record.passed-over', code: outcome.code, ...place, offset });
  }
  ledger.moveTo(place.partition, next);
}

function nameOf({ identity: { name, version, sha256 } }: VerifiedModel): string {
  return `${name} ${version} (${sha256.slice(0, 12)})`;
}

type Rules = Readonly<Record<string, TaskRule>>;

/** Those of the configuration, or one for each task that the serving model's routing knows. */
function rulesOf({ escalation }: Config, serving: VerifiedModel): Rules {
  if (Object.keys(escalation.tasks).length > 0) return escalation.tasks;
  return Object.fromEntries(
    Object.keys(loadRouting(serving)?.tasks ?? {}).map(task => [task, { rate: RATE, teachers: [] }]),
  );
}

/** A model without routing escalates nothing, and then decisions are not compared. @throws ModelError, RouterError */
function routerOf(model: VerifiedModel, rules: Rules): Router {
  const routing = loadRouting(model);
  const known = Object.entries(rules).filter(([task]) => routing !== null && Object.hasOwn(routing.tasks, task));
  return new Router({ routing, rules: Object.fromEntries(known) });
}

function requireCommonTask({ serving, candidate }: { serving: VerifiedModel; candidate: VerifiedModel }): void {
  const [first, second] = [serving, candidate].map(({ heads }) => heads.map(({ task }) => task)) as [
    string[],
    string[],
  ];
  if (first.some(task => second.includes(task))) return;
  throw new ConfigError(
    'CONFIG_INVALID',
    `--candidate: it has no task of the serving model (${second.join(', ')} against ${first.join(', ')}), so there is nothing to compare`,
  );
}

interface Opened {
  readonly origin: ShadowOrigin;
  readonly ledger: ShadowLedger;
  readonly file: ShadowReportFile;
  readonly path: string;
}

function openReport(
  config: Config,
  flags: ShadowFlags,
  { models, rules, io }: { models: { serving: VerifiedModel; candidate: VerifiedModel }; rules: Rules; io: Io },
): Opened {
  const [serving, candidate] = [models.serving.identity, models.candidate.identity];
  const short = candidate.sha256.slice(0, 12);
  const path = resolve(flags.report ?? join('.clinstream', 'shadow', `${serving.sha256.slice(0, 12)}-${short}.json`));
  const subject: ShadowSubject = {
    ...{ serving, candidate, rules },
    transport: config.transport,
    topic: config.topics.notes,
  };
  const found = readShadowReport(path, subject);
  if (found !== undefined && flags.fromBeginning === true && found.origin.from !== 'beginning') {
    throw new ConfigError(
      'CONFIG_INVALID',
      `--from-beginning: ${path} began at the end of the topic and goes on from there: name another with --report`,
    );
  }
  const origin: ShadowOrigin = found?.origin ?? {
    ...subject,
    // a group of the report's own: it can be no other's, and it has read exactly what the report has
    group: `${config.stream.group}-shadow-${short}-${randomBytes(4).toString('hex')}`,
    from: flags.fromBeginning === true ? 'beginning' : 'end',
    began: new Date(io.now()).toISOString(),
    starts: 0,
  };
  const about = { ...origin, starts: origin.starts + 1, commit: currentCommit(), machine: thisMachine() };
  const ledger = new ShadowLedger(flags.listed, found?.state);
  return { origin, ledger, path, file: new ShadowReportFile(path, about, io.now) };
}

/** A report of another log or cluster would pass over records that it never saw. @throws DistillError SHADOW_REPORT_MISMATCH */
async function requireGroup(
  transport: Transport,
  { group, topic }: ShadowOrigin,
  ledger: ShadowLedger,
  path: string,
): Promise<void> {
  if (ledger.read === 0) return;
  const lags = await transport.lags();
  if (lags.some(each => each.group === group && each.topic === topic)) return;
  throw new DistillError(
    'SHADOW_REPORT_MISMATCH',
    `${path} goes on in group ${group}, which nobody knows here: it is about another log or cluster, so name another with --report`,
    { details: { group } },
  );
}

/** Both share the configured sessions, so that a shadow takes no more than a tagger. */
async function openTaggers(
  config: Config,
  { candidate }: ShadowFlags,
  { observe, ledger, closers }: { observe: Observer; ledger: ShadowLedger; closers: (() => Promise<void>)[] },
): Promise<Readonly<Record<'serving' | 'candidate', Serving>>> {
  const inference = { ...config.inference, workers: Math.max(1, Math.floor(config.inference.workers / 2)) };
  const open = async (model: 'serving' | 'candidate', directory: string): Promise<Serving> => {
    const heard: Observer = fact => {
      if (fact.kind === 'batch.run') ledger.ran(model, fact.tokens, fact.runMs);
      // the metrics of models are of the one that serves
      if (model === 'serving' || fact.kind === 'worker.replaced' || fact.kind === 'batch.retried') observe(fact);
    };
    const serving = await serveModel({ ...config, model: directory, inference }, heard);
    closers.push(serving.stop);
    return serving;
  };
  const candidateTagger = await open('candidate', resolve(candidate));
  return { candidate: candidateTagger, serving: await open('serving', config.model) };
}
