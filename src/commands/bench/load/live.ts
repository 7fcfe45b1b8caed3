/** The program as it runs in production, a process of its own, with a reader downstream of it: what a load is offered to. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Note } from '../../../core/note.ts';
import { KEY_FROM, MODEL } from '../../demo-fallback-settings.ts';
import { appendNotes } from '../../produce.ts';
import { Interrupted, interruption } from '../../signals.ts';
import { BenchError } from '../bench-error.ts';
import { type RoleProcess, startProviders, startRole } from '../fallback-roles.ts';
import type { Place } from '../place.ts';
import { withoutSecrets } from '../without-secrets.ts';
import { type Watch, watchEntities } from './watch.ts';

export interface Live {
  /** One, or as many as have cores of their own. */
  readonly taggers: readonly RoleProcess[];
  readonly watch: Watch;
  /** When its process was started, and when it said that it is ready: `performance.now()`. */
  readonly started: number;
  readonly ready: number;
  append(notes: readonly Note[]): Promise<void>;
}

export interface LiveOptions {
  readonly place: Place;
  /** Notes that wait when the program starts. */
  readonly backlog: readonly Note[];
  /** Share of notes that the router is asked to escalate in each task, to emulated teachers. */
  readonly escalated: number;
  readonly tasks: readonly string[];
  /** A process for each, on these cores alone, such as "0" and "1"; one process on all of them when absent. */
  readonly cores?: readonly string[];
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

const TEACHER = 'emulated';

/** Starts it, measures, and ends it, whatever happens. @throws Interrupted, BenchError PROGRAM_FAILED */
export async function whileLive<T>(options: LiveOptions, measure: (live: Live) => Promise<T>): Promise<T> {
  const { place, backlog, escalated, cores = [undefined], now } = options;
  const { transport, codecs, config, interrupted } = place;
  const directory = mkdtempSync(join(tmpdir(), 'clinstream-load-'));
  const closers: (() => Promise<void>)[] = [async () => rmSync(directory, { recursive: true, force: true })];
  const topic = config.topics.notes;
  const append = (notes: readonly Note[]): Promise<void> =>
    appendNotes({ transport, codec: codecs.notes(topic), topic, now }, notes);
  try {
    await append(backlog);
    const watch = watchEntities(place);
    closers.push(watch.stop);
    const providers = escalated > 0 ? await startProviders({ hang: false }) : undefined;
    if (providers !== undefined) closers.push(providers.stop);
    const file = join(directory, 'config.json');
    writeFileSync(file, JSON.stringify(fileOf(options, directory, providers?.baseUrl)), { mode: 0o600 });
    const escalators = providers === undefined ? [] : [await startRole('escalator', file, { key: providers.apiKey })];
    closers.push(...escalators.map(each => each.stop));
    const started = performance.now();
    const starting = await Promise.allSettled(cores.map(each => startRole('tagger', file, { cores: each })));
    const ready = performance.now();
    const taggers = starting.flatMap(each => (each.status === 'fulfilled' ? [each.value] : []));
    closers.push(...taggers.map(each => each.stop));
    // a terminal sends its signal to the programs as well, which then do not start
    if (interrupted.aborted) throw new Interrupted();
    for (const each of starting) if (each.status === 'rejected') throw each.reason;
    const ended = Promise.race([...taggers, ...escalators].map(each => each.done));
    const failed = ended.then(() => Promise.reject(new BenchError('PROGRAM_FAILED', 'a process ended under load')));
    failed.catch(() => {}); // it is meant to end, later
    return await Promise.race([measure({ taggers, watch, started, ready, append }), failed, interruption(interrupted)]);
  } finally {
    for (const close of closers.reverse()) await close().catch(() => {});
  }
}

/** The configuration as a file; secrets may not stand in one, so the program under load has none. */
function fileOf({ place, escalated, tasks }: LiveOptions, directory: string, openaiUrl: string | undefined): object {
  const { transport, data, kafka, registry, model, topics, inference, stream, limits } = place.config;
  const file = withoutSecrets({ transport, data, kafka, registry, model, topics, inference, stream, limits });
  if (openaiUrl === undefined) return file;
  const teacher = { name: TEACHER, kind: 'openai', model: MODEL, baseUrl: openaiUrl, keyFrom: KEY_FROM };
  return {
    ...file,
    egress: { allow: ['127.0.0.1'] },
    escalation: {
      state: join(directory, 'state'),
      budget: { usdPerDay: null },
      teachers: [teacher],
      tasks: Object.fromEntries(tasks.map(task => [task, { rate: escalated, teachers: [TEACHER] }])),
    },
  };
}
