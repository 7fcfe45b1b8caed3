/** If these fail, notes pile up in front of a provider that is down, or the process ends in silence because nobody waits any more. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import type { Fact } from '../../src/core/facts.ts';
import type { StreamRecord } from '../../src/core/record.ts';
import { Escalator } from '../../src/escalation/escalator.ts';
import { createEntitiesCodec } from '../../src/events/entities-event.ts';
import { createEscalationCodec } from '../../src/events/escalation-event.ts';
import { createReviewCodec } from '../../src/events/review-event.ts';
import { escalated, exactly, noteOf, refuse, reply, Scripted } from './scripted.ts';
import { freshState } from './stage.ts';

const live = new AbortController().signal;

function escalatorOf(teachers: ReadonlyMap<string, readonly Scripted[]>) {
  const facts: Fact[] = [];
  const flow: string[] = [];
  const escalator = new Escalator({
    teachers,
    ground: exactly,
    escalations: createEscalationCodec(),
    entities: createEntitiesCodec(),
    reviews: createReviewCodec(),
    topics: { entities: 'entities', review: 'review', deadLetters: 'dead' },
    maxBytes: 1024 * 1024,
    deadlineMs: 100,
    belief: () => ({ precision: 0.5, f1: 0.5 }),
    breaker: { failurePercent: 50, minimumRequests: 1, windowMs: 60_000, resetMs: 3_600_000 },
    concurrency: 4,
    directory: freshState(),
    limits: { usdPerDay: null, tokensPerMinute: null, requestsPerMinute: null },
    replyRetentionMs: 86_400_000,
    requestMs: 1_000,
    graceMs: 50,
    now: Date.now,
    newId: randomUUID,
    observe: fact => facts.push(fact),
  });
  return { escalator, facts, flow: { seen: flow, pause: () => flow.push('pause'), resume: () => flow.push('resume') } };
}

async function recordOf(id: number, tasks: string[]): Promise<StreamRecord> {
  const { value } = await escalated(noteOf(id), { tasks });
  return { topic: 'escalations', partition: 0, offset: BigInt(id), timestamp: 0, key: null, value, headers: {} };
}

const timers = (): number => process.getActiveResourcesInfo().filter(each => each === 'Timeout').length;

describe('the escalator', () => {
  it('holds notes back while one task can be asked of nobody, and keeps the process while it does', async () => {
    const down = new Scripted('down', () => refuse('TEACHER_UNREACHABLE'));
    const { escalator, flow, facts } = escalatorOf(
      new Map([
        ['symptom', [down]],
        ['medication', [new Scripted('up', () => reply())]],
      ]),
    );
    escalator.govern(flow);
    const before = timers();
    await escalator.processor.process(await recordOf(1, ['symptom']), live, live);
    assert.ok(
      facts.some(fact => fact.kind === 'escalation.ended' && fact.reason === 'TOO_OLD'),
      'nobody waits any more',
    );
    assert.deepEqual(flow.seen, ['pause']);
    assert.equal(timers(), before + 1, 'a timer keeps the process until the breaker lets somebody try');
    await escalator.close();
    assert.equal(timers(), before);
  });

  it('holds nothing back while another teacher of the task is there', async () => {
    const down = new Scripted('down', () => refuse('TEACHER_UNREACHABLE'));
    const up = new Scripted('up', () => reply('headache'));
    const { escalator, flow, facts } = escalatorOf(new Map([['symptom', [down, up]]]));
    escalator.govern(flow);
    await escalator.processor.process(await recordOf(1, ['symptom']), live, live);
    assert.deepEqual(flow.seen, []);
    assert.deepEqual(
      facts.filter(fact => fact.kind === 'breaker.changed').map(fact => `${fact.provider} ${fact.state}`),
      ['down closed', 'up closed', 'down open'],
    );
    await escalator.close();
  });

  it('holds back a flow that comes after it was blocked', async () => {
    const { escalator, flow } = escalatorOf(
      new Map([['symptom', [new Scripted('down', () => refuse('TEACHER_FAILED'))]]]),
    );
    await escalator.processor.process(await recordOf(1, ['symptom']), live, live);
    escalator.govern(flow);
    assert.deepEqual(flow.seen, ['pause']);
    await escalator.close();
  });
});
