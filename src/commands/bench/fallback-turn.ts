/** One turn of `bench fallback`: the same notes through a fresh log, with the roles that a mode has, each in a process of its own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../../config.ts';
import type { Note } from '../../core/note.ts';
import { singleObjectCodecs } from '../../events/codecs.ts';
import type { Transport } from '../../streams/transport.ts';
import { KEY_FROM } from '../demo-fallback-settings.ts';
import { ensureTopics, openTransport } from '../open-transport.ts';
import { appendNotes } from '../produce.ts';
import { type Emulators, type RoleProcess, startEmulators, startRole } from './fallback-roles.ts';

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
const MODEL = 'gpt-4o-mini-2024-07-18';

export async function takeTurn(mode: Mode, options: TurnOptions): Promise<Turn> {
  const { notes, now } = options;
  const directory = mkdtempSync(join(tmpdir(), 'clinstream-fallback-'));
  const closers: (() => Promise<void>)[] = [async () => rmSync(directory, { recursive: true, force: true })];
  try {
    const asked = mode === 'answering' || mode === 'hanging';
    const emulators = asked ? await startEmulators({ hangs: mode === 'hanging' }) : undefined;
    if (emulators !== undefined) closers.push(emulators.stop);
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
    writeFileSync(file, JSON.stringify(roleConfig(config, mode, options, { directory, emulators })));
    const escalator = emulators === undefined ? [] : [await startRole('escalator', file)];
    closers.push(...escalator.map(role => role.stop));
    const tagger = await startRole('tagger', file);
    closers.push(tagger.stop);
    const check = checkOf([tagger, ...escalator], options.interrupted);
    const ended = await drained(log, config, check);
    const taggerCpuSeconds = tagger.cpuSeconds();
    const [entities, escalations] = await Promise.all(
      [config.topics.entities, config.topics.escalations].map(topic => readValues(log, topic)),
    );
    const codec = singleObjectCodecs().entities(config.topics.entities);
    const events = await Promise.all((entities ?? []).map(value => codec.decode(value)));
    const requests = escalations?.length === 0 ? 0 : await requestsOf(emulators, check);
    const first = Math.min(...events.filter(({ revision }) => revision === 1).map(({ taggedAt }) => taggedAt));
    return {
      notesPerSecond: (1000 * notes.length) / (ended - first),
      taggerCpuSeconds,
      escalated: escalations?.length ?? 0,
      revised: events.filter(({ revision }) => revision > 1).length,
      requests,
    };
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
async function requestsOf(emulators: Emulators | undefined, check: () => void): Promise<number> {
  for (;;) {
    check();
    const requests = await emulators?.requests();
    if (requests !== 0) return requests ?? 0;
    await sleep(POLL_MS);
  }
}

/** What both roles read; they get nothing from the environment but the key. */
function roleConfig(
  { transport, data, model, inference, stream, topics }: Config,
  mode: Mode,
  { rate, tasks, requestMs }: TurnOptions,
  { directory, emulators }: { directory: string; emulators: Emulators | undefined },
): object {
  const teacher = {
    name: 'emulated',
    kind: 'openai',
    model: MODEL,
    baseUrl: emulators?.openaiUrl ?? 'http://127.0.0.1:9/v1',
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

async function readValues(log: Transport, topic: string): Promise<(Buffer | null)[]> {
  const values: (Buffer | null)[] = [];
  for await (const { value } of log.read(topic, { from: 'beginning', untilEnd: true })) values.push(value);
  return values;
}
