/**
 * The configuration of the fallback's demo: everything that says who is asked is set here, over whatever file and environment say, so
 * that the demo can reach nobody but the emulator, and its stored replies lie where no other run looks for any.
 */
import { join } from 'node:path';
import type { Overrides } from '../config.ts';

export const FALLBACK_DATA = '.clinstream/demo-fallback';
/** The word is in every event and every line of the audit trail that the emulator has a part in. */
export const TEACHER = 'simulated-gpt-4o-mini';
export const PROVIDER = 'simulated-openai';
/** The only variable that the demo's teachers take a key from: those of real providers are not looked at. */
export const KEY_FROM = 'SIMULATED_API_KEY';
/** As the price list names it. */
export const MODEL = 'gpt-4o-mini-2024-07-18';
/** Share of notes, for each task, as measured on dev notes. */
export const RATE = 0.3;
export const REQUEST_MS = 4_000;
export const RESET_MS = 3_000;
/** A day's; never reached before the demo lowers it. */
export const USD_PER_DAY = 1;

const TASKS = ['medication', 'disease', 'symptom'];
const LIMITS = {
  failurePercent: 50,
  /** One, and a short window: answers from before the failure are soon forgotten, and even a single waiting note opens it then. */
  minimumRequests: 1,
  windowMs: 5_000,
};

export function fallbackSettings({ baseUrl, host }: { baseUrl: string; host: string }): Overrides {
  const teacher = { name: TEACHER, kind: 'openai', model: MODEL, provider: PROVIDER, baseUrl, keyFrom: KEY_FROM };
  const rule = { rate: RATE, teachers: [TEACHER] };
  return {
    transport: 'embedded',
    data: FALLBACK_DATA,
    'egress.allow': host,
    'escalation.teachers': JSON.stringify([teacher]),
    'escalation.tasks': JSON.stringify(Object.fromEntries(TASKS.map(task => [task, rule]))),
    'escalation.state': join(FALLBACK_DATA, 'escalation'),
    'escalation.deadlineMs': 86_400_000,
    'escalation.requestMs': REQUEST_MS,
    'escalation.concurrency': 4,
    'escalation.budget.usdPerDay': USD_PER_DAY,
    'escalation.budget.tokensPerMinute': 'none',
    'escalation.budget.requestsPerMinute': 'none',
    'escalation.breaker.failurePercent': LIMITS.failurePercent,
    'escalation.breaker.minimumRequests': LIMITS.minimumRequests,
    'escalation.breaker.windowMs': LIMITS.windowMs,
    'escalation.breaker.resetMs': RESET_MS,
  };
}
