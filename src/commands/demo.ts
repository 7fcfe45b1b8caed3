/**
 * `demo`: the main job on an empty machine. Notes go through the log and the tagger role as they would in production; every
 * number shown at the end is read back from the topics.
 */
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config.ts';
import type { Fact } from '../core/facts.ts';
import type { Note } from '../core/note.ts';
import type { EventCodecs } from '../events/codecs.ts';
import { noteFromJson } from '../events/note-json.ts';
import { StreamError } from '../streams/stream-error.ts';
import type { Transport } from '../streams/transport.ts';
import { createTelemetry } from '../telemetry/telemetry.ts';
import { printReport } from './demo-print.ts';
import { type DemoResult, readBack, writePage } from './demo-report.ts';
import { type Io, write } from './io.ts';
import { lineText, readBytes, readLines } from './lines.ts';
import { ensureTopics, openCodecs, openTransport } from './open-transport.ts';
import { appendNotes, type NotesTopic } from './produce.ts';
import { createProgress } from './progress.ts';
import { type Serving, serveModel } from './serve-model.ts';
import { startTagger } from './tagger-role.ts';

export const DEMO_DATA = '.clinstream/demo';
/** The notes that come with the project. */
export const DEMO_NOTES = resolve(import.meta.dirname, '../../test/data/demo/notes.jsonl');

const LONE_EVERY = 5;

export async function demo(config: Config, options: { quiet: boolean }, io: Io): Promise<void> {
  const directory = resolve(config.data);
  empty(directory);
  const notes = await readDemoNotes();
  const telemetry = createTelemetry({ log: { level: 'warn' } });
  const transport = await openTransport(config, { create: true, now: io.now });
  let serving: Serving | undefined;
  const progress = createProgress({
    label: 'tagging',
    unit: 'notes',
    total: notes.length,
    quiet: options.quiet,
    stream: io.stderr,
    now: io.now,
  });
  try {
    serving = await serveModel(config, telemetry.observe);
    await ensureTopics(transport, config);
    const codecs = await openCodecs(config, io.now);
    let committed = 0;
    const observe = (fact: Fact): void => {
      if (fact.kind !== 'transaction.committed') return;
      committed += fact.records;
      progress.update(committed);
    };
    const to = { transport, codec: codecs.notes(config.topics.notes), topic: config.topics.notes, now: io.now };
    const { backlog, lone } = split(notes);
    await appendNotes(to, backlog);
    const began = performance.now();
    const running = await startTagger(config, { transport, codecs, serving, observe, now: io.now });
    await Promise.race([running.subscription.drained(), running.done]);
    await sendOneByOne(to, lone, (performance.now() - began) / backlog.length);
    await Promise.race([running.subscription.drained(), running.done]);
    await running.stop();
    await running.done;
    progress.end();
    await report({ transport, codecs }, config, { backlog, lone, serving, directory }, io);
  } finally {
    await serving?.stop();
    await transport.close();
  }
}

/** @throws StreamError LOG_UNREADABLE */
function empty(directory: string): void {
  try {
    rmSync(directory, { recursive: true, force: true });
  } catch (cause) {
    const { code = 'unknown' } = cause as NodeJS.ErrnoException;
    const what = `cannot empty ${directory} (${code}): the demo writes its log there; make it writable, or start it in another folder`;
    throw new StreamError('LOG_UNREADABLE', what, { cause });
  }
}

/** Reads the topics back, writes the page, and prints what both hold. */
export async function report(
  from: { transport: Transport; codecs: EventCodecs },
  config: Config,
  about: { backlog: readonly Note[]; lone: readonly Note[]; serving: Serving; directory: string },
  io: Io,
): Promise<DemoResult> {
  const { backlog, lone, serving, directory } = about;
  const countTokens = async (text: string): Promise<number> => (await serving.tokenizer.encode(text)).ids.length;
  const result = await readBack(from, config, { backlog, lone, countTokens });
  const page = join(directory, 'entities.html');
  await writePage(page, result, serving.tasks);
  const { name, version } = serving.model.identity;
  const log =
    config.transport === 'embedded'
      ? `${directory} (try: npm run -s clinstream -- topics list --data ${directory})`
      : '';
  const model = `${name} ${version} on ${serving.pool.device}`;
  await write(io.stdout, printReport(result, { model, tasks: serving.tasks, page, log, io }));
  return result;
}

/** One note in so many arrives alone, to measure latency; all others are a backlog, to measure throughput. */
export function split(notes: readonly Note[]): { backlog: Note[]; lone: Note[] } {
  return {
    backlog: notes.filter((_, i) => i % LONE_EVERY !== 0),
    lone: notes.filter((_, i) => i % LONE_EVERY === 0),
  };
}

/** At half the speed of the backlog, so that each finds the tagger idle. */
export async function sendOneByOne(to: NotesTopic, notes: readonly Note[], msPerNote: number): Promise<void> {
  for (const note of notes) {
    await sleep(2 * msPerNote);
    await appendNotes(to, [note]);
  }
}

/** All of `DEMO_NOTES`. */
export async function readDemoNotes(): Promise<Note[]> {
  const notes: Note[] = [];
  for await (const line of readLines(readBytes(DEMO_NOTES, process.stdin)))
    notes.push(noteFromJson(JSON.parse(lineText(line, DEMO_NOTES))));
  return notes;
}
