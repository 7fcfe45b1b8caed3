/** `produce`: notes as JSON Lines onto the notes topic, in transactions; a line that holds no note is named and skipped. */
import { setTimeout as sleep } from 'node:timers/promises';
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
import { Interrupted, onInterrupt } from './signals.ts';

const BATCH_RECORDS = 200;
const BATCH_BYTES = 4 * 1024 * 1024;
/** A note of a live pipe waits for others no longer, in milliseconds. */
const LINGER_MS = 1_000;

/**
 * @returns the exit code: EXIT.input when a line was refused; all others are on the topic.
 * @throws Interrupted when a signal came before the end: what was read until then is on the topic.
 */
export async function produce(config: Config, options: { path: string; quiet: boolean }, io: Io): Promise<number> {
  const transport = await openTransport(config, { create: false, now: io.now });
  const progress = createProgress({
    label: 'produce',
    unit: 'notes',
    quiet: options.quiet,
    stream: io.stderr,
    now: io.now,
  });
  const interrupt = onInterrupt();
  const { path } = options;
  const name = path === '-' ? 'stdin' : path;
  // a pipe in which nothing comes would keep the process
  const endInput = (): void => void (path === '-' && io.stdin.destroy());
  interrupt.signal.addEventListener('abort', endInput);
  let code: number = EXIT.ok;
  let done = 0;
  try {
    const codec = (await openCodecs(config, io.now)).notes(config.topics.notes);
    const onBad = async (error: ClinstreamError): Promise<void> => {
      code = EXIT.input;
      await report(io, explain(error));
    };
    for await (const batch of inBatches(readNotes(path, name, io), interrupt.signal, onBad)) {
      await appendNotes({ transport, codec, topic: config.topics.notes, now: io.now }, batch);
      done += batch.length;
      progress.update(done);
    }
    if (interrupt.signal.aborted) throw new Interrupted();
    return code;
  } catch (error) {
    throw interrupt.signal.aborted && error instanceof InputError ? new Interrupted() : error;
  } finally {
    progress.end(); // also where its input failed: says how many are on the topic
    interrupt.dispose();
    endInput();
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

/** Where its input fails, is interrupted or makes wait, what came before is a batch too. */
async function* inBatches(
  notes: AsyncIterable<Note | ClinstreamError>,
  interrupted: AbortSignal,
  onBad: (error: ClinstreamError) => Promise<void>,
): AsyncIterable<Note[]> {
  const source = notes[Symbol.asyncIterator]();
  let pending: Promise<IteratorResult<Note | ClinstreamError>> | undefined;
  for (let ended = false; !ended && !interrupted.aborted; ) {
    const batch = new Batch();
    try {
      while (!batch.full && !interrupted.aborted) {
        pending ??= source.next();
        const given = await Promise.race([pending, ...batch.late]);
        if (given === 'late') break;
        pending = undefined;
        ended = given.done === true;
        if (given.done === true) break;
        if (given.value instanceof ClinstreamError) await onBad(given.value);
        else batch.push(given.value);
      }
    } catch (error) {
      if (batch.notes.length > 0) yield batch.notes;
      throw error;
    } finally {
      batch.close();
    }
    if (batch.notes.length > 0) yield batch.notes;
  }
}

class Batch {
  readonly notes: Note[] = [];
  /** None while it is empty. */
  late: readonly Promise<'late'>[] = [];
  readonly #linger = new AbortController();
  #bytes = 0;

  get full(): boolean {
    return this.notes.length >= BATCH_RECORDS || this.#bytes >= BATCH_BYTES;
  }

  push(note: Note): void {
    this.notes.push(note);
    this.#bytes += note.text.length;
    if (this.late.length > 0) return;
    this.late = [sleep(LINGER_MS, 'late' as const, { signal: this.#linger.signal })];
    for (const late of this.late) late.catch(() => {}); // it is closed first
  }

  close(): void {
    this.#linger.abort();
  }
}
