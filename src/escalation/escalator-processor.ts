/**
 * The slow path as a processor: an escalation to the next revision of its note, or to a review that says why there is none. The
 * privacy gate is passed again before anything is sent. A revision is FINAL when every doubt is gone; what teachers decided of a note
 * that also needs a person is published as PROVISIONAL beside the review.
 */
import { ClinstreamError } from '../core/errors.ts';
import type { Fact, Observer } from '../core/facts.ts';
import type { Processor } from '../core/processor.ts';
import type { OutgoingRecord, StreamRecord } from '../core/record.ts';
import type { Task } from '../core/span.ts';
import type { EventCodec } from '../events/codec.ts';
import { deadLetter } from '../events/dead-letter.ts';
import { ENTITIES_EVENT_TYPE, entitiesEvent } from '../events/entities-event.ts';
import type { EntitiesEvent, EscalationEvent, ReviewEvent } from '../events/generated.ts';
import { eventHeaders } from '../events/headers.ts';
import { textSha256 } from '../events/identity.ts';
import { REVIEW_EVENT_TYPE, reviewEvent, type UndecidedTask } from '../events/review-event.ts';
import { PrivacyError } from '../text/privacy-error.ts';
import { type GatedNote, gate } from '../text/privacy-gate.ts';
import type { Chain } from './chain.ts';
import { type Belief, type DecidedTask, merge } from './merge.ts';

export interface EscalatorProcessorOptions {
  readonly chain: Pick<Chain, 'decide'>;
  readonly escalations: EventCodec<EscalationEvent>;
  readonly entities: EventCodec<EntitiesEvent>;
  readonly reviews: EventCodec<ReviewEvent>;
  readonly topics: { readonly entities: string; readonly review: string; readonly deadLetters: string };
  /** Of a revision: a larger one goes to review. */
  readonly maxBytes: number;
  /** A note is given up when its escalation is so old; milliseconds. */
  readonly deadlineMs: number;
  readonly belief: (teacher: string, task: Task) => Belief;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly observe: Observer;
}

interface Signals {
  readonly lost: AbortSignal;
  readonly stopping: AbortSignal;
}

interface Verdict {
  readonly decided: readonly DecidedTask[];
  readonly undecided: readonly UndecidedTask[];
  readonly usd: number;
}

type FactOutcome = Extract<Fact, { kind: 'escalation.ended' }>['outcome'];

const SOURCE = '/clinstream/escalator';

export class EscalatorProcessor implements Processor {
  readonly #options: EscalatorProcessorOptions;

  constructor(options: EscalatorProcessorOptions) {
    this.#options = options;
  }

  async process(record: StreamRecord, lost: AbortSignal, stopping: AbortSignal): Promise<readonly OutgoingRecord[]> {
    const { observe, topics } = this.#options;
    const { topic, partition, offset } = record;
    const end = (outcome: FactOutcome, reason?: string): void =>
      observe({ kind: 'escalation.ended', partition, offset, outcome, ...(reason === undefined ? {} : { reason }) });
    observe({ kind: 'escalation.taken', partition, offset });
    try {
      const escalation = await this.#options.escalations.decode(record.value);
      const verdict = await this.#verdict(escalation, { lost, stopping });
      const { outputs, reason } = await this.#outputs(escalation, verdict, record);
      end(reason === undefined ? 'revised' : 'reviewed', reason);
      return outputs;
    } catch (error) {
      if (!(error instanceof ClinstreamError) || error.stage !== 'decode') {
        end('given-back', error instanceof ClinstreamError ? error.code : 'UNKNOWN');
        throw error;
      }
      const { stage, code } = error;
      observe({ kind: 'record.dead-lettered', stage, code, topic, partition, offset });
      end('dead-lettered', code);
      return [deadLetter(record, error, { topic: topics.deadLetters, attempts: 1 })];
    }
  }

  async #verdict(escalation: EscalationEvent, signals: Signals): Promise<Verdict> {
    const tasks = [...new Set(escalation.doubts.map(({ task }) => task))];
    const note = gated(escalation);
    if (note === undefined) {
      const undecided = tasks.map(task => ({ task, reason: 'NOTE_REFUSED' as const, teachers: [] }));
      return { decided: [], undecided, usd: 0 };
    }
    const { chain, belief, deadlineMs } = this.#options;
    const deadline = escalation.escalatedAt + deadlineMs;
    const { noteId, noteVersion } = note;
    const subject = { noteId, noteVersion, textSha256: textSha256(note.text) };
    const decisions = await Promise.all(
      tasks.map(async task => ({ task, ...(await chain.decide({ note, task, subject, deadline, ...signals })) })),
    );
    return {
      decided: decisions.flatMap(each => {
        if (each.kind !== 'decided') return [];
        const { task, teacher, mentions } = each;
        return [{ task, teacher, mentions, belief: belief(teacher, task) }];
      }),
      undecided: decisions.flatMap(each => {
        if (each.kind !== 'undecided') return [];
        const { task, reason, teachers } = each;
        return [{ task, reason, teachers }];
      }),
      usd: decisions.reduce((sum, each) => sum + each.usd, 0),
    };
  }

  async #outputs(
    escalation: EscalationEvent,
    verdict: Verdict,
    record: StreamRecord,
  ): Promise<{ outputs: readonly OutgoingRecord[]; reason?: string }> {
    const { note, model } = escalation;
    const { decided, undecided, usd } = verdict;
    const at = this.#options.now();
    const outputs: OutgoingRecord[] = [];
    const revision = escalation.revision + (decided.length > 0 ? 1 : 0);
    if (decided.length > 0) {
      const status = undecided.length === 0 ? 'FINAL' : 'PROVISIONAL';
      const event = entitiesEvent({ note, model, status, revision, taggedAt: at, ...merge(escalation, decided) });
      const value = await this.#options.entities.encode(event);
      if (value.length > this.#options.maxBytes) return this.#outputs(escalation, tooLarge(verdict), record);
      outputs.push(
        this.#output(event, { topic: this.#options.topics.entities, type: ENTITIES_EVENT_TYPE, value, at }, record),
      );
    }
    if (undecided.length === 0) return { outputs };
    const { escalatedAt } = escalation;
    const event = reviewEvent({ note, model, revision, tasks: undecided, usd, escalatedAt, at });
    const value = await this.#options.reviews.encode(event);
    outputs.push(
      this.#output(event, { topic: this.#options.topics.review, type: REVIEW_EVENT_TYPE, value, at }, record),
    );
    return { outputs, reason: event.reason };
  }

  #output(
    event: { readonly eventId: string; readonly patientId: string },
    as: { readonly topic: string; readonly type: string; readonly value: Buffer; readonly at: number },
    record: StreamRecord,
  ): OutgoingRecord {
    const attributes = { id: event.eventId, type: as.type, source: SOURCE, time: as.at };
    return {
      topic: as.topic,
      key: Buffer.from(event.patientId, 'utf8'),
      value: as.value,
      headers: eventHeaders(attributes, record.headers),
    };
  }
}

/** Nothing of what was decided can be published. */
function tooLarge({ decided, undecided, usd }: Verdict): Verdict {
  const given = decided.map(({ task, teacher }) => ({ task, reason: 'TOO_LARGE' as const, teachers: [teacher] }));
  return { decided: [], undecided: [...undecided, ...given], usd };
}

/** Undefined when the gate refuses the note: it has become stricter, or the escalation is not the tagger's. */
function gated({ note }: EscalationEvent): GatedNote | undefined {
  try {
    return gate(note);
  } catch (error) {
    if (error instanceof PrivacyError) return undefined;
    throw error;
  }
}
