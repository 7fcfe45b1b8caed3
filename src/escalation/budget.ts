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
  /** The minute is full. It may be worth asking again from this time on, or when a request is settled. */
  | { readonly kind: 'full'; readonly until: number }
  /** The day's money is spent; or all that there is, so that tomorrow changes nothing. */
  | { readonly kind: 'spent'; readonly forGood?: true };

/** A request while it is under way. */
export interface Hold {
  /** The same for the same question: nobody asks it again meanwhile. */
  readonly name: string;
  /** When it has surely ended; milliseconds from now. */
  readonly ms: number;
}

/** Other processes settle without a word. */
const LOOK_AGAIN_MS = 1_000;
const MINUTE_MS = 60_000;
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

  /** Takes what a request may cost at most. A request beyond a minute's limit by itself goes when the minute is empty. */
  reserve(atMost: Cost, { name, ms }: Hold): Grant {
    const now = this.#now();
    const day = dayOf(now);
    const nanoUsd = nanoUsdOf(atMost);
    const tokens = atMost.inputTokens + atMost.outputTokens;
    return transaction(this.#database, (): Grant => {
      const out = this.#out(now);
      const money = this.#money(nanoUsd, day, out);
      if (money === 'spent-for-good') return { kind: 'spent', forGood: true };
      if (out.some(each => each.name === name)) return { kind: 'wait', until: now + LOOK_AGAIN_MS };
      if (money === 'spent') return { kind: 'spent' };
      if (money === 'held') return { kind: 'wait', until: now + LOOK_AGAIN_MS };
      const until = this.#minuteAllows(now, tokens);
      if (until !== undefined) return { kind: 'full', until };
      this.#add(day, nanoUsd);
      const { lastInsertRowid: id } = this.#database
        .prepare('INSERT INTO request_out (name, pid, day, nano_usd, until) VALUES (?, ?, ?, ?, ?)')
        .run(name, process.pid, day, nanoUsd, now + Math.min(ms, LONGEST_OUT_MS));
      this.#database.prepare('INSERT INTO budget_minute VALUES (?, ?, ?)').run(id, now, tokens);
      return { kind: 'granted', reservation: { id, day, nanoUsd } };
    });
  }

  /** Whether the money of the day, or all that there is, is too little for a request; undefined where it is not, or may come back. */
  spent(atMost: Cost): Extract<Grant, { kind: 'spent' }> | undefined {
    const now = this.#now();
    const money = transaction(this.#database, () => this.#money(nanoUsdOf(atMost), dayOf(now), this.#out(now)));
    if (money === 'spent-for-good') return { kind: 'spent', forGood: true };
    return money === 'spent' ? { kind: 'spent' } : undefined;
  }

  /** What of a request's money is not there: requests under way hold it, or nobody does. */
  #money(nanoUsd: number, day: string, out: readonly Out[]): 'enough' | 'held' | 'spent' | 'spent-for-good' {
    const { usdInAll, usdPerDay } = this.#limits;
    if (nanoUsd === 0) return 'enough';
    if (usdInAll !== undefined && this.#nanoUsdInAll() + nanoUsd > Math.round(usdInAll * NANO)) return 'spent-for-good';
    if (usdPerDay === null) return 'enough';
    const limit = Math.round(usdPerDay * NANO);
    const counted = this.#nanoUsd(day);
    const held = out.reduce((sum, each) => sum + (each.day === day ? each.nano_usd : 0), 0);
    if (counted - held + nanoUsd > limit) return 'spent';
    return counted + nanoUsd > limit ? 'held' : 'enough';
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

  /** Undefined when a request of so many tokens may go now; else when the oldest that stand in its way are a minute old. */
  #minuteAllows(now: number, tokens: number): number | undefined {
    const { tokensPerMinute, requestsPerMinute } = this.#limits;
    this.#database.prepare('DELETE FROM budget_minute WHERE at <= ?').run(now - MINUTE_MS);
    // the clock was set back: they are a minute old in a minute, and not when it has caught up
    this.#database.prepare('UPDATE budget_minute SET at = ? WHERE at > ?').run(now, now);
    if (tokensPerMinute === null && requestsPerMinute === null) return undefined;
    const rows = this.#database.prepare('SELECT at, tokens FROM budget_minute ORDER BY at').all() as {
      at: number;
      tokens: number;
    }[];
    let inMinute = rows.reduce((sum, row) => sum + row.tokens, 0);
    let until: number | undefined;
    for (const [index, row] of rows.entries()) {
      const requests = rows.length - index;
      const fits =
        (tokensPerMinute === null || inMinute + tokens <= tokensPerMinute) &&
        (requestsPerMinute === null || requests + 1 <= requestsPerMinute);
      if (fits) break;
      until = row.at + MINUTE_MS;
      inMinute -= row.tokens;
    }
    return until;
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
