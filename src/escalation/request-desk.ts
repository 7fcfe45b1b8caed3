/**
 * Sends a request, once: a stored reply is used again, two notes that ask the same share one answer, and a new one is stored before
 * anyone sees it. On the way lie the provider's breaker, the budget and the audit trail. The desk never waits for any of them: it
 * says what stands in the way, and the chain decides what to do about it.
 */
import { join } from 'node:path';
import type { Observer } from '../core/facts.ts';
import type { Stop } from '../core/processor.ts';
import type { Quote, Reply, RequestKey, Teacher, TeacherRequest, Usage } from '../teachers/teacher.ts';
import { type TeacherCode, TeacherError } from '../teachers/teacher-error.ts';
import { type AuditEntry, AuditTrail } from './audit.ts';
import type { ProviderBreaker } from './breaker.ts';
import { Budget, type BudgetLimits, type Reservation } from './budget.ts';
import { EscalationError } from './escalation-error.ts';
import { ReplyStore, type StoredReply } from './reply-store.ts';
import { openState } from './state-database.ts';
import { unlessAborted } from './waiting-room.ts';

export type Answer =
  | { readonly kind: 'reply'; readonly quotes: readonly Quote[]; readonly usage: Usage }
  | { readonly kind: 'unusable'; readonly code: TeacherCode; readonly usage: Usage }
  /** A minute's limit; milliseconds since the Unix epoch. */
  | { readonly kind: 'wait'; readonly until: number }
  | { readonly kind: 'spent' }
  /** The breaker lets nothing through now, or nobody wants it any more. */
  | { readonly kind: 'closed-off' };

/** Whose note a request is about, for the audit trail. */
export interface Subject {
  readonly noteId: string;
  readonly noteVersion: number;
  readonly textSha256: string;
}

export interface DeskOptions {
  /** Folder of the state: replies, budget, audit trail. */
  readonly directory: string;
  readonly limits: BudgetLimits;
  readonly replyRetentionMs: number;
  /** A request is ended after so long. */
  readonly requestMs: number;
  /** How long a request under way may go on after the run begins to stop: it is paid for. */
  readonly graceMs: number;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** Tells the requests of the audit trail apart. */
  readonly newId: () => string;
  readonly observe: Observer;
}

/** What is asked, of whom, and about which note. */
export interface Asking {
  readonly teacher: Teacher;
  /** Of the teacher's provider. */
  readonly breaker: ProviderBreaker;
  readonly request: TeacherRequest;
  readonly subject: Subject;
  /** Whether it is still worth sending when its turn comes. */
  readonly wanted: () => boolean;
  /** After it aborts nothing new is sent, and requests under way have `graceMs` left. */
  readonly stopping: AbortSignal;
}

const NOTHING: Usage = { inputTokens: 0, outputTokens: 0, usd: 0, ms: 0 };

/** Failures after which the provider may charge all the same, and has not said what; so may it when it answered 2xx (`mayBeCharged`). */
const MAY_BE_CHARGED: readonly TeacherCode[] = [
  'TEACHER_TIMEOUT',
  'TEACHER_HUNG_UP',
  'REPLY_EMPTY',
  'REPLY_REFUSED',
  'REPLY_CUT',
  'REPLY_NOT_JSON',
  'REPLY_WRONG_SCHEMA',
];

export class RequestDesk {
  readonly #options: DeskOptions;
  readonly #database;
  readonly #store: ReplyStore;
  readonly #budget: Budget;
  readonly #audit: AuditTrail;
  readonly #underWay = new Map<string, Promise<Answer>>();
  readonly #ended = new AbortController();
  /** Whose end is waited for already. */
  readonly #runs = new WeakSet<AbortSignal>();
  #grace: NodeJS.Timeout | undefined;
  #closed: Promise<void> | undefined;

