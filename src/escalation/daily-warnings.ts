/**
 * What a person should hear of although it is no fault of the program: that notes go to review, and why. Once a day (UTC) for each
 * reason, so that the log does not grow with the load; the counters say how many.
 */
import type { Fact, Observer } from '../core/facts.ts';

const REASONS: readonly (string | undefined)[] = ['BUDGET_SPENT', 'PROVIDER_FAILED', 'TOO_OLD'];
const DAY_MS = 86_400_000;

/** Passes every fact on, and adds `fallback.warned` after the first of a day that calls for it. @param now since the Unix epoch. */
export function withDailyWarnings(observe: Observer, now: () => number): Observer {
  const warnedOn = new Map<string, number>();
  return fact => {
    observe(fact);
    const reason = reasonOf(fact);
    const day = Math.floor(now() / DAY_MS);
    if (reason === undefined || warnedOn.get(reason) === day) return;
    warnedOn.set(reason, day);
    observe({ kind: 'fallback.warned', reason });
  };
}

function reasonOf(fact: Fact): string | undefined {
  if (fact.kind === 'escalation.ended' && REASONS.includes(fact.reason)) return fact.reason;
  return fact.kind === 'teacher.asked' && fact.outcome === 'REQUEST_REJECTED' ? fact.outcome : undefined;
}
