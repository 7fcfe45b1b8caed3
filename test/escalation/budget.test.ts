/** If these fail, the fallback spends more than its owner allows, or stands still with money left. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Budget, type BudgetLimits, type Cost, type Grant, type Reservation } from '../../src/escalation/budget.ts';
import { openState } from '../../src/escalation/state-database.ts';
import { temporaryFolder } from '../support/temporary.ts';

const folder = temporaryFolder('budget');
let files = 0;
const DAY_MS = 86_400_000;
const NOON = Date.UTC(2026, 2, 1, 12);
const UNLIMITED: BudgetLimits = { usdPerDay: null, tokensPerMinute: null, requestsPerMinute: null };

const cost = (usd: number, tokens = 0): Cost => ({ usd, inputTokens: tokens, outputTokens: 0 });

function budgetOf(limits: Partial<BudgetLimits>, at = NOON) {
  const database = openState(join(folder, String(files++)));
  const clock = { now: at };
  const budget = new Budget(database, { limits: { ...UNLIMITED, ...limits }, now: () => clock.now });
  return { budget, clock, database, close: () => database.close() };
}

/** Each asks something else. */
function reserve(budget: Budget, of: Cost, name = String(files++)): Grant {
  return budget.reserve(of, { name, ms: 60_000 });
}

function granted(budget: Budget, of: Cost): Reservation {
  const grant = reserve(budget, of);
  assert.equal(grant.kind, 'granted');
  return (grant as { reservation: Reservation }).reservation;
}

const LATER = { kind: 'wait', until: NOON + 1_000 };

