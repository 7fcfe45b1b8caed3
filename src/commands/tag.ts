/** `tag`: notes from files or standard input to entities on standard output, in input order, in bounded memory. */
import type { Entity, Task } from '../core/span.ts';
import { CodePointIndex } from '../text/code-points.ts';
import { EXIT, explain } from './exit.ts';
import type { InputError } from './input-error.ts';
import { hasColour, type Io, report, write } from './io.ts';
import { mapOrdered } from './ordered.ts';
import { createProgress } from './progress.ts';
import { HTML_TAIL, htmlHead, htmlNote } from './render/html.ts';
import { type Segment, segments } from './render/segments.ts';
import { legend, renderTerminal } from './render/terminal.ts';
import type { Serving } from './serve-model.ts';
import { type BadNote, type InputFormat, readTagNotes, type TagNote } from './tag-input.ts';

export type TagFormat = 'pretty' | 'jsonl' | 'html';

/** Notes in flight at once; the tagger bounds their tokens by itself. */
const NOTES_IN_FLIGHT = 64;

interface TaggedNote {
  readonly id: string | number;
  readonly text: string;
  readonly entities: readonly Entity[];
  readonly tasks: readonly { readonly task: Task; readonly confidence: number }[];
}

type Row = TaggedNote | { readonly id: string | number; readonly error: InputError };

/** How rows look in one format. */
interface Renderer {
  readonly head: string;
  readonly tail: string;
  row(row: TaggedNote): string;
  bad(id: string | number, error: InputError): string;
}

/** @returns the exit code: EXIT.input when any row was refused. */
export async function tag(
  serving: Serving,
  options: { paths: readonly string[]; input: InputFormat; format: TagFormat; quiet: boolean },
  io: Io,
): Promise<number> {
  const tasks = serving.tasks;
  const renderer = RENDERERS[options.format](tasks, hasColour(io));
  const progress = createProgress({
    label: 'tag',
    unit: 'notes',
    quiet: options.quiet || (options.format !== 'html' && io.stdout.isTTY === true),
    stream: io.stderr,
    now: io.now,
  });
  let done = 0;
  let code: number = EXIT.ok;
  await write(io.stdout, renderer.head);
  const notes = readTagNotes(options.paths, options.input, io.stdin);
  for await (const row of mapOrdered(notes, NOTES_IN_FLIGHT, note => tagOne(serving, note))) {
    if ('error' in row) {
      code = EXIT.input;
      await report(io, explain(row.error));
      await write(io.stdout, renderer.bad(row.id, row.error));
    } else {
      await write(io.stdout, renderer.row(row));
    }
    progress.update(++done);
  }
  await write(io.stdout, renderer.tail);
  progress.end();
  return code;
}

async function tagOne(serving: Serving, note: TagNote | BadNote): Promise<Row> {
  if ('error' in note) return note;
  const { entities, tasks } = await serving.tagger.tag(note.text);
  return { id: note.id, text: note.text, entities, tasks };
}

/** A row of the jsonl format: one note. */
function jsonRow(row: TaggedNote): string {
  const entities = row.entities.map(({ task, start, end, text, confidence }) => ({
    task,
    start,
    end,
    text,
    confidence,
  }));
  const tasks = Object.fromEntries(row.tasks.map(({ task, confidence }) => [task, { confidence }]));
  return `${JSON.stringify({ id: row.id, entities, tasks })}\n`;
}

function partsOf(row: TaggedNote): Segment[] {
  const index = new CodePointIndex(row.text);
  return segments((start, end) => index.slice(start, end), index.length, row.entities);
}

const RENDERERS: Readonly<Record<TagFormat, (tasks: readonly Task[], colour: boolean) => Renderer>> = {
  jsonl: () => ({
    head: '',
    tail: '',
    row: jsonRow,
    bad: (id, error) => `${JSON.stringify({ id, error: { code: error.code, message: error.message } })}\n`,
  }),
  pretty: (tasks, colour) => ({
    head: `${legend(tasks, colour)}\n`,
    tail: '',
    row: row => `\n── ${row.id} ──\n${renderTerminal(partsOf(row), tasks, colour).trimEnd()}\n`,
    bad: (id, error) => `\n── ${id} ──\nrefused: ${error.code}\n`,
  }),
  html: tasks => ({
    head: htmlHead('Mentions in notes', tasks),
    tail: HTML_TAIL,
    row: row => htmlNote({ id: String(row.id), parts: partsOf(row), entities: row.entities, tasks: row.tasks }, tasks),
    bad: (id, error) => htmlNote({ id: `${id} (refused: ${error.code})`, parts: [], entities: [], tasks: [] }, tasks),
  }),
};
