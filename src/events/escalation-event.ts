/** A doubtful note on its way to a teacher: the note itself and its first revision, so that the next one needs no look-up. */
import type { Doubt } from '../core/doubt.ts';
import type { Note } from '../core/note.ts';
import { DecodeError, type EventCodec } from './codec.ts';
import type { EntitiesEvent, EscalationEvent } from './generated.ts';
import { deterministicId } from './identity.ts';
import { requireNote } from './note-event.ts';
import { ESCALATION_SCHEMA, fullName } from './schemas.ts';
import { createSingleObjectCodec } from './single-object.ts';

/** `ce_type` of an escalation. */
export const ESCALATION_EVENT_TYPE = fullName(ESCALATION_SCHEMA);

export interface EscalationOfNote {
  readonly note: Note;
  /** The revision that the doubts are about. */
  readonly entities: EntitiesEvent;
  /** At least one; each task once. */
  readonly doubts: readonly Doubt[];
  /** Milliseconds since the Unix epoch. */
  readonly escalatedAt: number;
}

/** Escalations in single-object encoding. @throws DecodeError, also NOTE_INVALID: it is an escalation, but of no note or of no doubt. */
export function createEscalationCodec(options: { readonly maxBytes?: number } = {}): EventCodec<EscalationEvent> {
  return escalationCodec(createSingleObjectCodec<EscalationEvent>({ schema: ESCALATION_SCHEMA, ...options }));
}

/** Escalations over any codec of their events. */
export function escalationCodec(events: EventCodec<EscalationEvent>): EventCodec<EscalationEvent> {
  return {
    encode: event => events.encode(event),
    decode: async value => {
      const event = await events.decode(value);
      requireNote(event.note);
      if (event.doubts.length === 0) {
        throw new DecodeError('NOTE_INVALID', 'doubts must not be empty', { details: { field: 'doubts' } });
      }
      return event;
    },
  };
}

/** `eventId` does not depend on when it was escalated. */
export function escalationEvent({ note, entities, doubts, escalatedAt }: EscalationOfNote): EscalationEvent {
  const { noteId, noteVersion, textSha256, model, revision } = entities;
  return {
    eventId: deterministicId(['escalation', noteId, noteVersion, textSha256, model.sha256, revision]),
    note,
    revision,
    model,
    tasks: entities.tasks,
    entities: entities.entities,
    doubts: doubts.map(({ task, score, value, threshold }) => ({ task, score, value, threshold })),
    escalatedAt,
  };
}
