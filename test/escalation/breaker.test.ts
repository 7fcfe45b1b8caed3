/** If these fail, a provider that is down is asked for ever, or one that is well is left alone. */
import assert from 'node:assert/strict';
import { afterEach, describe, it, mock } from 'node:test';
import type { Fact } from '../../src/core/facts.ts';
import { type BreakerOptions, ProviderBreaker } from '../../src/escalation/breaker.ts';
import { type TeacherCode, TeacherError } from '../../src/teachers/teacher-error.ts';

const open: ProviderBreaker[] = [];

function breakerOf(options: Partial<BreakerOptions> = {}): {
  breaker: ProviderBreaker;
  states: string[];
  facts: Fact[];
} {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: 1_000_000 });
  const facts: Fact[] = [];
  const states: string[] = [];
  const breaker = new ProviderBreaker({
    provider: 'p',
    failurePercent: 50,
    minimumRequests: 4,
    windowMs: 10_000,
    resetMs: 5_000,
    requestMs: 2_000,
    concurrency: 8,
    now: () => Date.now(),
    observe: fact => facts.push(fact),
    onChange: () => states.push(breaker.state),
    ...options,
  });
  open.push(breaker);
  return { breaker, states, facts };
}

const fails = (breaker: ProviderBreaker, code: TeacherCode, options = {}): Promise<void> =>
  assert.rejects(
    breaker.call(() => Promise.reject(new TeacherError(code, 'scripted', options))),
    { code },
  );

