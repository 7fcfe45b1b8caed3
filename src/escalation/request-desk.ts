/**
 * Sends a request, once: a stored reply is used again, two notes that ask the same share one answer, and a new one is stored before
 * anyone sees it. On the way lie the provider's breaker, the budget and the audit trail. The desk never waits for any of them: it
 * says what stands in the way, and the chain decides what to do about it.
 */
import { join } from 'node:path';
import type { Observer } from '../core/facts.ts';
import type { Stop } from '../core/processor.ts';
import type { Reply, RequestKey, Teacher, TeacherRequest, Usage } from '../teachers/teacher.ts';
import { TeacherError } from '../teachers/teacher-error.ts';
import { type Answer, type Asking, answerOf, auditAbout, keyOf } from './asking.ts';
import { AuditTrail } from './audit.ts';
import { Budget, type BudgetLimits, type Reservation } from './budget.ts';
import { type Charge, chargeOf } from './charge.ts';
import { EscalationError } from './escalation-error.ts';
import { MinuteLine } from './minute-line.ts';
import { ReplyStore, type StoredReply } from './reply-store.ts';
import { openState } from './state-database.ts';
import { unlessAborted } from './waiting-room.ts';

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
  /** A request has given back what was taken for it, or the line moved on: who waits for money or the minute may look again. */
  readonly onSettled: () => void;
}

const NOTHING: Usage = { inputTokens: 0, outputTokens: 0, usd: 0, ms: 0 };

/** How much longer a request counts as under way than it may take: to store its reply. */
const MARGIN_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const CLOSED = new Error('the desk is closed');

export class RequestDesk {
  /** Of those whom the minute's limits make wait; whoever asks takes a place in it, and leaves it in the end. */
  readonly line: MinuteLine;
  readonly #options: DeskOptions;
  readonly #database;
  readonly #store: ReplyStore;
  readonly #budget: Budget;
  readonly #audit: AuditTrail;
  readonly #underWay = new Map<string, Promise<Answer>>();
  readonly #ended = new AbortController();
  /** Whose end is waited for already. */
  readonly #runs = new WeakSet<AbortSignal>();
  readonly #purging: NodeJS.Timeout;
  #grace: NodeJS.Timeout | undefined;
  #closed: Promise<void> | undefined;

  /** @throws EscalationError when the state cannot be opened. */
  constructor(options: DeskOptions) {
    const { directory, limits, replyRetentionMs, now } = options;
    this.#options = options;
    this.line = new MinuteLine(options.onSettled);
    this.#database = openState(directory);
    this.#store = new ReplyStore(this.#database, { retentionMs: replyRetentionMs, now });
    this.#budget = new Budget(this.#database, { limits, now });
    this.#audit = new AuditTrail(join(directory, 'audit.jsonl'), now);
    this.#store.purge();
    this.#purging = setInterval(() => this.#purge(), HOUR_MS);
    this.#purging.unref();
    this.#reportBudget();
  }

