/**
 * What may be spent: US dollars a day (UTC), tokens and requests in any 60 seconds, over all processes that share the file.
 * What a request may cost at most is taken before it is sent and corrected when its usage is known, so a crash in between leaves
 * it counted. Money is spent when what is settled says so; what requests under way hold may come back, and is waited for, as is a
 * request of the same name that another process has out. Invariant: the day's sum never exceeds its limit, unless a request cost more
 * than it was said to at most.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { Usage } from '../teachers/teacher.ts';
import { transaction } from './state-database.ts';

export interface BudgetLimits {
  /** Null limits nothing. */
  readonly usdPerDay: number | null;
  /** Of everything that was ever counted in the file; nothing when absent. */
  readonly usdInAll?: number;
  /** Input and output together. */
  readonly tokensPerMinute: number | null;
  readonly requestsPerMinute: number | null;
}

export type Cost = Pick<Usage, 'inputTokens' | 'outputTokens' | 'usd'>;

/** What was taken for one request. */
export interface Reservation {
  readonly id: number | bigint;
  readonly day: string;
  readonly nanoUsd: number;
}

export type Grant =
  | { readonly kind: 'granted'; readonly reservation: Reservation }
  /** It may be worth asking again from this time on, in milliseconds since the Unix epoch, or when a request is settled. */
  | { readonly kind: 'wait'; readonly until: number }
  /** The day's money is spent; or all that there is, so that tomorrow changes nothing. */
  | { readonly kind: 'spent'; readonly forGood?: true };

/** A request while it is under way. */
export interface Hold {
  /** The same for the same question: nobody asks it again meanwhile. */
  readonly name: string;
  /** When it has surely ended; milliseconds from now. */
  readonly ms: number;
}

/** What waits for the minute, before a request: room is kept for it. */
interface Ahead {
  readonly requests: number;
  readonly tokens: number;
}

/** Other processes settle without a word. */
const LOOK_AGAIN_MS = 1_000;
const MINUTE_MS = 60_000;
/** Who has not looked again so long after it was to does not wait any more. */
const LATE_MS = 5_000;
/** No request is out for longer, whatever a process of another configuration allows it; one that should be was begun before the clock was set back. */
const LONGEST_OUT_MS = 600_000;

interface Out {
  readonly name: string;
  readonly pid: number;
  readonly day: string;
  readonly nano_usd: number;
}

/** Whole billionths of a dollar add up exactly. */
const NANO = 1e9;

export class Budget {
  readonly #database: DatabaseSync;
  readonly #limits: BudgetLimits;
  readonly #now: () => number;

  /** @param options.now milliseconds since the Unix epoch. */
  constructor(database: DatabaseSync, options: { readonly limits: BudgetLimits; readonly now: () => number }) {
    this.#database = database;
    this.#limits = options.limits;
    this.#now = options.now;
  }

  /**
   * Takes what a request may cost at most. A request beyond a minute's limit by itself goes when the minute is empty. Those that wait for
   * the minute are let in in the order in which they came, so that small ones never keep a large one out; one goes before its turn
   * where that takes nothing from those ahead of it.
   */
  reserve(atMost: Cost, { name, ms }: Hold): Grant {
    const now = this.#now();
    const day = dayOf(now);
    const nanoUsd = nanoUsdOf(atMost);
    const tokens = atMost.inputTokens + atMost.outputTokens;
    return transaction(this.#database, (): Grant => {
      const out = this.#out(now);
      const { usdInAll } = this.#limits;
      if (nanoUsd > 0 && usdInAll !== undefined && this.#nanoUsdInAll() + nanoUsd > Math.round(usdInAll * NANO))
        return { kind: 'spent', forGood: true };
      if (out.some(each => each.name === name)) return { kind: 'wait', until: now + LOOK_AGAIN_MS };
      if (nanoUsd > 0 && this.#limits.usdPerDay !== null) {
        const limit = Math.round(this.#limits.usdPerDay * NANO);
        const counted = this.#nanoUsd(day);
        const held = out.reduce((sum, each) => sum + (each.day === day ? each.nano_usd : 0), 0);
        if (counted - held + nanoUsd > limit) return { kind: 'spent' };
        if (counted + nanoUsd > limit) return { kind: 'wait', until: now + LOOK_AGAIN_MS };
      }
      const until = this.#minuteAllows(now, tokens, this.#ahead(now, name));
      if (until !== undefined) {
        this.#queue(name, tokens, until);
        return { kind: 'wait', until };
      }
      this.#leaveQueue(name);
      this.#add(day, nanoUsd);
      const { lastInsertRowid: id } = this.#database
        .prepare('INSERT INTO request_out (name, pid, day, nano_usd, until) VALUES (?, ?, ?, ?, ?)')
        .run(name, process.pid, day, nanoUsd, now + Math.min(ms, LONGEST_OUT_MS));
      this.#database.prepare('INSERT INTO budget_minute VALUES (?, ?, ?)').run(id, now, tokens);
      return { kind: 'granted', reservation: { id, day, nanoUsd } };
    });
  }

  /** Puts what a request did use in the place of what was taken for it. The request itself stays counted. */
  settle({ id, day, nanoUsd }: Reservation, used: Cost): void {
    transaction(this.#database, () => {
      this.#add(day, nanoUsdOf(used) - nanoUsd);
      this.#database.prepare('DELETE FROM request_out WHERE id = ?').run(id);
      this.#database
        .prepare('UPDATE budget_minute SET tokens = ? WHERE id = ?')
        .run(used.inputTokens + used.outputTokens, id);
    });
  }

