/** What the product says about a note. Every event is a function of the note, the model and the revision, down to its id. */
import type { Note } from '../core/note.ts';
import type { Entity } from '../core/span.ts';
import type { EventCodec } from './codec.ts';
import type { EntitiesEvent, EntityMention, ModelIdentity, Status, TaskDecision } from './generated.ts';
import { deterministicId, textSha256 } from './identity.ts';
import { ENTITIES_SCHEMA, fullName } from './schemas.ts';
import { createSingleObjectCodec } from './single-object.ts';

/** `ce_type` of an entities event. */
export const ENTITIES_EVENT_TYPE = fullName(ENTITIES_SCHEMA);

/** A mention with what later stages know about it; the student found it where nothing else is said. */
export type Mention = Entity & Partial<Pick<EntityMention, 'source' | 'section' | 'assertion' | 'codes'>>;

export interface EntitiesOfNote {
  readonly note: Note;
  /** In text order. */
  readonly entities: readonly Mention[];
  readonly tasks: readonly TaskDecision[];
  readonly model: ModelIdentity;
  readonly status: Status;
  /** 1 from the tagger; higher when a teacher or a reviewer decided later. */
  readonly revision: number;
  /** Milliseconds since the Unix epoch. */
  readonly taggedAt: number;
}

/** Entities events in single-object encoding. */
export function createEntitiesCodec(options: { readonly maxBytes?: number } = {}): EventCodec<EntitiesEvent> {
  return createSingleObjectCodec<EntitiesEvent>({ schema: ENTITIES_SCHEMA, ...options });
}

/** The event of one revision of a note's entities; `eventId` does not depend on when it was tagged. */
export function entitiesEvent(of: EntitiesOfNote): EntitiesEvent {
  const { note, model, revision } = of;
  const sha256 = textSha256(note.text);
  return {
    eventId: deterministicId(['entities', note.noteId, note.noteVersion, sha256, model.sha256, revision]),
    noteId: note.noteId,
    noteVersion: note.noteVersion,
    revision,
    status: of.status,
    patientId: note.patientId,
    encounterId: note.encounterId,
    noteType: note.noteType,
    authoredAt: note.authoredAt,
    textSha256: sha256,
    offsetUnit: 'unicode-code-point',
    model: { name: model.name, version: model.version, sha256: model.sha256 },
    tasks: of.tasks.map(({ task, confidence, decidedBy }) => ({ task, confidence, decidedBy })),
    entities: of.entities.map(mention),
    taggedAt: of.taggedAt,
  };
}

function mention(entity: Mention): EntityMention {
  const { task, start, end, text, confidence, source, section, assertion, codes } = entity;
  return {
    task,
    start,
    end,
    text,
    confidence,
    source: source ?? 'student',
    section: section ?? null,
    assertion: assertion ?? null,
    codes: codes ?? [],
  };
}
