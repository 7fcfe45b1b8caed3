/** If these fail, a day's notes can go to review and nobody who reads the log hears of it; or the log says nothing else. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Fact } from '../../src/core/facts.ts';
import { withDailyWarnings } from '../../src/escalation/daily-warnings.ts';
import { createTelemetry } from '../../src/telemetry/telemetry.ts';
import { of } from './stage.ts';

const DAY_MS = 86_400_000;

describe('warnings of the fallback', () => {
  it('come once a day and reason, at warn', () => {
    const facts: Fact[] = [];
    const lines: string[] = [];
    const { observe } = createTelemetry({
      log: { level: 'info', destination: { write: line => void lines.push(line) } },
    });
    let now = 10 * DAY_MS;
    const warning = withDailyWarnings(
      fact => {
        facts.push(fact);
        observe(fact);
      },
      () => now,
    );
    const ended = (reason: string): void =>
      warning({ kind: 'escalation.ended', partition: 0, offset: 1n, outcome: 'reviewed', reason });
    const used = { inputTokens: 0, outputTokens: 0, usd: 0, ms: 1 };
    for (let day = 0; day < 2; day++, now += DAY_MS) {
      for (let i = 0; i < 50; i++) {
        for (const reason of ['BUDGET_SPENT', 'PROVIDER_FAILED', 'NOTHING_GROUNDED']) ended(reason);
        for (const outcome of ['REQUEST_REJECTED', 'OK'])
          warning({ kind: 'teacher.asked', teacher: 't', task: 'symptom', outcome, ...used });
      }
    }
    const told = of(facts, 'fallback.warned').map(each => each.reason);
    const daily = ['BUDGET_SPENT', 'PROVIDER_FAILED', 'REQUEST_REJECTED'];
    assert.deepEqual(told, [...daily, ...daily]);
    assert.equal(facts.length, 2 * 50 * 5 + 6, 'and every other fact is passed on');
    assert.deepEqual(
      lines.map(line => (JSON.parse(line) as { level: string }).level),
      Array(6).fill('warn'),
    );
  });
});