  /** Gives up the turn of a request that waits and will not ask again. */
  withdraw(name: string): void {
    transaction(this.#database, () => this.#leaveQueue(name));
  }

  /** Takes back what was taken for a request that is not sent. */
  release({ id, day, nanoUsd }: Reservation): void {
    transaction(this.#database, () => {
      this.#add(day, -nanoUsd);
      this.#database.prepare('DELETE FROM request_out WHERE id = ?').run(id);
      this.#database.prepare('DELETE FROM budget_minute WHERE id = ?').run(id);
    });
  }

  /** US dollars counted today, those of requests under way included. */
  usdToday(): number {
    return this.#nanoUsd(dayOf(this.#now())) / NANO;
  }

  /** US dollars counted on all days, those of requests under way included. */
  usdInAll(): number {
    return this.#nanoUsdInAll() / NANO;
  }

  #nanoUsdInAll(): number {
    const row = this.#database.prepare('SELECT coalesce(sum(nano_usd), 0) AS nano_usd FROM budget_day').get();
    return (row as { nano_usd: number }).nano_usd;
  }

  #nanoUsd(day: string): number {
    const row = this.#database.prepare('SELECT nano_usd FROM budget_day WHERE day = ?').get(day) as
      | { nano_usd: number }
      | undefined;
    return row?.nano_usd ?? 0;
  }

  #add(day: string, nanoUsd: number): void {
    this.#database
      .prepare('INSERT INTO budget_day VALUES (?, ?) ON CONFLICT DO UPDATE SET nano_usd = nano_usd + excluded.nano_usd')
      .run(day, nanoUsd);
  }

  /** The requests under way of processes that run. */
  #out(now: number): readonly Out[] {
    this.#database.prepare('DELETE FROM request_out WHERE until <= ? OR until > ?').run(now, now + LONGEST_OUT_MS);
    const rows = this.#database.prepare('SELECT name, pid, day, nano_usd FROM request_out').all() as unknown as Out[];
    return rows.filter(each => isAlive(each.pid));
  }

  /**
   * Undefined when a request of so many tokens may go now; else when the oldest that stand in its way are a minute old, or, where others
   * wait for the room that there is, when to look again.
   */
  #minuteAllows(now: number, tokens: number, ahead: Ahead): number | undefined {
    const { tokensPerMinute, requestsPerMinute } = this.#limits;
    this.#database.prepare('DELETE FROM budget_minute WHERE at <= ?').run(now - MINUTE_MS);
    // the clock was set back: they are a minute old in a minute, and not when it has caught up
    this.#database.prepare('UPDATE budget_minute SET at = ? WHERE at > ?').run(now, now);
    if (tokensPerMinute === null && requestsPerMinute === null) return undefined;
    const fits = (others: Ahead): boolean =>
      (tokensPerMinute === null || others.tokens + tokens <= tokensPerMinute) &&
      (requestsPerMinute === null || others.requests + 1 <= requestsPerMinute);
    const rows = this.#database.prepare('SELECT at, tokens FROM budget_minute ORDER BY at').all() as {
      at: number;
      tokens: number;
    }[];
    let inMinute = rows.reduce((sum, row) => sum + row.tokens, 0);
    const all = { requests: rows.length + ahead.requests, tokens: inMinute + ahead.tokens };
    let until = ahead.requests === 0 || fits(all) ? undefined : now + LOOK_AGAIN_MS;
    for (const [index, row] of rows.entries()) {
      if (fits({ requests: rows.length - index, tokens: inMinute })) break;
      until = row.at + MINUTE_MS;
      inMinute -= row.tokens;
    }
    return until;
  }

  /** Those that began to wait for the minute before this request did, and still do. */
  #ahead(now: number, name: string): Ahead {
    this.#database.prepare('DELETE FROM minute_turn WHERE until <= ? OR until > ?').run(now - LATE_MS, now + MINUTE_MS);
    const before = this.#database
      .prepare(
        `SELECT pid, tokens FROM minute_turn
         WHERE id < coalesce((SELECT id FROM minute_turn WHERE name = ?), 9223372036854775807)`,
      )
      .all(name) as unknown as { pid: number; tokens: number }[];
    const waiting = before.filter(each => isAlive(each.pid));
    return { requests: waiting.length, tokens: waiting.reduce((sum, each) => sum + each.tokens, 0) };
  }

  /** Behind all others, or where it stands already. */
  #queue(name: string, tokens: number, until: number): void {
    this.#database
      .prepare(
        `INSERT INTO minute_turn (name, pid, tokens, until) VALUES (?, ?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET pid = excluded.pid, until = excluded.until`,
      )
      .run(name, process.pid, tokens, until);
  }

  #leaveQueue(name: string): void {
    this.#database.prepare('DELETE FROM minute_turn WHERE name = ?').run(name);
  }
}

/** Whether a process of this machine runs: what one that was killed had out will not be answered any more. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // it is somebody else's
    return (error as { code?: string }).code === 'EPERM';
  }
}

/** Rounded up; less than a thousandth is the noise of binary fractions. */
function nanoUsdOf({ usd }: Cost): number {
  return Math.ceil(usd * NANO - 1e-3);
}

/** Such as 2026-03-01, in UTC. */
function dayOf(now: number): string {
  return new Date(now).toISOString().slice(0, 10);
}