describe('a breaker', () => {
  afterEach(() => {
    for (const breaker of open.splice(0)) breaker.close();
    mock.timers.reset();
  });

  it('opens when most of enough requests failed, and tells', async () => {
    const { breaker, states, facts } = breakerOf();
    for (const code of ['TEACHER_TIMEOUT', 'TEACHER_UNREACHABLE', 'TEACHER_FAILED'] as const)
      await fails(breaker, code);
    assert.deepEqual([breaker.state, breaker.ready], ['closed', true], 'three are too few to judge by');
    await fails(breaker, 'TEACHER_HUNG_UP');
    assert.deepEqual([breaker.state, breaker.ready], ['open', false]);
    assert.deepEqual(states, ['open']);
    assert.deepEqual(facts, [{ kind: 'breaker.changed', provider: 'p', state: 'open' }]);
  });

  it('lets exactly one request try after a while; its success closes, its failure opens again', async () => {
    const { breaker, states } = breakerOf({ minimumRequests: 1 });
    await fails(breaker, 'TEACHER_TIMEOUT');
    mock.timers.tick(4_999);
    assert.equal(breaker.ready, false);
    mock.timers.tick(1);
    assert.deepEqual([breaker.state, breaker.ready], ['half-open', true]);
    const first = Promise.withResolvers<string>();
    const probe = breaker.call(() => first.promise);
    assert.equal(breaker.ready, false, 'the one that tries decides for all');
    first.reject(new TeacherError('TEACHER_FAILED', 'still down'));
    await assert.rejects(probe);
    assert.equal(breaker.state, 'open');
    mock.timers.tick(5_000);
    assert.equal(await breaker.call(async () => 'well'), 'well');
    assert.deepEqual([breaker.state, breaker.ready], ['closed', true]);
    assert.deepEqual(states, ['open', 'half-open', 'open', 'half-open', 'closed']);
  });

  it('counts no request to wait, no unusable reply and no wrong key: the provider is well', async () => {
    const { breaker, states } = breakerOf({ minimumRequests: 1 });
    for (const code of [
      'REPLY_NOT_JSON',
      'REPLY_REFUSED',
      'REQUEST_REJECTED',
      'TEACHER_DENIED',
      'TEACHER_BUSY',
    ] as const)
      await fails(breaker, code);
    assert.deepEqual([breaker.state, states], ['closed', []]);
  });

  it('waits as long as the provider asks, then asks again', async () => {
    const { breaker, states, facts } = breakerOf({ minimumRequests: 1 });
    await fails(breaker, 'TEACHER_BUSY', { retryAfterMs: 7_000 });
    assert.deepEqual([breaker.ready, breaker.busyUntil], [false, Date.now() + 7_000]);
    mock.timers.tick(6_999);
    assert.equal(breaker.ready, false);
    mock.timers.tick(1);
    assert.equal(breaker.ready, true);
    assert.deepEqual([states, facts], [[], [{ kind: 'provider.busy', provider: 'p', ms: 7_000 }]]);
  });

  it('waits longer each time where it is not told how long', async () => {
    const { breaker, facts } = breakerOf();
    for (let i = 0; i < 9; i++) {
      await fails(breaker, 'TEACHER_BUSY');
      mock.timers.tick(60_000);
    }
    await breaker.call(async () => {});
    await fails(breaker, 'TEACHER_BUSY');
    assert.deepEqual(
      facts.map(fact => (fact.kind === 'provider.busy' ? fact.ms : 0)),
      [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000, 1_000],
    );
  });

  it('believes no wait that repeats itself in vain, none of days, and counts requests that were out together once', async () => {
    const { breaker, facts } = breakerOf();
    for (let i = 0; i < 4; i++) {
      await Promise.all([1, 2, 3].map(() => fails(breaker, 'TEACHER_BUSY', { retryAfterMs: 0 })));
      mock.timers.tick(60_000);
    }
    await fails(breaker, 'TEACHER_BUSY', { retryAfterMs: 1e12 });
    await fails(breaker, 'TEACHER_BUSY', { retryAfterMs: Number.NaN });
    assert.deepEqual(
      facts.map(fact => (fact.kind === 'provider.busy' ? fact.ms : 0)),
      // those of the first time come when no wait is under way: a wait of nothing has ended at once
      [0, 2_000, 2_000, 4_000, 4_000, 4_000, 8_000, 8_000, 8_000, 16_000, 16_000, 16_000, 600_000, 32_000],
    );
    assert.equal(breaker.busyUntil, Date.now() + 600_000);
  });

  it('is not stopped for longer by a clock that goes back', async () => {
    let now = 10 * 3_600_000;
    const { breaker } = breakerOf({ now: () => now });
    await fails(breaker, 'TEACHER_BUSY', { retryAfterMs: 7_000 });
    now = 3_600_000;
    assert.equal(breaker.ready, false);
    now += 600_000;
    assert.equal(breaker.ready, true, 'nine hours later by the old clock');
  });

  it('opens when requests hang one after the other, however few may be out at once', async () => {
    for (const concurrency of [1, 2, 4]) {
      const { breaker } = breakerOf({ minimumRequests: 5, windowMs: 10_000, requestMs: 30_000, concurrency });
      let failed = 0;
      while (failed < 10 && breaker.state === 'closed') {
        const hanging = Array.from({ length: concurrency }, () => Promise.withResolvers<never>());
        const calls = hanging.map(({ promise }) => breaker.call(() => promise));
        mock.timers.tick(30_000);
        for (const { reject } of hanging) reject(new TeacherError('TEACHER_TIMEOUT', 'hung'));
        failed += (await Promise.allSettled(calls)).length;
      }
      assert.equal(breaker.state, 'open', `${concurrency} at once`);
      assert.ok(failed <= 8, `${failed} failed before it opened`);
      mock.timers.reset();
    }
  });

  it('opens for requests that hang longer than the window that is configured', async () => {
    const { breaker } = breakerOf({ minimumRequests: 3, windowMs: 1_000, requestMs: 30_000 });
    const hanging = Array.from({ length: 3 }, () => Promise.withResolvers<never>());
    const calls = hanging.map(({ promise }) => breaker.call(() => promise));
    mock.timers.tick(30_000);
    for (const { reject } of hanging) reject(new TeacherError('TEACHER_TIMEOUT', 'hung'));
    await Promise.allSettled(calls);
    assert.equal(breaker.state, 'open');
  });
});
