/** `produce`: notes as JSON Lines onto the notes topic, in transactions; a line that holds no note is named and skipped. */
import type { Config } from '../config.ts';
import { ClinstreamError } from '../core/errors.ts';
import type { Note } from '../core/note.ts';
import type { OutgoingRecord } from '../core/record.ts';
import type { EventCodec } from '../events/codec.ts';
import { eventHeaders } from '../events/headers.ts';
import { NOTE_EVENT_TYPE, noteEventId } from '../events/note-event.ts';
import { noteFromJson } from '../events/note-json.ts';
import type { Transport } from '../streams/transport.ts';
import { EXIT, explain } from './exit.ts';
import { InputError } from './input-error.ts';
import { type Io, report } from './io.ts';
import { type Line, lineText, readBytes, readLines } from './lines.ts';
import { openCodecs, openTransport } from './open-transport.ts';
import { createProgress } from './progress.ts';

const BATCH_RECORDS = 200;
const BATCH_BYTES = 4 * 1024 * 1024;

/** @returns the exit code: EXIT.input when a line was refused; all others are on the topic. */
export async function produce(config: Config, options: { path: string; quiet: boolean }, io: Io): Promise<number> {
  const transport = await openTransport(config, { create: false, now: io.now });
  const progress = createProgress({
    label: 'produce',
    unit: 'notes',
    quiet: options.quiet,
    stream: io.stderr,
    now: io.now,
  });
  const name = options.path === '-' ? 'stdin' : options.path;
  let code: number = EXIT.ok;
  let done = 0;
  try {
    const codec = (await openCodecs(config, io.now)).notes(config.topics.notes);
    const batches = inBatches(readNotes(options.path, name, io), async error => {
      code = EXIT.input;
      await report(io, explain(error));
    });
    for await (const batch of batches) {
      await appendNotes({ transport, codec, topic: config.topics.notes, now: io.now }, batch);
      done += batch.length;
      progress.update(done);
    }
    return code;
  } finally {
    progress.end(); // also where its input failed: says how many are on the topic
    await transport.close();
  }
}

/** Where notes go. */
export interface NotesTopic {
  readonly transport: Transport;
  readonly codec: EventCodec<Note>;
  readonly topic: string;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

/** Appends notes in order, in transactions of at most `BATCH_RECORDS` of them. */
export async function appendNotes(to: NotesTopic, notes: readonly Note[]): Promise<void> {
  for (let i = 0; i < notes.length; i += BATCH_RECORDS) {
    const records = notes.slice(i, i + BATCH_RECORDS).map(note => toRecord(note, to));
    await to.transport.append(await Promise.all(records));
  }
}

async function toRecord(note: Note, { codec, topic, now }: NotesTopic): Promise<OutgoingRecord> {
  const attributes = { id: noteEventId(note), type: NOTE_EVENT_TYPE, source: '/clinstream/produce', time: now() };
  return {
    topic,
    key: Buffer.from(note.patientId, 'utf8'),
    value: await codec.encode(note),
    headers: eventHeaders(attributes),
  };
}

/** Each line's note, or why it holds none. */
export async function* readNotes(path: string, name: string, io: Io): AsyncIterable<Note | ClinstreamError> {
  for await (const line of readLines(readBytes(path, io.stdin))) {
    const note = parseNote(line, name);
    if (note !== undefined) yield note;
  }
}

/** Nothing for an empty line. */
function parseNote(line: Line, name: string): Note | ClinstreamError | undefined {
  const where = `${name}:${line.number}`;
  try {
    const text = lineText(line, name);
    return text.trim() === '' ? undefined : noteFromJson(parseJson(text));
  } catch (error) {
    if (!(error instanceof ClinstreamError)) throw error;
    return error.message.startsWith(where) ? error : new InputError('LINE_NOT_A_NOTE', `${where}: ${error.message}`);
  }
}

/** JSON.parse quotes its input when it fails: its error goes no further. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InputError('LINE_NOT_JSON', 'not JSON; each line must be one note as an object');
  }
}

/** Where its input fails, what came before is a batch too. */
async function* inBatches(
  notes: AsyncIterable<Note | ClinstreamError>,
  onBad: (error: ClinstreamError) => Promise<void>,
): AsyncIterable<Note[]> {
  let batch: Note[] = [];
  let bytes = 0;
  try {
    for await (const note of notes) {
      if (note instanceof ClinstreamError) {
        await onBad(note);
        continue;
      }
      batch.push(note);
      bytes += note.text.length;
      if (batch.length < BATCH_RECORDS && bytes < BATCH_BYTES) continue;
      yield batch;
      batch = [];
      bytes = 0;
    }
  } catch (error) {
    if (batch.length > 0) yield batch;
    throw error;
  }
  if (batch.length > 0) yield batch;
}
