/** One turn of `bench compare`: a fresh log full of notes, and a version's program run on it until it is drained, seen from outside. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TurnFigures, Version } from '../../benchmark/compare-report.ts';
import { type Answers, answerOf } from '../../benchmark/same-answers.ts';
import { type Config, loadConfig } from '../../config.ts';
import type { Note } from '../../core/note.ts';
import type { StreamRecord } from '../../core/record.ts';
import { singleObjectCodecs } from '../../events/codecs.ts';
import { deadLetterReason } from '../../events/dead-letter.ts';
import type { EntitiesEvent } from '../../events/generated.ts';
import type { Transport } from '../../streams/transport.ts';
import { ensureTopics, openTransport } from '../open-transport.ts';
import { appendNotes } from '../produce.ts';
import { aborted } from '../signals.ts';
import { CompareError } from './compare-error.ts';
import { allOf } from './place.ts';
import { cpuSecondsOf, peakBytesOf } from './process-use.ts';
import { type Program, startProgram } from './program.ts';
import { withoutNoteText } from './without-note-text.ts';

export interface Turn {
  readonly figures: TurnFigures;
  readonly answers: Answers;
  readonly model: Version['model'];
  readonly deadLetters: number;
}

export interface TurnOptions {
  readonly notes: readonly Note[];
  /** Of all notes. */
  readonly tokens: number;
  /** Ends the turn, and the process that it started. */
  readonly interrupted: AbortSignal;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

/** What is run in a turn. */
export interface Runnable {
  /** For messages. */
  readonly given: string;
  /** The checkout whose program it is. */
  readonly root: string;
  readonly configuration: Record<string, unknown>;
}

const SAMPLE_MS = 50;

