/** The codecs of one transport: the same Avro bodies, and values that name their schema as that transport's readers expect. */
import type { Note } from '../core/note.ts';
import type { EventCodec } from './codec.ts';
import { createConfluentCodec, valueSubject } from './confluent.ts';
import { createEntitiesCodec } from './entities-event.ts';
import type { EntitiesEvent, NoteEvent } from './generated.ts';
import { createNoteCodec, noteCodec } from './note-event.ts';
import type { SchemaRegistryClient } from './registry.ts';
import { ENTITIES_SCHEMA, NOTE_SCHEMA } from './schemas.ts';
import { createValueToJson, type ValueToJson } from './to-json.ts';

export interface EventCodecs {
  notes(topic: string): EventCodec<Note>;
  entities(topic: string): EventCodec<EntitiesEvent>;
  /** For values of any topic. */
  readonly toJson: ValueToJson;
}

interface Limits {
  /** Larger notes are refused. */
  readonly noteBytes?: number;
}

/** For the embedded log. */
export function singleObjectCodecs({ noteBytes }: Limits = {}): EventCodecs {
  const notes = createNoteCodec(limit(noteBytes));
  const entities = createEntitiesCodec();
  return { notes: () => notes, entities: () => entities, toJson: createValueToJson({ notes, entities }) };
}

/** For Kafka. */
export function confluentCodecs(
  options: Limits & { readonly registry: Pick<SchemaRegistryClient, 'schema' | 'idOf'> },
): EventCodecs {
  const { registry, noteBytes } = options;
  const notes = (topic: string): EventCodec<Note> =>
    noteCodec(
      createConfluentCodec<NoteEvent>({
        schema: NOTE_SCHEMA,
        registry,
        subject: valueSubject(topic),
        ...limit(noteBytes),
      }),
    );
  const entities = (topic: string): EventCodec<EntitiesEvent> =>
    createConfluentCodec({ schema: ENTITIES_SCHEMA, registry, subject: valueSubject(topic) });
  // a value is read by the id in it, whatever the topic
  return { notes, entities, toJson: createValueToJson({ notes: notes(''), entities: entities('') }) };
}

function limit(maxBytes: number | undefined): { readonly maxBytes?: number } {
  return maxBytes === undefined ? {} : { maxBytes };
}
