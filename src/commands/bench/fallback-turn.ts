/** One turn of `bench fallback`: the same notes through a fresh log, with the roles that a mode has, each in a process of its own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../../config.ts';
import type { Note } from '../../core/note.ts';
import { singleObjectCodecs } from '../../events/codecs.ts';
import type { Transport } from '../../streams/transport.ts';
import { type DemoEmulator, DemoError } from '../demo-emulator.ts';
import { KEY_FROM, MODEL } from '../demo-fallback-settings.ts';
import { ensureTopics, openTransport } from '../open-transport.ts';
import { appendNotes } from '../produce.ts';
import { BenchError } from './bench-error.ts';
import { type RoleProcess, startProviders, startRole } from './fallback-roles.ts';
import { allOf } from './place.ts';

/**
 * - `answering`: providers answer at once.
 * - `hanging`: they take every request and never answer.
 * - `absent`: doubtful notes are escalated, and no escalator runs.
 * - `off`: nothing is escalated.
 */
export const MODES = ['answering', 'hanging', 'absent', 'off'] as const;
export type Mode = (typeof MODES)[number];

export interface Turn {
  /** From the first note tagged to the last one committed. */
  readonly notesPerSecond: number;
  /** Of its whole process, start included: hardly changed by what else the machine does. NaN where there is no /proc. */
  readonly taggerCpuSeconds: number;
  readonly escalated: number;
  /** By the time that the tagger was done. */
  readonly revised: number;
  readonly requests: number;
}

export interface TurnOptions {
  readonly config: Config;
  readonly notes: readonly Note[];
  /** Of notes, for each task of the model. */
  readonly rate: number;
  readonly tasks: readonly string[];
  readonly requestMs: number;
  /** Ends the turn, and the processes that it started. */
  readonly interrupted: AbortSignal;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

const POLL_MS = 20;

/** @throws BenchError PROGRAM_FAILED, DemoError, and the reason of `interrupted` */
export async function takeTurn(mode: Mode, options: TurnOptions): Promise<Turn> {
  const { notes, now } = options;
  const directory = mkdtempSync(join(tmpdir(), 'clinstream-fallback-'));
  const closers: (() => Promise<void>)[] = [async () => rmSync(directory, { recursive: true, force: true })];
  try {
    const asked = mode === 'answering' || mode === 'hanging';
    const providers = asked ? await startProviders({ hang: mode === 'hanging' }) : undefined;
    if (providers !== undefined) closers.push(providers.stop);
    const config = { ...options.config, transport: 'embedded', data: join(directory, 'log') } as const;
    const log = await openTransport(config, { create: true, now });
    closers.push(log.close);
    await ensureTopics(log, config);
    const to = {
      transport: log,
      codec: singleObjectCodecs().notes(config.topics.notes),
      topic: config.topics.notes,
      now,
    };
    await appendNotes(to, notes);
    const file = join(directory, 'config.json');
    writeFileSync(file, JSON.stringify(roleConfig(config, mode, options, { directory, providers })));
    const escalator = providers === undefined ? [] : [await startRole('escalator', file, { key: providers.apiKey })];
    closers.push(...escalator.map(role => role.stop));
    const tagger = await startRole('tagger', file);
    closers.push(tagger.stop);
    const check = checkOf([tagger, ...escalator], options.interrupted);
    const ended = await drained(log, config, check);
    const taggerCpuSeconds = tagger.cpuSeconds();
    const [entities, escalations] = await Promise.all(
      [config.topics.entities, config.topics.escalations].map(topic => allOf(log, topic)),
    );
    const codec = singleObjectCodecs().entities(config.topics.entities);
    const events = await Promise.all((entities ?? []).map(({ value }) => codec.decode(value)));
    const requests = escalations?.length === 0 ? 0 : await requestsOf(providers, check);
    const first = Math.min(...events.filter(({ revision }) => revision === 1).map(({ taggedAt }) => taggedAt));
    return {
      notesPerSecond: (1000 * notes.length) / (ended - first),
      taggerCpuSeconds,
      escalated: escalations?.length ?? 0,
      revised: events.filter(({ revision }) => revision > 1).length,
      requests,
    };
  } catch (error) {
    // a terminal sends its signal to the roles and to the providers as well: what they fail of then is that
    if (error instanceof BenchError || error instanceof DemoError) options.interrupted.throwIfAborted();
    throw error;
  } finally {
    for (const close of closers.reverse()) await close().catch(() => {});
  }
}

/** @returns what throws once a role has failed, or the turn is interrupted. */
function checkOf(roles: readonly RoleProcess[], interrupted: AbortSignal): () => void {
  let failure: unknown;
  for (const { done } of roles) {
    done.catch((error: unknown) => {
      failure = error;
    });
  }
  return () => {
    if (failure !== undefined) throw failure;
    interrupted.throwIfAborted();
  };
}

/** When the last note was committed, in milliseconds since the Unix epoch. */
async function drained(log: Transport, { stream, topics }: Config, check: () => void): Promise<number> {
  for (;;) {
    check();
    const lags = (await log.lags()).filter(({ group, topic }) => group === stream.group && topic === topics.notes);
    if (lags.length === topics.partitions && lags.every(({ lag }) => lag === 0n)) return Date.now();
    await sleep(POLL_MS);
  }
}

/** How many there have been, once there was one: a turn in which nobody is asked would measure something else. */
async function requestsOf(providers: DemoEmulator | undefined, check: () => void): Promise<number> {
  for (;;) {
    check();
    const requests = (await providers?.asked().catch(orEnded(check)))?.requests;
    if (requests !== 0) return requests ?? 0;
    await sleep(POLL_MS);
  }
}

/** The check's own error before that of a provider which is not there any more. */
function orEnded(check: () => void): (error: unknown) => never {
  return error => {
    check();
    throw error;
  };
}

/** What both roles read; they get nothing from the environment but the key. */
function roleConfig(
  { transport, data, model, inference, stream, topics }: Config,
  mode: Mode,
  { rate, tasks, requestMs }: TurnOptions,
  { directory, providers }: { directory: string; providers: DemoEmulator | undefined },
): object {
  const teacher = {
    name: 'emulated',
    kind: 'openai',
    model: MODEL,
    baseUrl: providers?.baseUrl ?? 'http://127.0.0.1:9/v1',
    keyFrom: KEY_FROM,
  };
  const escalation = {
    state: join(directory, 'state'),
    requestMs,
    teachers: [teacher],
    tasks: Object.fromEntries(tasks.map(task => [task, { rate, teachers: [teacher.name] }])),
  };
  return {
    ...{ transport, data, model, inference, stream, topics },
    egress: { allow: ['127.0.0.1'] },
    ...(mode === 'off' ? {} : { escalation }),
  };
}
