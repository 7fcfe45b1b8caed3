/**
 * The fast path as a processor: a note's record to its entities event, or to a dead letter with the record's bytes untouched.
 * A fault of the input is an answer; only a fault of the machinery rejects, and then nothing is acknowledged.
 */
import { ClinstreamError } from '../core/errors.ts';
import { type Observer, unobserved } from '../core/facts.ts';
import type { Note } from '../core/note.ts';
import type { Processor } from '../core/processor.ts';
import type { OutgoingRecord, StreamRecord } from '../core/record.ts';
import type { EventCodec } from '../events/codec.ts';
import { deadLetter } from '../events/dead-letter.ts';
import { ENTITIES_EVENT_TYPE, entitiesEvent } from '../events/entities-event.ts';
import type { EntitiesEvent } from '../events/generated.ts';
import { eventHeaders } from '../events/headers.ts';
import type { ModelIdentity } from '../model/manifest.ts';
import { gate } from '../text/privacy-gate.ts';
import type { Tagged, Tagger } from './tagger.ts';

export interface TaggerProcessorOptions {
  readonly tagger: Pick<Tagger, 'tag'>;
  readonly model: ModelIdentity;
  readonly notes: EventCodec<Note>;
  readonly entities: EventCodec<EntitiesEvent>;
  readonly topics: { readonly entities: string; readonly deadLetters: string };
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly observe?: Observer;
}

const SOURCE = '/clinstream/tagger';

export class TaggerProcessor implements Processor {
  readonly #options: TaggerProcessorOptions;
  readonly #observe: Observer;

  constructor(options: TaggerProcessorOptions) {
    this.#options = options;
    this.#observe = options.observe ?? unobserved;
  }

  async process(record: StreamRecord, signal: AbortSignal): Promise<readonly OutgoingRecord[]> {
    try {
      return [await this.#entities(record)];
    } catch (error) {
      signal.throwIfAborted();
      const attempts = attemptsAtInput(error);
      if (attempts === undefined) throw error;
      const { stage, code } = error as ClinstreamError;
      const { topic, partition, offset } = record;
      this.#observe({ kind: 'record.dead-lettered', stage, code, topic, partition, offset });
      return [deadLetter(record, error as ClinstreamError, { topic: this.#options.topics.deadLetters, attempts })];
    }
  }

  async #entities(record: StreamRecord): Promise<OutgoingRecord> {
    const began = performance.now();
    const note = gate(await this.#options.notes.decode(record.value));
    const decoded = performance.now();
    const tagged = await this.#options.tagger.tag(note.text);
    const taggedAt = this.#options.now();
    const event = entitiesEvent({
      note,
      entities: tagged.entities,
      tasks: tagged.tasks.map(each => ({ ...each, decidedBy: 'student' })),
      model: this.#options.model,
      status: 'FINAL',
      revision: 1,
      taggedAt,
    });
    const attributes = { id: event.eventId, type: ENTITIES_EVENT_TYPE, source: SOURCE, time: taggedAt };
    const value = await this.#options.entities.encode(event);
    this.#report(note.noteId, tagged, decoded - began);
    return {
      topic: this.#options.topics.entities,
      key: Buffer.from(note.patientId, 'utf8'),
      value,
      headers: eventHeaders(attributes, record.headers),
    };
  }

  #report(noteId: string, { entities, tokens, windows, stageMs }: Tagged, decode: number): void {
    const counts: Record<string, number> = {};
    for (const { task } of entities) counts[task] = (counts[task] ?? 0) + 1;
    this.#observe({ kind: 'note.tagged', noteId, tokens, windows, entities: counts, stageMs: { decode, ...stageMs } });
  }
}

/** How often the input was tried when the failure is the input's; undefined when it is the machinery's. */
function attemptsAtInput(error: unknown): number | undefined {
  if (!(error instanceof ClinstreamError)) return undefined;
  if (error.stage === 'decode' || error.stage === 'privacy') return 1;
  return error.code === 'BATCH_FAILED' ? 2 : undefined;
}
