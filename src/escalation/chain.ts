/**
 * Who decides a task: its teachers in order, each asked for the whole note, the next one when a provider fails, has no money left or
 * gives nothing usable. When none can be asked now the task waits, until its time is up and never longer; nothing is dropped.
 * While every teacher of some task is behind an open breaker the chain is blocked, and nobody should bring more notes.
 */
import type { Observer } from '../core/facts.ts';
import type { Task } from '../core/span.ts';
import type { ReviewReason } from '../events/review-event.ts';
import type { Teacher, TeacherRequest } from '../teachers/teacher.ts';
import { TeacherError } from '../teachers/teacher-error.ts';
import type { GatedNote } from '../text/privacy-gate.ts';
import type { Answer, Subject } from './asking.ts';
import type { ProviderBreaker } from './breaker.ts';
import type { Ground, Placed } from './merge.ts';
import type { Place } from './minute-line.ts';
import type { RequestDesk } from './request-desk.ts';
import { TeacherSetups } from './teacher-setups.ts';
import { afterFailure, isResting, type Turn, turnOf } from './turn.ts';
import { unlessAborted, type WaitingRoom } from './waiting-room.ts';

export type Decision =
  | { readonly kind: 'decided'; readonly teacher: string; readonly mentions: readonly Placed[]; readonly usd: number }
  | {
      readonly kind: 'undecided';
      readonly reason: ReviewReason;
      readonly teachers: readonly string[];
      readonly usd: number;
    };

export interface ChainOptions {
  /** In order, for each task that may be asked about. */
  readonly teachers: ReadonlyMap<Task, readonly Teacher[]>;
  /** One a provider. */
  readonly breakers: ReadonlyMap<string, ProviderBreaker>;
  readonly desk: Pick<RequestDesk, 'ask' | 'line'>;
  readonly room: WaitingRoom;
  readonly ground: Ground;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly observe: Observer;
  /** A teacher is given up: who waits may look again, and whether the chain is blocked may have changed. */
  readonly onDisabled: () => void;
}

export interface TaskOfNote {
  readonly note: GatedNote;
  readonly task: Task;
  readonly subject: Subject;
  /** When its time is up; milliseconds since the Unix epoch. */
  readonly deadline: number;
  /** Aborted when nothing that comes of it can be used any more. */
  readonly lost: AbortSignal;
  readonly stopping: AbortSignal;
}

/** Of fewer quotes no share says anything. */
const SEVERAL = 3;
const DAY_MS = 86_400_000;

/** What a turn came to. `usd` is what its new answers cost. */
type Outcome =
  | Extract<Decision, { kind: 'decided' }>
  | { readonly kind: 'wait'; readonly until: number; readonly usd: number }
  | { readonly kind: 'not-now'; readonly usd: number };

export class Chain {
  readonly #options: ChainOptions;
  readonly #setups = new TeacherSetups();

  constructor(options: ChainOptions) {
    this.#options = options;
  }

