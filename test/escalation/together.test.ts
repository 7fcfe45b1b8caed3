/**
 * If this fails, breaker, budget and one bad note spoil together what each leaves alone: notes are reviewed for an outage, or money is
 * spent that nobody counts. Limits are small and the breaker is the one that people get.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { escalation as schema } from '../../src/config-escalation.ts';
import { EmbeddedTransport } from '../../src/streams/embedded/embedded-transport.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { escalated, hang, noteOf, refuse, reply, Scripted, USAGE } from './scripted.ts';
import { ends, freshState, of, stage, TOPICS } from './stage.ts';

const folder = temporaryFolder('together');
const NOTES = 200;
/** Of 0.08 for 200 tokens in, as bytes, and 50 out. */
const KEPT = (0.08 * 67) / 250;
const isOf = (text: string, id: number): boolean => text.startsWith(`Note ${id}:`);

describe('breaker, budget and a note that always fails, together', { timeout: 120_000 }, () => {
  it('leave one note for review and revise all others, and the money adds up', async context => {
    const log = new EmbeddedTransport({ directory: join(folder, 'log'), create: true, now: Date.now });
    context.after(() => log.close());
    for (const topic of TOPICS) await log.createTopic(topic, { partitions: 4, retention: { ms: null, bytes: null } });
    const seen = new Set<string>();
    let paid = 0;
    const teacher = new Scripted(
      'teacher',
      async ({ text }, count, signal) => {
        if (isOf(text, 3)) return refuse('TEACHER_FAILED');
        const first = !seen.has(text);
        seen.add(text);
        if (first && count % 50 === 7) return refuse('TEACHER_BUSY', { retryAfterMs: 20 });
        if (first && count % 10 === 9) return hang(signal);
        await new Promise(resolve => setTimeout(resolve, 200));
        paid++;
        return reply('headache');
      },
      { usd: 0.08 },
    );
    await log.append(await Promise.all(Array.from({ length: NOTES }, (_, i) => escalated(noteOf(i)))));
    const directory = freshState();
    const staged = await stage(log, {
      teachers: [teacher],
      directory,
      breaker: schema.parse({}).breaker,
      // five times what an answer takes: a machine that stands still for a moment makes no timeout that the money is not for
      requestMs: 1_000,
      // all that is paid for, what is kept for those that hang, and the bound of one request: less than those of 35
      limits: {
        usdPerDay: NOTES * USAGE.usd + (NOTES / 10) * KEPT + 0.1,
        tokensPerMinute: null,
        requestsPerMinute: null,
      },
    });
    await staged.finish();
    const { revisions, reviews } = await ends(log);
    assert.deepEqual(
      reviews.map(each => [each.noteId, each.reason]),
      [['n-3', 'PROVIDER_FAILED']],
    );
    assert.equal(new Set(revisions.map(each => each.noteId)).size, NOTES - 1);
    assert.equal(teacher.asked.filter(each => isOf(each.text, 3)).length, 6);
    const outcomes = new Set(of(staged.facts, 'teacher.asked').map(each => each.outcome));
    assert.deepEqual(outcomes, new Set(['OK', 'TEACHER_FAILED', 'TEACHER_BUSY', 'TEACHER_TIMEOUT']));
    const audited = readFileSync(join(directory, 'audit.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as { event: string; usd: number; outcome: string });
    const sum = audited.reduce((total, { event, usd }) => total + (event === 'ended' ? usd : 0), 0);
    const today = of(staged.facts, 'budget.used').at(-1)?.usdToday ?? 0;
    assert.ok(Math.abs(sum - today) < 1e-6, `${sum} by the audit trail, ${today} by the budget`);
    const answered = audited.filter(each => each.outcome === 'OK').reduce((total, { usd }) => total + usd, 0);
    assert.ok(Math.abs(answered - paid * USAGE.usd) < 1e-9 && paid === NOTES - 1, `${answered} for ${paid} answers`);
  });
});