  /** @throws TeacherError of fault provider, busy or setup; `stopping.reason`; EscalationError. */
  ask(asking: Asking): Promise<Answer> {
    const { teacher, request, place } = asking;
    const name = keyOf(request.key);
    const shared = this.#underWay.get(name);
    if (shared !== undefined) {
      place.stepAside();
      return shared.then(answer => {
        this.#reportReused(teacher, request, answer);
        return answer;
      });
    }
    if (this.#isBehind(asking)) {
      // whom no minute helps waits for none
      const spent = place.inLine ? undefined : this.#budget.spent(request.atMost);
      return Promise.resolve(spent ?? this.#stand(asking));
    }
    const answer = this.#ask(asking).finally(() => this.#underWay.delete(name));
    answer.catch(() => {}); // those who asked hear of it
    this.#underWay.set(name, answer);
    return answer;
  }

  /** US dollars counted in its folder, ever. */
  usdInAll(): number {
    return this.#budget.usdInAll();
  }

  stored(key: RequestKey): StoredReply | undefined {
    return this.#store.get(key);
  }

  /**
   * Sends nothing new, leaves what is under way what is left of its grace, ends it, and closes the files. A run may be over long before
   * its requests are: the first of a partition that is given back takes all behind it along.
   */
  readonly close: Stop = () => {
    this.#closed ??= (async () => {
      this.#beginGrace(CLOSED);
      await Promise.allSettled(this.#underWay.values());
      clearTimeout(this.#grace);
      clearInterval(this.#purging);
      this.#audit.close();
      this.#database.close();
    })();
    return this.#closed;
  };

  async #ask(asking: Asking): Promise<Answer> {
    const { teacher, breaker, request, place, stopping } = asking;
    this.#throwIfClosed(stopping);
    const known = this.#stored(teacher, request);
    if (known !== undefined) return known;
    const one = { requests: 1 };
    if (!breaker.admission.tryEnter(one)) {
      place.stepAside();
      await breaker.admission.enter(one);
    }
    try {
      stopping.throwIfAborted();
      this.#throwIfClosed(stopping);
      this.#endAfterGrace(stopping);
      if (!breaker.ready || !asking.wanted()) return { kind: 'closed-off' };
      if (teacher.host === null) {
        place.stepAside();
        return await this.#askHere(asking);
      }
      if (this.#isBehind(asking)) return this.#stand(asking);
      const hold = { name: keyOf(request.key), ms: this.#options.requestMs + MARGIN_MS };
      const grant = this.#budget.reserve(request.atMost, hold);
      // another process may have had it out since; it stores its reply before it settles
      const since = this.#stored(teacher, request);
      if (since !== undefined) {
        if (grant.kind === 'granted') this.#budget.release(grant.reservation);
        return since;
      }
      if (grant.kind === 'full') return this.#standFirst(asking, grant.until);
      place.stepAside();
      if (grant.kind !== 'granted') return grant;
      return await this.#send(asking, teacher.host, grant.reservation);
    } finally {
      breaker.admission.leave(one);
    }
  }

  /** Whether others stand before it for what it would take. */
  #isBehind({ teacher, request, place }: Asking): boolean {
    const takes = this.#closed === undefined && teacher.host !== null;
    return takes && !place.first && this.#store.get(request.key) === undefined;
  }

  /** The line tells when it moves. */
  #stand({ place }: Asking): Answer {
    place.stand();
    return { kind: 'wait', until: this.#options.now() + MINUTE_MS };
  }

  /** @param until when the minute may have room. */
  #standFirst({ place }: Asking, until: number): Answer {
    place.stand(this.#options.now());
    return { kind: 'wait', until };
  }

  /** A reply that is there already; of annotators on this machine none is kept. */
  #stored(teacher: Teacher, request: TeacherRequest): Answer | undefined {
    const stored = teacher.host === null ? undefined : this.#store.get(request.key);
    if (stored === undefined) return undefined;
    const answer = answerOf(stored);
    this.#reportReused(teacher, request, answer);
    return answer;
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

  async #send(asking: Asking, host: string, reservation: Reservation): Promise<Answer> {
    const { teacher, breaker, request, stopping } = asking;
    const about = { request: this.#options.newId(), ...auditAbout(asking, host) };
    const trying = breaker.state !== 'closed';
    const began = performance.now();
    const finish = (outcome: string, { usage, estimated }: Charge): void => {
      // stored already: from here on a crash costs nothing but the bound that stays
      this.#budget.settle(reservation, usage);
      const { inputTokens, outputTokens, usd, ms } = usage;
      this.#audit.append({ event: 'ended', ...about, outcome, inputTokens, outputTokens, usd, estimated, ms });
      this.#reportAsked(teacher, request, outcome, usage);
      this.#reportBudget();
      this.#options.onSettled();
    };
    try {
      const { quotes, usage } = await breaker.call(() => {
        this.#audit.append({ event: 'asked', ...about });
        return this.#request(teacher, request, stopping);
      });
      this.#store.put(request.key, { code: null, quotes, usage });
      finish('OK', { usage, estimated: false });
      return { kind: 'reply', quotes, usage };
    } catch (error) {
      const charge = chargeOf(request, error, { trying, ms: performance.now() - began });
      if (!(error instanceof TeacherError)) {
        // it may have been sent
        if (this.#ended.signal.aborted) finish('STOPPED', charge);
        else if (error instanceof EscalationError && error.code === 'TEACHER_BROKEN') finish(error.code, charge);
        throw error;
      }
      if (error.fault !== 'reply') {
        finish(error.code, charge);
        throw error;
      }
      const { usage } = charge;
      this.#store.put(request.key, { code: error.code, quotes: [], usage });
      finish(error.code, charge);
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

  #throwIfClosed(stopping: AbortSignal): void {
    if (this.#closed === undefined) return;
    throw stopping.aborted ? stopping.reason : CLOSED;
  }

  #endAfterGrace(stopping: AbortSignal): void {
    if (this.#runs.has(stopping)) return;
    this.#runs.add(stopping);
    stopping.addEventListener('abort', () => this.#beginGrace(stopping.reason));
  }

  #beginGrace(reason: unknown): void {
    this.#grace ??= setTimeout(() => this.#ended.abort(reason), this.#options.graceMs);
  }

  #reportAsked({ name }: Teacher, { task }: TeacherRequest, outcome: string, usage: Usage): void {
    const { inputTokens, outputTokens, usd, ms } = usage;
    this.#options.observe({ kind: 'teacher.asked', teacher: name, task, outcome, inputTokens, outputTokens, usd, ms });
  }

  #reportReused({ name }: Teacher, { task }: TeacherRequest, { kind }: Answer): void {
    if (kind === 'reply' || kind === 'unusable') this.#options.observe({ kind: 'reply.reused', teacher: name, task });
  }

  #purge(): void {
    try {
      this.#store.purge();
    } catch (error) {
      // the next hour will do; whoever writes a reply meanwhile reports the fault
      if (!(error instanceof EscalationError)) throw error;
    }
  }

  #reportBudget(): void {
    this.#options.observe({ kind: 'budget.used', usdToday: this.#budget.usdToday() });
  }
}