  /** @throws EscalationError when the state cannot be opened. */
  constructor(options: DeskOptions) {
    const { directory, limits, replyRetentionMs, now } = options;
    this.#options = options;
    this.#database = openState(directory);
    this.#store = new ReplyStore(this.#database, { retentionMs: replyRetentionMs, now });
    this.#budget = new Budget(this.#database, { limits, now });
    this.#audit = new AuditTrail(join(directory, 'audit.jsonl'), now);
    this.#reportBudget();
  }

  /** @throws TeacherError of fault provider, busy or setup; `stopping.reason`; EscalationError. */
  ask(asking: Asking): Promise<Answer> {
    const { teacher, request } = asking;
    const name = keyOf(request.key);
    const shared = this.#underWay.get(name);
    if (shared !== undefined) {
      return shared.then(answer => {
        this.#reportReused(teacher, request, answer);
        return answer;
      });
    }
    const answer = this.#ask(asking).finally(() => this.#underWay.delete(name));
    answer.catch(() => {}); // those who asked hear of it
    this.#underWay.set(name, answer);
    return answer;
  }

  /** Ends what is under way, and closes the files. */
  readonly close: Stop = () => {
    this.#closed ??= (async () => {
      this.#ended.abort(new Error('the desk is closed'));
      await Promise.allSettled(this.#underWay.values());
      clearTimeout(this.#grace);
      this.#audit.close();
      this.#database.close();
    })();
    return this.#closed;
  };

