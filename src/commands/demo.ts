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
import { noteFromJson } from '../events/note-json.ts';
import { createTelemetry } from '../telemetry/telemetry.ts';
import { printReport } from './demo-print.ts';
import { type DemoResult, readBack, writePage } from './demo-report.ts';
import { type Io, write } from './io.ts';
import { lineText, readBytes, readLines } from './lines.ts';
import { ensureTopics, openTransport } from './open-transport.ts';
import { appendNotes } from './produce.ts';
import { createProgress } from './progress.ts';
import { type Serving, serveModel } from './serve-model.ts';
import { startTagger } from './tagger-role.ts';

export const DEMO_DATA = '.clinstream/demo';
const NOTES = resolve(import.meta.dirname, '../../test/data/demo/notes.jsonl');

/** One note in so many arrives alone, to measure latency; all others are a backlog, to measure throughput. */
const LONE_EVERY = 5;

export async function demo(config: Config, options: { quiet: boolean }, io: Io): Promise<void> {
  const directory = resolve(config.data);
  rmSync(directory, { recursive: true, force: true });
  const notes = await readDemoNotes();
  const telemetry = createTelemetry({ log: { level: 'warn' } });
  const serving = await serveModel(config, telemetry.observe);
  const transport = await openTransport(config, { create: true, now: io.now });
  const progress = createProgress({
    label: 'tagging',
    unit: 'notes',
    total: notes.length,
    quiet: options.quiet,
    stream: io.stderr,
    now: io.now,
  });
  try {
    await ensureTopics(transport, config);
    const backlog = notes.filter((_, i) => i % LONE_EVERY !== 0);
    const lone = notes.filter((_, i) => i % LONE_EVERY === 0);
    await appendNotes(transport, config.topics.notes, backlog, io.now);
    let committed = 0;
    const observe = (fact: Fact): void => {
      if (fact.kind !== 'transaction.committed') return;
      committed += fact.records;
      progress.update(committed);
    };
    const began = performance.now();
    const running = await startTagger(config, { transport, serving, observe, now: io.now });
    await Promise.race([running.subscription.drained(), running.done]);
    const msPerNote = (performance.now() - began) / backlog.length;
    for (const note of lone) {
      await sleep(2 * msPerNote);
      await appendNotes(transport, config.topics.notes, [note], io.now);
    }
    await Promise.race([running.subscription.drained(), running.done]);
    await running.stop();
    await running.done;
    progress.end();

    const result = await readBack(transport, config, {
      backlog,
      lone,
      countTokens: text => countTokens(serving, text),
    });
    const page = join(directory, 'entities.html');
    await writePage(page, result, serving.tasks);
    await report(result, page, serving, directory, io);
  } finally {
    await serving.stop();
    await transport.close();
  }
}

async function report(result: DemoResult, page: string, serving: Serving, directory: string, io: Io): Promise<void> {
  const { name, version } = serving.model.identity;
  await write(
    io.stdout,
    printReport(result, {
      model: `${name} ${version} on ${serving.pool.device}`,
      tasks: serving.tasks,
      page,
      directory,
      io,
    }),
  );
}

async function countTokens(serving: Serving, text: string): Promise<number> {
  return (await serving.tokenizer.encode(text)).ids.length;
}

/** The notes that come with the project. */
export async function readDemoNotes(): Promise<Note[]> {
  const notes: Note[] = [];
  for await (const line of readLines(readBytes(NOTES, process.stdin), NOTES))
    notes.push(noteFromJson(JSON.parse(lineText(line, NOTES))));
  return notes;
}