/** @throws CompareError PROGRAM_FAILED, NOTES_UNANSWERED, ANSWERS_UNREADABLE */
export async function takeTurn(version: Runnable, options: TurnOptions): Promise<Turn> {
  const directory = mkdtempSync(join(tmpdir(), 'clinstream-compare-'));
  try {
    const { ours, file } = configurations(version, directory);
    await onLog(ours, options, log => fill(log, ours, options));
    const args = ['run', '--until-drained', '--quiet', '--config', file, '--data', ours.data];
    const use = await watch(startProgram(args, { root: version.root }), version, options);
    return await onLog(ours, options, log => readBack(log, ours, { use, version, ...options }));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** What this checkout must know of the log, and the file that the version's program reads. */
function configurations({ configuration }: Runnable, directory: string): { ours: Config; file: string } {
  const write = (name: string, value: object): string => {
    const path = join(directory, name);
    writeFileSync(path, JSON.stringify(value));
    return path;
  };
  const { topics, telemetry } = configuration;
  // its program says that it is ready at this level
  const file = write('theirs.json', { ...configuration, telemetry: { ...(telemetry as object), level: 'info' } });
  const known = { data: join(directory, 'log'), ...(topics === undefined ? {} : { topics }) };
  return { ours: loadConfig({ file: write('ours.json', known), env: {} }), file };
}

async function onLog<T>(config: Config, { now }: TurnOptions, use: (log: Transport) => Promise<T>): Promise<T> {
  const log = await openTransport(config, { create: true, now });
  try {
    return await use(log);
  } finally {
    await log.close();
  }
}

async function fill(log: Transport, config: Config, { notes, now }: TurnOptions): Promise<void> {
  await ensureTopics(log, config);
  const topic = config.topics.notes;
  await appendNotes({ transport: log, codec: singleObjectCodecs().notes(topic), topic, now }, notes);
}

/** What the process used; NaN for what the system does not tell, or when it never said that it was ready. */
interface Use {
  readonly startSeconds: number;
  readonly cpuSeconds: number;
  readonly peakBytes: number;
}

/** Until it ends well. */
async function watch(program: Program, { given }: Runnable, { notes, interrupted }: TurnOptions): Promise<Use> {
  const began = performance.now();
  let [startSeconds, cpuAtReady, cpu, peakBytes] = [Number.NaN, Number.NaN, Number.NaN, Number.NaN];
  program.ready.then(() => {
    startSeconds = (performance.now() - began) / 1000;
    cpuAtReady = cpuSecondsOf(program.pid);
  });
  let end: number | string | undefined;
  program.ended.then(code => {
    end = code;
  });
  const interruption = aborted(interrupted);
  while (end === undefined && !interrupted.aborted) {
    // what it used stays known after its last breath
    cpu = finite(cpuSecondsOf(program.pid), cpu);
    peakBytes = finite(peakBytesOf(program.pid), peakBytes);
    await Promise.race([sleep(SAMPLE_MS), program.ended, interruption]);
  }
  if (end === undefined) {
    program.kill('SIGKILL');
    await program.ended;
    interrupted.throwIfAborted();
  }
  if (end !== 0) {
    const said = withoutNoteText(program.lastWords(), notes) || '(it said nothing)';
    throw new CompareError('PROGRAM_FAILED', `${given} ended with ${end}: ${said}`);
  }
  return { startSeconds, cpuSeconds: cpu - cpuAtReady, peakBytes };
}

function finite(value: number, otherwise: number): number {
  return Number.isFinite(value) ? value : otherwise;
}

async function readBack(
  log: Transport,
  { topics }: Config,
  { use, version, notes, tokens }: TurnOptions & { use: Use; version: Runnable },
): Promise<Turn> {
  const records = await allOf(log, topics.entities);
  const dead = await allOf(log, topics.deadLetters);
  const events = (await decoded(records, version)).filter(({ revision }) => revision === 1);
  const [first] = events;
  const noteIds = events.map(({ noteId }) => noteId);
  if (first === undefined || !answersAll(noteIds, dead.length, notes.length)) {
    const codes = [...new Set(dead.map(each => deadLetterReason(each)?.code ?? 'no code'))].join(', ');
    const counts = `${events.length} events of entities of ${new Set(noteIds).size} notes and ${dead.length} dead letters${dead.length === 0 ? '' : ` (${codes})`}`;
    throw new CompareError('NOTES_UNANSWERED', `${version.given} made ${counts} of ${notes.length} notes`);
  }
  // a record's time is that of the commit which published it
  const last = [...records, ...dead].reduce((latest, { timestamp }) => Math.max(latest, timestamp), 0);
  const tagged = events.reduce((earliest, { taggedAt }) => Math.min(earliest, taggedAt), Number.POSITIVE_INFINITY);
  const notesPerSecond = finite((1000 * (notes.length - 1)) / (last - tagged), Number.NaN);
  return {
    figures: {
      notesPerSecond,
      tokensPerSecond: (notesPerSecond * tokens) / notes.length,
      cpuSecondsPerNote: use.cpuSeconds / notes.length,
      peakBytes: use.peakBytes,
      startSeconds: use.startSeconds,
    },
    answers: new Map(events.map(({ noteId, entities }) => [noteId, answerOf(entities)])),
    model: first.model,
    deadLetters: dead.length,
  };
}

/** Whether each note has one answer: one that has two may not stand for one that has none. @param noteIds of the events. */
export function answersAll(noteIds: readonly string[], deadLetters: number, notes: number): boolean {
  return new Set(noteIds).size === noteIds.length && noteIds.length + deadLetters === notes;
}

async function decoded(records: readonly StreamRecord[], { given }: Runnable): Promise<EntitiesEvent[]> {
  const codec = singleObjectCodecs().entities('');
  try {
    return await Promise.all(records.map(({ value }) => codec.decode(value)));
  } catch (cause) {
    const { code } = cause as { code?: string };
    const why = `this checkout cannot read the entities that ${given} wrote (${code ?? 'unknown'}): measure from one that can`;
    throw new CompareError('ANSWERS_UNREADABLE', why, { cause });
  }
}
