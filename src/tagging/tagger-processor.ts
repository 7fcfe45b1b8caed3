/**
 * The fast path as a processor: a note's record to its entities event, and to an escalation beside it where tasks are doubtful; or to
 * a dead letter with the record's bytes untouched. It waits for no teacher.
 * A fault of the input is an answer; only a fault of the machinery rejects, and then nothing is acknowledged.
 */
import type { Doubt } from '../core/doubt.ts';
import { ClinstreamError } from '../core/errors.ts';
import { type Observer, unobserved } from '../core/facts.ts';
import type { Note } from '../core/note.ts';
import type { Processor } from '../core/processor.ts';
import type { OutgoingRecord, StreamRecord } from '../core/record.ts';
import type { EventCodec } from '../events/codec.ts';
import { deadLetter } from '../events/dead-letter.ts';
import { ENTITIES_EVENT_TYPE, entitiesEvent } from '../events/entities-event.ts';
import { ESCALATION_EVENT_TYPE, escalationEvent } from '../events/escalation-event.ts';
import type { EntitiesEvent, EscalationEvent, ReviewEvent } from '../events/generated.ts';
import { eventHeaders } from '../events/headers.ts';
import { REVIEW_EVENT_TYPE, reviewEvent } from '../events/review-event.ts';
import type { ModelIdentity } from '../model/manifest.ts';
import { type GatedNote, gate } from '../text/privacy-gate.ts';
import type { Tagged, Tagger } from './tagger.ts';
import { TaggingError } from './tagging-error.ts';

/** Where doubts go. */
export interface Escalation {
  /** The tasks of a note that a teacher should decide; none where the student is sure enough. */
  readonly doubts: (tagged: Tagged) => readonly Doubt[];
  readonly escalations: EventCodec<EscalationEvent>;
  readonly reviews: EventCodec<ReviewEvent>;
  readonly topics: { readonly escalations: string; readonly review: string };
  /** A larger escalation, which no topic may take, is a review instead. */
  readonly maxBytes: number;
}

export interface TaggerProcessorOptions {
  readonly tagger: Pick<Tagger, 'tag'>;
  readonly model: ModelIdentity;
  readonly notes: EventCodec<Note>;
  readonly entities: EventCodec<EntitiesEvent>;
  readonly topics: { readonly entities: string; readonly deadLetters: string };
  /** A note whose event is larger, which no topic may take and no reader reads, is a dead letter. */
  readonly maxEntitiesBytes: number;
  /** Without it every revision is final. */
  readonly escalation?: Escalation;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly observe?: Observer;
}

const SOURCE = '/clinstream/tagger';

/** An event on its way out. */
interface Output {
  readonly id: string;
  readonly type: string;
  readonly topic: string;
  readonly value: Buffer;
}

export class TaggerProcessor implements Processor {
  readonly #options: TaggerProcessorOptions;
  readonly #observe: Observer;

  constructor(options: TaggerProcessorOptions) {
    this.#options = options;
    this.#observe = options.observe ?? unobserved;
  }

  async process(record: StreamRecord, signal: AbortSignal): Promise<readonly OutgoingRecord[]> {
    try {
      return await this.#outputs(record);
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

  async #outputs(record: StreamRecord): Promise<readonly OutgoingRecord[]> {
    const began = performance.now();
    const note = gate(await this.#options.notes.decode(record.value));
    const decoded = performance.now();
    const tagged = await this.#options.tagger.tag(note.text);
    const taggedAt = this.#options.now();
    const doubts = this.#options.escalation?.doubts(tagged) ?? [];
    const event = entitiesEvent({
      note,
      entities: tagged.entities,
      tasks: tagged.tasks.map(each => ({ ...each, decidedBy: 'student' })),
      model: this.#options.model,
      status: doubts.length === 0 ? 'FINAL' : 'PROVISIONAL',
      revision: 1,
      taggedAt,
    });
    const value = await this.#encode(event);
    const output = { id: event.eventId, type: ENTITIES_EVENT_TYPE, topic: this.#options.topics.entities, value };
    const escalated = doubts.length === 0 ? [] : [await this.#escalate(note, event, doubts)];
    this.#report(note.noteId, tagged, decoded - began);
    for (const { type } of escalated) {
      const kind = type === ESCALATION_EVENT_TYPE ? 'note.escalated' : 'note.too-large';
      this.#observe({ kind, noteId: note.noteId, tasks: doubts.map(({ task }) => task) });
    }
    return [output, ...escalated].map(({ id, type, topic, value }) => ({
      topic,
      key: Buffer.from(note.patientId, 'utf8'),
      value,
      headers: eventHeaders({ id, type, source: SOURCE, time: taggedAt }, record.headers),
    }));
  }

  async #encode(event: EntitiesEvent): Promise<Buffer> {
    const value = await this.#options.entities.encode(event);
    const { maxEntitiesBytes } = this.#options;
    if (value.length <= maxEntitiesBytes) return value;
    throw new TaggingError(
      'ENTITIES_TOO_LARGE',
      `the note's ${event.entities.length} entities take ${value.length} bytes; the limit is ${maxEntitiesBytes}: divide the note`,
      { details: { bytes: value.length, maxEntitiesBytes } },
    );
  }

  async #escalate(note: GatedNote, entities: EntitiesEvent, doubts: readonly Doubt[]): Promise<Output> {
    const { escalations, reviews, topics, maxBytes } = this.#options.escalation as Escalation;
    const escalatedAt = entities.taggedAt;
    const event = escalationEvent({ note, entities, doubts, escalatedAt });
    const value = await escalations.encode(event);
    if (value.length <= maxBytes)
      return { id: event.eventId, type: ESCALATION_EVENT_TYPE, topic: topics.escalations, value };
    const tasks = doubts.map(({ task }) => ({ task, reason: 'TOO_LARGE' as const, teachers: [] }));
    const { model, revision } = entities;
    const review = reviewEvent({ note, model, revision, tasks, usd: 0, escalatedAt, at: escalatedAt });
    return { id: review.eventId, type: REVIEW_EVENT_TYPE, topic: topics.review, value: await reviews.encode(review) };
  }

  #report(noteId: string, { entities, tokens, windows, stageMs }: Tagged, decode: number): void {
    const counts: Record<string, number> = {};
    for (const { task } of entities) counts[task] = (counts[task] ?? 0) + 1;
    this.#observe({ kind: 'note.tagged', noteId, tokens, windows, entities: counts, stageMs: { decode, ...stageMs } });
  }
}

/** How often the input was tried when the failure is the input's; undefined when it is the machinery's. */
export function attemptsAtInput(error: unknown): number | undefined {
  if (!(error instanceof ClinstreamError)) return undefined;
  if (error.stage === 'decode' || error.stage === 'privacy' || error.stage === 'tagging') return 1;
  return error.code === 'BATCH_FAILED' ? 2 : undefined;
}
