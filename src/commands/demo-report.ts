/** What the demo's topics say: nothing here comes from a counter. */
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { Config } from '../config.ts';
import type { Note } from '../core/note.ts';
import type { Task } from '../core/span.ts';
import type { EventCodecs } from '../events/codecs.ts';
import { deadLetterReason } from '../events/dead-letter.ts';
import type { EntitiesEvent } from '../events/generated.ts';
import type { Transport } from '../streams/transport.ts';
import { CodePointIndex } from '../text/code-points.ts';
import { HTML_TAIL, htmlHead, htmlNote } from './render/html.ts';
import { type Segment, segments } from './render/segments.ts';

export interface DemoNote {
  readonly note: Note;
  readonly event: EntitiesEvent;
}

export interface DemoResult {
  readonly notes: readonly DemoNote[];
  /** How many records were refused, by code and categories. */
  readonly refused: ReadonlyMap<string, number>;
  /** Over the backlog, between its first and its last event. */
  readonly notesPerSecond: number;
  readonly tokensPerSecond: number;
  /** Milliseconds from the note's record to its entities' record, of notes that arrived alone. */
  readonly latencies: readonly number[];
}

/** @throws Error when a note has not exactly one end. */
export async function readBack(
  { transport, codecs }: { transport: Transport; codecs: EventCodecs },
  { topics }: Config,
  sent: { backlog: readonly Note[]; lone: readonly Note[]; countTokens: (text: string) => Promise<number> },
): Promise<DemoResult> {
  const options = { from: 'beginning', untilEnd: true } as const;
  const noteCodec = codecs.notes(topics.notes);
  const entitiesCodec = codecs.entities(topics.entities);
  const arrived = new Map<string, { note: Note; timestamp: number }>();
  for await (const record of transport.read(topics.notes, options)) {
    const note = await noteCodec.decode(record.value);
    arrived.set(note.noteId, { note, timestamp: record.timestamp });
  }
  const events = new Map<string, { event: EntitiesEvent; timestamp: number }>();
  for await (const record of transport.read(topics.entities, options)) {
    const event = await entitiesCodec.decode(record.value);
    if (events.has(event.noteId)) throw new Error('a note has two entities events');
    events.set(event.noteId, { event, timestamp: record.timestamp });
  }
  const refused = new Map<string, number>();
  let letters = 0;
  for await (const record of transport.read(topics.deadLetters, options)) {
    const reason = deadLetterReason(record);
    const name = [reason?.code, ...(reason?.categories ?? [])].join(' ');
    refused.set(name, (refused.get(name) ?? 0) + 1);
    letters++;
  }
  if (events.size + letters !== arrived.size) throw new Error('a note has neither entities nor a dead letter');

  const tagged = sent.backlog.flatMap(({ noteId }) => events.get(noteId)?.event ?? []);
  const times = tagged.map(event => event.taggedAt).sort((a, b) => a - b);
  const seconds = ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1000;
  let tokens = 0;
  for (const { text } of sent.backlog) tokens += await sent.countTokens(text);
  return {
    notes: [...arrived.values()].flatMap(({ note }) => {
      const event = events.get(note.noteId)?.event;
      return event === undefined ? [] : [{ note, event }];
    }),
    refused,
    notesPerSecond: tagged.length / seconds,
    tokensPerSecond: tokens / seconds,
    latencies: sent.lone.flatMap(({ noteId }) => {
      const end = events.get(noteId)?.timestamp;
      return end === undefined ? [] : [end - (arrived.get(noteId)?.timestamp as number)];
    }),
  };
}

export function partsOf({ note, event }: DemoNote): Segment[] {
  const index = new CodePointIndex(note.text);
  return segments((start, end) => index.slice(start, end), index.length, event.entities);
}

/** One page with all notes. */
export async function writePage(path: string, { notes }: DemoResult, tasks: readonly Task[]): Promise<void> {
  const file = createWriteStream(path);
  file.write(htmlHead(`Entities of ${notes.length} notes (ACI-BENCH and PriMock57, CC BY 4.0)`, tasks));
  for (const each of notes) {
    const { entities, tasks: decisions } = each.event;
    file.write(htmlNote({ id: each.note.noteId, parts: partsOf(each), entities, tasks: decisions }, tasks));
  }
  file.end(HTML_TAIL);
  await finished(file);
}