  /** Whether some task can be asked of nobody until a breaker changes. */
  get blocked(): boolean {
    const { teachers, breakers } = this.#options;
    return [...teachers.values()].some(each => {
      const enabled = each.filter(teacher => !this.#setups.isDisabled(teacher));
      return enabled.length > 0 && enabled.every(teacher => breakers.get(teacher.provider)?.state === 'open');
    });
  }

  /** @throws TeacherError of fault setup when no other teacher is left; a signal's reason; EscalationError. */
  async decide(of: TaskOfNote): Promise<Decision> {
    const place = this.#options.desk.line.place();
    try {
      return await this.#decide(of, place);
    } finally {
      place.leave();
    }
  }

  async #decide(of: TaskOfNote, place: Place): Promise<Decision> {
    const { now, room } = this.#options;
    const turns: Turn[] = (this.#options.teachers.get(of.task) ?? []).map(turnOf);
    let usd = 0;
    const undecided = (reason: ReviewReason): Decision => ({
      kind: 'undecided',
      reason,
      teachers: turns.filter(each => each.plan !== undefined).map(each => each.teacher.name),
      usd,
    });
    const signals = [of.lost, of.stopping];
    for (;;) {
      for (const signal of signals) signal.throwIfAborted();
      const left = turns.filter(each => each.through === undefined && !this.#setups.isDisabled(each.teacher));
      if (left.length === 0) return undecided(this.#whyNobody(turns));
      const heard = room.calls;
      const at = now();
      if (at >= of.deadline) return undecided('TOO_OLD');
      const next = left.find(each => !isResting(each, at) && this.#breaker(each.teacher).ready);
      if (next === undefined) {
        place.stepAside();
        await room.wait(this.#nextLook(left, at, of.deadline) - at, signals, heard);
        continue;
      }
      const outcome = await this.#takeTurn(next, of, place);
      usd += outcome.usd;
      if (outcome.kind === 'decided') return { ...outcome, usd };
      if (outcome.kind !== 'wait') continue;
      const look = Math.min(outcome.until, this.#nextLook(left, now(), of.deadline));
      await room.wait(look - now(), signals, heard);
    }
  }

  /** Asks one teacher about the whole note. */
  async #takeTurn(turn: Turn, of: TaskOfNote, place: Place): Promise<Outcome> {
    const { teacher, answered } = turn;
    turn.plan ??= teacher.plan(of.note, of.task);
    const wasClosed = this.#breaker(teacher).state === 'closed';
    let usd = 0;
    try {
      for (const request of turn.plan.slice(answered.length)) {
        const answer = await this.#ask(turn, request, of, place);
        if (answer.kind === 'wait') return { kind: 'wait', until: answer.until, usd };
        if (answer.kind === 'closed-off') return { kind: 'not-now', usd };
        if (answer.kind === 'spent') {
          // what an outage used up ends no turn: tomorrow there is money again, and the next may cost nothing
          if (answer.forGood !== true && this.#breaker(teacher).state !== 'closed')
            turn.restUntil = tomorrow(this.#options.now());
          else turn.through = 'BUDGET_SPENT';
          return { kind: 'not-now', usd };
        }
        usd += answer.usage.usd;
        this.#setups.answered(teacher);
        if (answer.kind === 'unusable') {
          turn.through = 'REPLY_UNUSABLE';
          return { kind: 'not-now', usd };
        }
        answered.push(answer.quotes);
      }
    } catch (error) {
      this.#afterFailure(turn, error, wasClosed);
      return { kind: 'not-now', usd };
    }
    const mentions = this.#ground(of, turn);
    if (typeof mentions !== 'string') return { kind: 'decided', teacher: teacher.name, mentions, usd };
    turn.through = mentions;
    return { kind: 'not-now', usd };
  }

  #ask(turn: Turn, request: TeacherRequest, of: TaskOfNote, place: Place): Promise<Answer> {
    const { teacher } = turn;
    const asking = {
      teacher,
      breaker: this.#breaker(teacher),
      request,
      subject: of.subject,
      place,
      // whoever shares the request, and still wants it, asks again
      wanted: () => !of.lost.aborted && !this.#setups.isDisabled(teacher),
      stopping: of.stopping,
    };
    // a request that is out goes on when the note is lost: it is paid for, and stored for whoever has the note next
    return unlessAborted(this.#options.desk.ask(asking), [of.lost]);
  }

  /** @throws what is no failure of this teacher alone. */
  #afterFailure(turn: Turn, error: unknown, wasClosed: boolean): void {
    if (!(error instanceof TeacherError)) throw error;
    const { observe, onDisabled } = this.#options;
    switch (error.fault) {
      case 'busy':
        // its breaker knows how long
        return;
      case 'provider':
        this.#rest(turn, error, wasClosed);
        return;
      case 'reply':
        turn.through = 'REPLY_UNUSABLE';
        return;
      case 'setup':
        if (this.#setups.refused(turn.teacher, error)) {
          observe({ kind: 'teacher.disabled', teacher: turn.teacher.name, code: error.code });
          onDisabled();
        } else this.#rest(turn, error, wasClosed);
    }
  }

  #rest(turn: Turn, error: TeacherError, wasClosed: boolean): void {
    const { answers } = this.#breaker(turn.teacher);
    afterFailure(turn, error, { at: this.#options.now(), answers, wasClosed });
  }

  /** The reason when there were quotes and none stands in the note, or most of several do not: then what does is not trusted. */
  #ground({ note, task }: TaskOfNote, { teacher, plan = [], answered }: Turn): readonly Placed[] | ReviewReason {
    const sections = plan.map(({ section }, i) => ({ section, quotes: answered[i] ?? [] }));
    const grounded = this.#options.ground(note.text, sections);
    const dropped: Record<string, number> = {};
    for (const { reason } of grounded.dropped) dropped[reason] = (dropped[reason] ?? 0) + 1;
    this.#options.observe({
      kind: 'quotes.grounded',
      teacher: teacher.name,
      task,
      aligned: grounded.aligned,
      dropped,
    });
    const quoted = answered.reduce((sum, quotes) => sum + quotes.length, 0);
    if (quoted > 0 && grounded.placed.length === 0) return 'NOTHING_GROUNDED';
    return quoted >= SEVERAL && 2 * grounded.dropped.length > quoted ? 'MOSTLY_INVENTED' : grounded.placed;
  }

  /**
   * @throws TeacherError when a teacher's setup is wrong and the others say nothing about this note: a person must act before every
   * note is given up.
   */
  #whyNobody(turns: readonly Turn[]): ReviewReason {
    const [disabled] = turns.flatMap(each => this.#setups.whyDisabled(each.teacher) ?? []);
    const others = turns.filter(each => !this.#setups.isDisabled(each.teacher));
    if (disabled !== undefined && others.every(each => each.through === 'BUDGET_SPENT')) throw disabled;
    const reasons = turns.flatMap(each => each.through ?? []);
    if (reasons.length === 0) return 'NO_TEACHER';
    return reasons.find(reason => reason === 'BUDGET_SPENT') ?? (reasons.at(-1) as ReviewReason);
  }

  #nextLook(left: readonly Turn[], now: number, deadline: number): number {
    const times = left.map(({ teacher, restUntil }) => Math.max(restUntil, this.#breaker(teacher).busyUntil));
    return Math.min(deadline, ...times.filter(time => time > now));
  }

  #breaker({ provider }: Teacher): ProviderBreaker {
    const breaker = this.#options.breakers.get(provider);
    if (breaker === undefined) throw new TypeError(`provider ${provider} has no breaker`);
    return breaker;
  }
}

/** The next midnight in UTC; milliseconds since the Unix epoch. */
function tomorrow(now: number): number {
  return (Math.floor(now / DAY_MS) + 1) * DAY_MS;
}
