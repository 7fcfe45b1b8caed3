/** The codecs of one transport: the same Avro bodies, and values that name their schema as that transport's readers expect. */
import type { Note } from '../core/note.ts';
import type { EventCodec } from './codec.ts';
import { createConfluentCodec, valueSubject } from './confluent.ts';
import { createEntitiesCodec } from './entities-event.ts';
import { createEscalationCodec, escalationCodec } from './escalation-event.ts';
import type { EntitiesEvent, EscalationEvent, NoteEvent, ReviewEvent } from './generated.ts';
import { createNoteCodec, noteCodec } from './note-event.ts';
import type { SchemaRegistryClient } from './registry.ts';
import { createReviewCodec } from './review-event.ts';
import { type AvroRecord, ENTITIES_SCHEMA, ESCALATION_SCHEMA, NOTE_SCHEMA, REVIEW_SCHEMA } from './schemas.ts';
import { createValueToJson, type ValueToJson } from './to-json.ts';

export interface EventCodecs {
  notes(topic: string): EventCodec<Note>;
  entities(topic: string): EventCodec<EntitiesEvent>;
  escalations(topic: string): EventCodec<EscalationEvent>;
  reviews(topic: string): EventCodec<ReviewEvent>;
  /** For values of any topic. */
  readonly toJson: ValueToJson;
}

interface Limits {
  /** Larger notes are refused. */
  readonly noteBytes?: number;
}

/** An escalation holds the note and its mentions, which together may be a few times as large as the note. */
export const ESCALATION_FACTOR = 4;

/** For the embedded log. */
export function singleObjectCodecs({ noteBytes }: Limits = {}): EventCodecs {
  const notes = createNoteCodec(limit(noteBytes));
  const entities = createEntitiesCodec();
  const escalations = createEscalationCodec(limit(noteBytes, ESCALATION_FACTOR));
  const reviews = createReviewCodec();
  return {
    notes: () => notes,
    entities: () => entities,
    escalations: () => escalations,
    reviews: () => reviews,
    toJson: createValueToJson({ notes, entities, escalations, reviews }),
  };
}

/** For Kafka. */
export function confluentCodecs(
  options: Limits & { readonly registry: Pick<SchemaRegistryClient, 'schema' | 'idOf'> },
): EventCodecs {
  const { registry, noteBytes } = options;
  const codec = <E extends object>(schema: AvroRecord, topic: string, maxBytes = {}): EventCodec<E> =>
    createConfluentCodec<E>({ schema, registry, subject: valueSubject(topic), ...maxBytes });
  const codecs: Omit<EventCodecs, 'toJson'> = {
    notes: topic => noteCodec(codec<NoteEvent>(NOTE_SCHEMA, topic, limit(noteBytes))),
    entities: topic => codec<EntitiesEvent>(ENTITIES_SCHEMA, topic),
    escalations: topic =>
      escalationCodec(codec<EscalationEvent>(ESCALATION_SCHEMA, topic, limit(noteBytes, ESCALATION_FACTOR))),
    reviews: topic => codec<ReviewEvent>(REVIEW_SCHEMA, topic),
  };
  // a value is read by the id in it, whatever the topic
  const toJson = createValueToJson({
    notes: codecs.notes(''),
    entities: codecs.entities(''),
    escalations: codecs.escalations(''),
    reviews: codecs.reviews(''),
  });
  return { ...codecs, toJson };
}

function limit(maxBytes: number | undefined, factor = 1): { readonly maxBytes?: number } {
  return maxBytes === undefined ? {} : { maxBytes: factor * maxBytes };
}
