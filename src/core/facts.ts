/**
 * What happens in the program, as data: each observable fact is one type, and `telemetry/` turns it into one log line and its
 * metrics together. Parts report facts through an `Observer` and never log by themselves. No fact can carry note text: its
 * fields are identifiers, numbers and stable codes.
 */
import type { Stage } from './errors.ts';

export type Fact =
  | { readonly kind: 'model.loaded'; readonly name: string; readonly version: string; readonly sha256: string }
  | {
      readonly kind: 'device.chosen';
      readonly device: string;
      readonly requested: string;
      readonly reason: string;
      readonly workers: number;
      readonly threadsPerWorker: number;
    }
  | { readonly kind: 'worker.replaced'; readonly worker: number; readonly code: string }
  | {
      readonly kind: 'batch.run';
      readonly windows: number;
      readonly tokens: number;
      readonly paddedTokens: number;
      readonly queueMs: number;
      readonly runMs: number;
    }
  | { readonly kind: 'batch.retried'; readonly windows: number; readonly code: string }
  | { readonly kind: 'queue.changed'; readonly windows: number; readonly tokens: number }
  | {
      readonly kind: 'note.tagged';
      readonly noteId: string;
      readonly tokens: number;
      readonly windows: number;
      readonly entities: Readonly<Record<string, number>>;
      readonly stageMs: StageMilliseconds;
    }
  | {
      readonly kind: 'record.dead-lettered';
      readonly stage: Stage;
      readonly code: string;
      readonly topic: string;
      readonly partition: number;
      readonly offset: bigint;
    }
  /** Both models of a shadow tagged it; `apart` counts, by task, the words that only one of them marks. */
  | {
      readonly kind: 'note.shadowed';
      readonly noteId: string;
      readonly words: number;
      readonly apart: Readonly<Record<string, number>>;
    }
  /** A shadow could not compare it. */
  | {
      readonly kind: 'record.passed-over';
      readonly code: string;
      readonly topic: string;
      readonly partition: number;
      readonly offset: bigint;
    }
  /** An escalation of it was made. */
  | { readonly kind: 'note.escalated'; readonly noteId: string; readonly tasks: readonly string[] }
  /** It was doubtful, and went to review at once: its escalation would be too large for its topic. */
  | { readonly kind: 'note.too-large'; readonly noteId: string; readonly tasks: readonly string[] }
  | { readonly kind: 'escalation.taken'; readonly partition: number; readonly offset: bigint }
  | {
      readonly kind: 'escalation.ended';
      readonly partition: number;
      readonly offset: bigint;
      /** Every escalation taken ends once: as a revision that leaves no doubt, in review, as a dead letter, or given back undone. */
      readonly outcome: 'revised' | 'reviewed' | 'dead-lettered' | 'given-back';
      /** Why it was not revised. */
      readonly reason?: string;
    }
  | {
      readonly kind: 'teacher.asked';
      readonly teacher: string;
      readonly task: string;
      /** OK, or the code of what went wrong. */
      readonly outcome: string;
      readonly inputTokens: number;
      readonly outputTokens: number;
      readonly usd: number;
      readonly ms: number;
    }
  | { readonly kind: 'reply.reused'; readonly teacher: string; readonly task: string }
  | { readonly kind: 'teacher.disabled'; readonly teacher: string; readonly code: string }
  | { readonly kind: 'provider.busy'; readonly provider: string; readonly ms: number }
  | { readonly kind: 'breaker.changed'; readonly provider: string; readonly state: BreakerState }
  | { readonly kind: 'fallback.blocked'; readonly blocked: boolean }
  /** Something that sends notes to review happened for the first time on this day (UTC). */
  | { readonly kind: 'fallback.warned'; readonly reason: string }
  | { readonly kind: 'budget.used'; readonly usdToday: number }
  | {
      readonly kind: 'quotes.grounded';
      readonly teacher: string;
      readonly task: string;
      /** How many stood in the note, by how they were found there. */
      readonly aligned: Readonly<Record<string, number>>;
      /** How many could not be placed, by reason. */
      readonly dropped: Readonly<Record<string, number>>;
    }
  | {
      readonly kind: 'partition.assigned';
      readonly group: string;
      readonly topic: string;
      readonly partition: number;
      readonly position: bigint;
    }
  | {
      readonly kind: 'partition.lost';
      readonly group: string;
      readonly topic: string;
      readonly partition: number;
      readonly reason: string;
    }
  | {
      readonly kind: 'partition.lag';
      readonly group: string;
      readonly topic: string;
      readonly partition: number;
      readonly lag: bigint;
    }
  | {
      readonly kind: 'partition.truncated';
      readonly group: string;
      readonly topic: string;
      readonly partition: number;
      /** Records that expired before the group had read them. */
      readonly records: bigint;
    }
  | {
      readonly kind: 'partition.phase';
      readonly group: string;
      readonly topic: string;
      readonly partition: number;
      readonly phase: 'fencing' | 'fenced' | 'positioned' | 'beginning' | 'sent' | 'offsets-sent';
    }
  | { readonly kind: 'group.settled'; readonly group: string; readonly partitions: number }
  | { readonly kind: 'group.unsettled'; readonly group: string; readonly code: string }
  | { readonly kind: 'group.left'; readonly group: string }
  | {
      readonly kind: 'transaction.committed';
      readonly group: string;
      readonly topic: string;
      readonly partition: number;
      readonly records: number;
      readonly outputs: number;
      readonly ms: number;
    }
  | {
      readonly kind: 'transaction.failed';
      readonly group: string;
      readonly topic: string;
      readonly partition: number;
      readonly code: string;
      readonly retryable: boolean;
    }
  | {
      readonly kind: 'role.state';
      readonly role: string;
      readonly state: 'starting' | 'ready' | 'draining' | 'stopped' | 'failed';
      readonly code?: string;
    };

/** Half-open: one request may try. */
export type BreakerState = 'closed' | 'open' | 'half-open';

/** Time a note spent in each stage of the fast path, in milliseconds. */
export interface StageMilliseconds {
  readonly decode: number;
  readonly tokenize: number;
  readonly infer: number;
  readonly assemble: number;
}

export type Observer = (fact: Fact) => void;

/** For parts that run where nobody watches. */
export const unobserved: Observer = () => {};