describe("the day's money", () => {
  it('is taken at its most before, corrected after, and gone when it is gone', () => {
    const { budget, close } = budgetOf({ usdPerDay: 1 });
    const first = granted(budget, cost(0.6));
    assert.equal(budget.usdToday(), 0.6);
    assert.deepEqual(reserve(budget, cost(0.5)), LATER, 'what is held may come back');
    assert.deepEqual(reserve(budget, cost(1.1)), { kind: 'spent' }, 'this not');
    budget.settle(first, cost(0.1));
    assert.equal(budget.usdToday(), 0.1);
    const second = granted(budget, cost(0.9));
    assert.deepEqual(reserve(budget, cost(0.000_000_001)), LATER);
    budget.settle(second, cost(0.9));
    assert.deepEqual(reserve(budget, cost(0.000_000_001)), { kind: 'spent' });
    assert.equal(reserve(budget, cost(0)).kind, 'granted', 'what costs nothing may always go');
    close();
  });

  it('comes back at midnight in UTC, and what was taken before is corrected in its own day', () => {
    const { budget, clock, close } = budgetOf({ usdPerDay: 1 }, Date.UTC(2026, 2, 1, 23, 59, 59));
    const late = granted(budget, cost(1));
    assert.equal(reserve(budget, cost(1)).kind, 'wait');
    clock.now += 1_000;
    granted(budget, cost(0.75));
    budget.settle(late, cost(0));
    assert.equal(budget.usdToday(), 0.75);
    close();
  });

  it('has a limit over all days too, which no midnight and no clock lifts', () => {
    const { budget, clock, close } = budgetOf({ usdInAll: 1 });
    budget.settle(granted(budget, cost(0.75)), cost(0.5));
    clock.now += 3 * DAY_MS;
    granted(budget, cost(0.25));
    assert.equal(budget.usdInAll(), 0.75);
    assert.deepEqual(reserve(budget, cost(0.5)), { kind: 'spent', forGood: true });
    assert.equal(reserve(budget, cost(0)).kind, 'granted', 'what costs nothing may always go');
    clock.now -= 10 * DAY_MS;
    assert.deepEqual(reserve(budget, cost(0.5)), { kind: 'spent', forGood: true });
    close();
  });

  it('survives a SIGKILL between reservation and settlement: it stays counted until the day ends', () => {
    const directory = join(folder, 'killed');
    const script = `
      import { Budget } from '${resolve(import.meta.dirname, '../../src/escalation/budget.ts')}';
      import { openState } from '${resolve(import.meta.dirname, '../../src/escalation/state-database.ts')}';
      const limits = { usdPerDay: 1, tokensPerMinute: null, requestsPerMinute: null };
      const budget = new Budget(openState(${JSON.stringify(directory)}), { limits, now: () => ${NOON} });
      budget.settle(budget.reserve({ usd: 0.5, inputTokens: 1, outputTokens: 1 }, { name: 'a', ms: 1_000 }).reservation, { usd: 0.25, inputTokens: 1, outputTokens: 1 });
      budget.reserve({ usd: 0.5, inputTokens: 1, outputTokens: 1 }, { name: 'b', ms: 1_000 });
      process.kill(process.pid, 'SIGKILL');`;
    const { signal, stderr } = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', script], {
      encoding: 'utf8',
    });
    assert.equal(signal, 'SIGKILL', stderr);
    const database = openState(directory);
    let now = NOON;
    const budget = new Budget(database, { limits: { ...UNLIMITED, usdPerDay: 1 }, now: () => now });
    assert.equal(budget.usdToday(), 0.75);
    assert.deepEqual(reserve(budget, cost(0.3)), { kind: 'spent' });
    now += DAY_MS;
    assert.equal(budget.usdToday(), 0);
    database.close();
  });

  it('is never exceeded, whatever is taken, corrected and left, by two processes at once', () => {
    const nano = fc.integer({ min: 0, max: 500_000_000 });
    const step = fc.record({
      who: fc.boolean(),
      most: nano,
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      leave: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), steps => {
        const directory = join(folder, String(files++));
        const [one, other] = [openState(directory), openState(directory)];
        const options = { limits: { ...UNLIMITED, usdPerDay: 1 }, now: () => NOON };
        const budgets = [new Budget(one, options), new Budget(other, options)] as const;
        let counted = 0;
        let settled = 0;
        for (const { who, most, share, leave } of steps) {
          const budget = budgets[who ? 0 : 1];
          const grant = reserve(budget, cost(most / 1e9));
          const fits = most === 0 || counted + most <= 1e9;
          assert.equal(grant.kind, fits ? 'granted' : settled + most <= 1e9 ? 'wait' : 'spent');
          if (grant.kind !== 'granted') continue;
          const used = leave ? most : Math.floor(most * share);
          if (!leave) budget.settle(grant.reservation, cost(used / 1e9));
          counted += used;
          if (!leave) settled += used;
          assert.ok(counted <= 1e9);
          assert.equal(Math.round(budgets[who ? 1 : 0].usdToday() * 1e9), counted, 'exact, and seen by the other');
        }
        one.close();
        other.close();
      }),
      { numRuns: 40 },
    );
  });
});

