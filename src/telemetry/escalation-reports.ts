/** What becomes of doubts: asked, answered, paid for, revised or reviewed. The counters add up: taken = ended + in flight. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { BreakerState } from '../core/facts.ts';
import { type Reports, SECONDS } from './report.ts';

export type EscalationFactKind =
  | 'note.escalated'
  | 'note.too-large'
  | 'escalation.taken'
  | 'escalation.ended'
  | 'teacher.asked'
  | 'reply.reused'
  | 'teacher.disabled'
  | 'provider.busy'
  | 'breaker.changed'
  | 'fallback.blocked'
  | 'fallback.warned'
  | 'budget.used'
  | 'quotes.grounded';

const BREAKER_STATES: readonly BreakerState[] = ['closed', 'open', 'half-open'];

export function escalationReports(registry: Registry): Reports<EscalationFactKind> {
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Counter<Label>({ name, help, labelNames, registers });
  const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Gauge<Label>({ name, help, labelNames, registers });

  const escalated = counter('clinstream_notes_escalated_total', 'Notes that the tagger escalated.');
  const doubts = counter('clinstream_doubts_escalated_total', 'Doubtful tasks of the notes escalated.', ['task']);
  const tooLarge = counter(
    'clinstream_notes_too_large_total',
    'Doubtful notes that went to review at once, for their size.',
  );
  const taken = counter('clinstream_escalations_total', 'Escalations that the escalator began with.');
  const ended = counter(
    'clinstream_escalations_ended_total',
    'Escalations revised, reviewed, dead-lettered or given back undone; with those in flight they are all that were begun.',
    ['outcome', 'reason'],
  );
  const inFlight = gauge('clinstream_escalations_in_flight', 'Escalations begun and not ended.');
  const asked = counter('clinstream_teacher_requests_total', 'Requests that teachers answered, or did not.', [
    'teacher',
    'task',
    'outcome',
  ]);
  const tokens = counter('clinstream_teacher_tokens_total', 'Tokens that teachers charged.', ['teacher', 'direction']);
  const usd = counter('clinstream_teacher_usd_total', 'US dollars by the price list.', ['teacher']);
  const seconds = new Histogram({
    name: 'clinstream_teacher_request_seconds',
    help: 'Time from sending to the last byte.',
    labelNames: ['teacher'],
    buckets: SECONDS,
    registers,
  });
  const reused = counter('clinstream_replies_reused_total', 'Requests that a stored or shared reply answered.', [
    'teacher',
    'task',
  ]);
  const disabled = counter('clinstream_teachers_disabled_total', 'Teachers given up because their setup is wrong.', [
    'teacher',
    'code',
  ]);
  const busy = counter('clinstream_provider_busy_total', 'Times that a provider asked to wait.', ['provider']);
  const breaker = gauge('clinstream_breaker_state', '1 for the state that the breaker is in, 0 for the others.', [
    'provider',
    'state',
  ]);
  const blocked = gauge('clinstream_fallback_blocked', '1 while partitions are paused because nobody can be asked.');
  const warned = counter('clinstream_fallback_warnings_total', 'Days and reasons on which notes went to review.', [
    'reason',
  ]);
  const today = gauge('clinstream_budget_usd_today', 'US dollars counted today (UTC), requests under way included.');
  const placed = counter('clinstream_quotes_placed_total', 'Quotes found in their note.', ['alignment']);
  const dropped = counter('clinstream_quotes_dropped_total', 'Quotes that stand nowhere in their note.', ['reason']);

  return {
    'note.escalated': {
      level: 'debug',
      message: 'note escalated',
      fields: ({ noteId, tasks }) => ({ noteId, tasks: tasks.join(',') }),
      measure: ({ tasks }) => {
        escalated.inc();
        for (const task of tasks) doubts.inc({ task });
      },
    },
    'note.too-large': {
      level: 'warn',
      message: 'doubtful note too large to escalate, sent to review',
      fields: ({ noteId, tasks }) => ({ noteId, tasks: tasks.join(',') }),
      measure: () => tooLarge.inc(),
    },
    'escalation.taken': {
      level: 'debug',
      message: 'escalation taken',
      fields: ({ partition, offset }) => ({ partition, offset: String(offset) }),
      measure: () => {
        taken.inc();
        inFlight.inc();
      },
    },
    'escalation.ended': {
      level: 'debug',
      message: 'escalation ended',
      fields: ({ partition, offset, outcome, reason }) => ({
        partition,
        offset: String(offset),
        outcome,
        ...(reason === undefined ? {} : { reason }),
      }),
      measure: ({ outcome, reason = '' }) => {
        ended.inc({ outcome, reason });
        inFlight.dec();
      },
    },
    'teacher.asked': {
      level: 'debug',
      message: 'teacher asked',
      fields: fact => ({
        teacher: fact.teacher,
        task: fact.task,
        outcome: fact.outcome,
        inputTokens: fact.inputTokens,
        outputTokens: fact.outputTokens,
        usd: fact.usd,
        ms: fact.ms,
      }),
      measure: ({ teacher, task, outcome, ...used }) => {
        asked.inc({ teacher, task, outcome });
        tokens.inc({ teacher, direction: 'input' }, used.inputTokens);
        tokens.inc({ teacher, direction: 'output' }, used.outputTokens);
        usd.inc({ teacher }, used.usd);
        seconds.observe({ teacher }, used.ms / 1000);
      },
    },
    'reply.reused': {
      level: 'debug',
      message: 'reply used again',
      fields: ({ teacher, task }) => ({ teacher, task }),
      measure: ({ teacher, task }) => reused.inc({ teacher, task }),
    },
    'teacher.disabled': {
      level: 'error',
      message: 'teacher disabled: its setup is wrong',
      fields: ({ teacher, code }) => ({ teacher, code }),
      measure: ({ teacher, code }) => disabled.inc({ teacher, code }),
    },
    'provider.busy': {
      level: ({ ms }) => (ms > 60_000 ? 'warn' : 'debug'),
      message: 'provider asked to wait',
      fields: ({ provider, ms }) => ({ provider, ms }),
      measure: ({ provider }) => busy.inc({ provider }),
    },
    'breaker.changed': {
      level: ({ state }) => (state === 'open' ? 'warn' : 'info'),
      message: 'breaker changed state',
      fields: ({ provider, state }) => ({ provider, state }),
      measure: ({ provider, state }) => {
        for (const each of BREAKER_STATES) breaker.set({ provider, state: each }, Number(each === state));
      },
    },
    'fallback.blocked': {
      level: ({ blocked }) => (blocked ? 'warn' : 'info'),
      message: 'fallback blocked or free again',
      fields: fact => ({ blocked: fact.blocked }),
      measure: fact => blocked.set(Number(fact.blocked)),
    },
    'fallback.warned': {
      level: 'warn',
      message: 'notes go to review; told once a day and reason',
      fields: ({ reason }) => ({ reason }),
      measure: ({ reason }) => warned.inc({ reason }),
    },
    'budget.used': {
      level: 'debug',
      message: 'budget used',
      fields: ({ usdToday }) => ({ usdToday }),
      measure: ({ usdToday }) => today.set(usdToday),
    },
    'quotes.grounded': {
      level: 'debug',
      message: 'quotes grounded',
      fields: fact => ({ teacher: fact.teacher, task: fact.task, aligned: fact.aligned, dropped: fact.dropped }),
      measure: fact => {
        for (const [alignment, count] of Object.entries(fact.aligned)) placed.inc({ alignment }, count);
        for (const [reason, count] of Object.entries(fact.dropped)) dropped.inc({ reason }, count);
      },
    },
  };
}