  async #ask(asking: Asking): Promise<Answer> {
    const { teacher, breaker, request, stopping } = asking;
    const stored = teacher.host === null ? undefined : this.#store.get(request.key);
    if (stored !== undefined) {
      const answer = answerOf(stored);
      this.#reportReused(teacher, request, answer);
      return answer;
    }
    const one = { requests: 1 };
    await breaker.admission.enter(one);
    try {
      stopping.throwIfAborted();
      this.#endAfterGrace(stopping);
      if (!breaker.ready || !asking.wanted()) return { kind: 'closed-off' };
      if (teacher.host === null) return await this.#askHere(asking);
      const grant = this.#budget.reserve(request.atMost);
      if (grant.kind !== 'granted') return grant;
      return await this.#send(asking, teacher.host, grant.reservation);
    } finally {
      breaker.admission.leave(one);
    }
  }

  /** Annotators on this machine cost nothing, and nothing leaves it. */
  async #askHere({ teacher, breaker, request, stopping }: Asking): Promise<Answer> {
    try {
      const { quotes, usage } = await breaker.call(() => this.#request(teacher, request, stopping));
      this.#reportAsked(teacher, request, 'OK', usage);
      return { kind: 'reply', quotes, usage };
    } catch (error) {
      if (!(error instanceof TeacherError)) throw error;
      this.#reportAsked(teacher, request, error.code, NOTHING);
      if (error.fault !== 'reply') throw error;
      return { kind: 'unusable', code: error.code, usage: NOTHING };
    }
  }

  async #send(
    { teacher, breaker, request, subject, stopping }: Asking,
    host: string,
    reservation: Reservation,
  ): Promise<Answer> {
    const about = { request: this.#options.newId(), ...auditAbout(teacher, host, request, subject) };
    const began = performance.now();
    const finish = (outcome: string, used: Usage | undefined): Usage => {
      const usage = used ?? { ...request.atMost, ms: performance.now() - began };
      // stored already: from here on a crash costs nothing but an estimate that stays
      if (used !== undefined) this.#budget.settle(reservation, used);
      const { inputTokens, outputTokens, usd, ms } = usage;
      const estimated = used === undefined;
      this.#audit.append({ event: 'ended', ...about, outcome, inputTokens, outputTokens, usd, estimated, ms });
      this.#reportAsked(teacher, request, outcome, usage);
      this.#reportBudget();
      return usage;
    };
    try {
      const { quotes, usage } = await breaker.call(() => {
        this.#audit.append({ event: 'asked', ...about });
        return this.#request(teacher, request, stopping);
      });
      this.#store.put(request.key, { code: null, quotes, usage });
      finish('OK', usage);
      return { kind: 'reply', quotes, usage };
    } catch (error) {
      if (!(error instanceof TeacherError)) {
        // it may have been sent: what was taken for it stays counted
        if (this.#ended.signal.aborted) finish('STOPPED', undefined);
        else if (error instanceof EscalationError && error.code === 'TEACHER_BROKEN') finish(error.code, undefined);
        throw error;
      }
      const used = error.usage ?? (mayBeCharged(error) ? undefined : NOTHING);
      if (error.fault !== 'reply') {
        finish(error.code, used);
        throw error;
      }
      const usage = used ?? { ...request.atMost, ms: performance.now() - began };
      this.#store.put(request.key, { code: error.code, quotes: [], usage });
      finish(error.code, used);
      return { kind: 'unusable', code: error.code, usage };
    }
  }

  /** @throws TeacherError TEACHER_TIMEOUT after `requestMs`, whatever the teacher makes of the signal; `stopping.reason`. */
  async #request(teacher: Teacher, request: TeacherRequest, stopping: AbortSignal): Promise<Reply> {
    const { requestMs } = this.#options;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), requestMs);
    const signal = AbortSignal.any([late.signal, this.#ended.signal]);
    try {
      return await unlessAborted(teacher.ask(request, signal), [signal]);
    } catch (error) {
      if (this.#ended.signal.aborted) throw stopping.aborted ? stopping.reason : this.#ended.signal.reason;
      if (!late.signal.aborted) {
        if (error instanceof TeacherError) throw error;
        throw new EscalationError(
          'TEACHER_BROKEN',
          `teacher ${teacher.name} failed in a way that teachers must not: a fault of clinstream, please report it`,
          { details: { teacher: teacher.name } },
        );
      }
      throw new TeacherError('TEACHER_TIMEOUT', `teacher ${teacher.name} gave no answer in ${requestMs} ms`, {
        details: { teacher: teacher.name, ms: requestMs },
      });
    } finally {
      clearTimeout(timer);
    }
  }

  #endAfterGrace(stopping: AbortSignal): void {
    if (this.#runs.has(stopping)) return;
    this.#runs.add(stopping);
    stopping.addEventListener('abort', () => {
      this.#grace ??= setTimeout(() => this.#ended.abort(stopping.reason), this.#options.graceMs);
    });
  }
  #reportAsked({ name }: Teacher, { task }: TeacherRequest, outcome: string, usage: Usage): void {
    const { inputTokens, outputTokens, usd, ms } = usage;
    this.#options.observe({ kind: 'teacher.asked', teacher: name, task, outcome, inputTokens, outputTokens, usd, ms });
  }

  #reportReused({ name }: Teacher, { task }: TeacherRequest, { kind }: Answer): void {
    if (kind === 'reply' || kind === 'unusable') this.#options.observe({ kind: 'reply.reused', teacher: name, task });
  }

  #reportBudget(): void {
    this.#options.observe({ kind: 'budget.used', usdToday: this.#budget.usdToday() });
  }
}

function mayBeCharged({ code, details: { status } }: TeacherError): boolean {
  const succeeded = typeof status === 'number' && status >= 200 && status < 300;
  return succeeded || MAY_BE_CHARGED.includes(code);
}

function keyOf({ textSha256, task, promptSha256, model }: RequestKey): string {
  return JSON.stringify([textSha256, task, promptSha256, model]);
}

function answerOf({ code, quotes, usage }: StoredReply): Answer {
  return code === null ? { kind: 'reply', quotes, usage } : { kind: 'unusable', code, usage };
}

function auditAbout(
  teacher: Teacher,
  host: string,
  { key, task }: TeacherRequest,
  { noteId, noteVersion, textSha256 }: Subject,
): Omit<Extract<AuditEntry, { event: 'asked' }>, 'event' | 'request'> {
  return {
    teacher: teacher.name,
    provider: teacher.provider,
    host,
    model: key.model,
    task,
    noteId,
    noteVersion,
    noteSha256: textSha256,
    sectionSha256: key.textSha256,
    promptSha256: key.promptSha256,
  };
}