describe('what is out', () => {
  it('is asked by nobody else until it is settled, or its time is up, or its process is gone', () => {
    const { budget, clock, close, database } = budgetOf({});
    const first = reserve(budget, cost(0), 'same') as { reservation: Reservation };
    assert.deepEqual(reserve(budget, cost(0), 'same'), LATER);
    assert.equal(reserve(budget, cost(0), 'other').kind, 'granted');
    budget.settle(first.reservation, cost(0));
    assert.equal(reserve(budget, cost(0), 'same').kind, 'granted');
    clock.now += 59_999;
    assert.equal(reserve(budget, cost(0), 'same').kind, 'wait');
    clock.now += 1;
    assert.equal(reserve(budget, cost(0), 'same').kind, 'granted');
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    database.prepare('UPDATE request_out SET pid = ?').run(pid);
    assert.equal(reserve(budget, cost(0), 'same').kind, 'granted');
    close();
  });

  it('is out for as long as its own process allows it, whatever another process allows', () => {
    const { budget, close, database, clock } = budgetOf({ usdPerDay: 1 });
    const other = new Budget(database, { limits: { ...UNLIMITED, usdPerDay: 1 }, now: () => clock.now });
    assert.equal(budget.reserve(cost(0.75), { name: 'same', ms: 121_000 }).kind, 'granted');
    const briefly = { name: 'same', ms: 61_000 };
    assert.deepEqual(other.reserve(cost(0.25), briefly), LATER);
    assert.deepEqual(other.reserve(cost(0.5), { ...briefly, name: 'other' }), LATER, 'what is held may come back');
    clock.now += 120_999;
    assert.equal(other.reserve(cost(0), briefly).kind, 'wait');
    clock.now += 1;
    assert.equal(other.reserve(cost(0), briefly).kind, 'granted');
    close();
  });

  it('is still out after the clock was set back a little', () => {
    const { budget, clock, close } = budgetOf({});
    assert.equal(reserve(budget, cost(0), 'same').kind, 'granted');
    clock.now -= 1_000;
    assert.equal(reserve(budget, cost(0), 'same').kind, 'wait');
    close();
  });

  it('leaves nothing behind when it is not sent after all', () => {
    const { budget, close } = budgetOf({ usdPerDay: 1, requestsPerMinute: 1, tokensPerMinute: 100 });
    budget.release(granted(budget, cost(1, 100)));
    assert.equal(budget.usdToday(), 0);
    assert.equal(reserve(budget, cost(1, 100)).kind, 'granted');
    close();
  });

  it('is not held for hours by a clock that goes back, nor is a minute', () => {
    const { budget, clock, close } = budgetOf({ requestsPerMinute: 1 });
    assert.equal(reserve(budget, cost(0), 'same').kind, 'granted');
    clock.now -= 3 * 3_600_000;
    assert.deepEqual(reserve(budget, cost(0), 'same'), { kind: 'full', until: clock.now + 60_000 });
    clock.now += 60_000;
    assert.equal(reserve(budget, cost(0), 'same').kind, 'granted');
    close();
  });
});

describe('a minute', () => {
  it('holds so many requests, and says when the next may go', () => {
    const { budget, clock, close } = budgetOf({ requestsPerMinute: 2 });
    granted(budget, cost(0));
    clock.now += 10_000;
    granted(budget, cost(0));
    assert.deepEqual(reserve(budget, cost(0)), { kind: 'full', until: NOON + 60_000 });
    clock.now = NOON + 60_000;
    granted(budget, cost(0));
    assert.deepEqual(reserve(budget, cost(0)), { kind: 'full', until: NOON + 70_000 });
    close();
  });

  it('holds so many tokens, by what was used and not by what was feared', () => {
    const { budget, clock, close } = budgetOf({ tokensPerMinute: 100 });
    const first = granted(budget, cost(0, 80));
    assert.deepEqual(reserve(budget, cost(0, 30)), { kind: 'full', until: NOON + 60_000 });
    budget.settle(first, cost(0, 40));
    clock.now += 1_000;
    granted(budget, cost(0, 60));
    assert.deepEqual(reserve(budget, cost(0, 40)), { kind: 'full', until: NOON + 60_000 });
    assert.deepEqual(reserve(budget, cost(0, 41)), { kind: 'full', until: NOON + 61_000 });
    close();
  });

  it('lets a request that is larger than it go alone', () => {
    const { budget, clock, close } = budgetOf({ tokensPerMinute: 100 });
    granted(budget, cost(0, 5_000));
    assert.deepEqual(reserve(budget, cost(0, 1)), { kind: 'full', until: NOON + 60_000 });
    clock.now += 60_000;
    granted(budget, cost(0, 5_000));
    close();
  });

  it('takes no money while it makes wait', () => {
    const { budget, close } = budgetOf({ requestsPerMinute: 1, usdPerDay: 1 });
    granted(budget, cost(0.25));
    assert.equal(reserve(budget, cost(0.25)).kind, 'full');
    assert.equal(budget.usdToday(), 0.25);
    close();
  });
});
