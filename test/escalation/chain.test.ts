/** If these fail, a note waits where it need not, gives up where it should wait, or is sent faster than its owner allows. */
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { openState } from '../../src/escalation/state-database.ts';
import { chainOf, closeAfterwards, endStage, quiet, START, tick } from './chain-stage.ts';
import { hang, refuse, reply, Scripted } from './scripted.ts';
import { of } from './stage.ts';

describe('the chain', () => {
  afterEach(endStage);

  it('sends no more requests a minute than allowed, and each as soon as it may', async () => {
    const teacher = new Scripted('t', () => reply('headache'));
    const { decide } = chainOf([teacher], { requestsPerMinute: 2 });
    const all = [1, 2, 3, 4, 5].map(id => decide(id));
    await quiet();
    assert.equal(teacher.asked.length, 2);
    await tick(59_999);
    assert.equal(teacher.asked.length, 2);
    await tick(1);
    assert.equal(teacher.asked.length, 4);
    await tick(60_000);
    assert.equal(teacher.asked.length, 5);
    assert.deepEqual(
      new Set((await Promise.all(all.map(each => each.decision))).map(each => each.kind)),
      new Set(['decided']),
    );
  });

  it('waits for a minute rather than ask the next teacher, and gives up at the deadline', async () => {
    const [first, second] = [new Scripted('first', () => reply()), new Scripted('second', () => reply())];
    const { decide } = chainOf([first, second], { tokensPerMinute: 400 });
    const now = decide(1);
    await quiet();
    const [waits, late] = [decide(2), decide(3, { deadline: START + 30_000 })];
    await quiet();
    assert.deepEqual(
      [now.done(), waits.done(), late.done()],
      [true, true, false],
      '220 of 400 are used, 250 more are feared',
    );
    await tick(30_000);
    assert.deepEqual(await late.decision, { kind: 'undecided', reason: 'TOO_OLD', teachers: ['first'], usd: 0 });
    assert.equal(second.asked.length, 0);
  });

  it('rests after a failure of a provider, longer each time, and never beyond the deadline', async () => {
    const times: number[] = [];
    const down = new Scripted('down', () => {
      times.push(Date.now() - START);
      return refuse('TEACHER_UNREACHABLE');
    });
    const { decide } = chainOf([down]);
    const { decision } = decide(1, { deadline: START + 30_000 });
    await quiet();
    for (let i = 0; i < 300; i++) await tick(100);
    const { kind, reason } = (await decision) as { kind: string; reason?: string };
    assert.deepEqual([kind, reason], ['undecided', 'TOO_OLD']);
    // 250 ms and 500 ms between the first three; then the breaker is open for 10 s, and each try keeps it so
    assert.deepEqual(times.slice(0, 3), [0, 300, 800]);
    assert.ok(times.length <= 6 && (times[3] ?? 0) >= 10_000, times.join());
  });

  it('gives a note up that fails again and again while others are answered', async () => {
    const poisoned = new Scripted('poisoned', ({ text }) =>
      text.startsWith('Note 3:') ? refuse('TEACHER_FAILED') : reply('headache'),
    );
    const { decide, facts } = chainOf([poisoned]);
    const poison = decide(3);
    for (let id = 100; !poison.done() && id < 400; id++) {
      decide(id);
      await tick(100);
    }
    assert.deepEqual(await poison.decision, {
      kind: 'undecided',
      reason: 'PROVIDER_FAILED',
      teachers: ['poisoned'],
      usd: 0,
    });
    assert.equal(poisoned.asked.filter(each => each.text.startsWith('Note 3:')).length, 6);
    assert.ok(!facts.some(fact => fact.kind === 'breaker.changed'), 'the provider is well');
  });

  it('gives no note up because of an outage, also where the breaker sees too little to open', async () => {
    let down = true;
    const lone = new Scripted('lone', () => (down ? refuse('TEACHER_UNREACHABLE') : reply('headache')));
    const { decide } = chainOf([lone], {}, { minimumRequests: 1_000 });
    const { decision, done } = decide(1);
    for (let i = 0; i < 60; i++) await tick(10_000);
    assert.deepEqual([done(), lone.asked.length > 12], [false, true]);
    down = false;
    await tick(30_000);
    assert.equal((await decision).kind, 'decided');
  });

  it('uses the money that requests under way give back, to the last note that it is enough for', async () => {
    const teacher = new Scripted(
      't',
      async () => {
        await new Promise(resolve => setTimeout(resolve, 50));
        return reply('headache');
      },
      { usd: 0.08 },
    );
    const { decide } = chainOf([teacher], { usdPerDay: 0.2 }, { concurrency: 8 });
    const all = Array.from({ length: 20 }, (_, id) => decide(id));
    for (let i = 0; i < 40; i++) await tick(50);
    const kinds = (await Promise.all(all.map(each => each.decision))).map(each =>
      each.kind === 'decided' ? each.kind : each.reason,
    );
    const spent = kinds.filter(kind => kind === 'BUDGET_SPENT').length;
    assert.deepEqual([kinds.length - spent, spent], [13, 7], '13 at 0.01, and after them 0.07 is too little for 0.08');
    assert.equal(teacher.asked.length, 13);
  });

  it('spends no money on an outage, and gives no note up because of one', async () => {
    let down = true;
    const teacher = new Scripted('t', (_, __, signal) => (down ? hang(signal) : reply('headache')), { usd: 0.08 });
    const { decide, facts } = chainOf([teacher], { usdPerDay: 0.5 });
    const all = Array.from({ length: 30 }, (_, id) => decide(id));
    await quiet();
    for (let i = 0; i < 300; i++) await tick(1_000);
    assert.ok(teacher.asked.length > 20, `${teacher.asked.length} hung`);
    assert.ok(all.every(each => !each.done()));
    const usd = (): number => of(facts, 'budget.used').at(-1)?.usdToday ?? 0;
    assert.ok(usd() < 0.15, `${usd()} of 0.5`);
    down = false;
    for (let i = 0; i < 60; i++) await tick(1_000);
    const kinds = (await Promise.all(all.map(each => each.decision))).map(each => each.kind);
    assert.deepEqual(new Set(kinds), new Set(['decided']));
  });

  it('spends no more than the bounds of what opens its breaker on an outage that answers 200', async () => {
    let down = true;
    const garbage = { details: { status: 200 } };
    const teacher = new Scripted('t', () => (down ? refuse('TEACHER_FAILED', garbage) : reply('headache')), {
      usd: 0.08,
    });
    const { decide, facts } = chainOf([teacher], { usdPerDay: 0.5 }, { concurrency: 1 });
    const all = Array.from({ length: 8 }, (_, id) => decide(id));
    for (let i = 0; i < 300; i++) await tick(1_000);
    assert.ok(teacher.asked.length > 20, `${teacher.asked.length} answered with garbage`);
    const usd = (): number => of(facts, 'budget.used').at(-1)?.usdToday ?? 0;
    assert.ok(usd() <= 0.25, `${usd()}: three at 0.08 before it opened`);
    assert.ok(all.every(each => !each.done()));
    down = false;
    for (let i = 0; i < 60; i++) await tick(1_000);
    const kinds = (await Promise.all(all.map(each => each.decision))).map(each => each.kind);
    assert.deepEqual(new Set(kinds), new Set(['decided']));
  });

  it('waits for money while a provider is being tried, and reviews nothing for the lack of it', async () => {
    let down = true;
    const teacher = new Scripted('t', () => (down ? refuse('TEACHER_FAILED') : reply('headache')), { usd: 0.08 });
    const { decide } = chainOf([teacher], { usdPerDay: 0.09 });
    const lone = decide(1);
    for (let i = 0; i < 20; i++) await tick(100);
    down = false;
    await tick(10_000);
    assert.equal((await lone.decision).kind, 'decided', 'the tries that failed cost nothing');
  });

  it('waits for the next day when the money is spent while a provider is being tried', async () => {
    let down = true;
    const teacher = new Scripted('t', () => (down ? refuse('TEACHER_FAILED') : reply('headache')), { usd: 0.01 });
    const other = new Scripted('u', () => reply('headache'), { usd: 0.01 });
    const { decide, facts } = chainOf([teacher, other], { usdPerDay: 0.01 }, { minimumRequests: 1 });
    const waits = decide(1, { deadline: START + 86_400_000 });
    await quiet();
    assert.equal((await waits.decision).kind, 'decided', 'by the other, for all that there is');
    const late = decide(2, { deadline: START + 86_400_000 });
    for (let i = 0; i < 12; i++) await tick(1_000);
    assert.equal(of(facts, 'breaker.changed').at(-1)?.state, 'half-open');
    assert.equal(late.done(), false);
    down = false;
    await tick(12 * 3_600_000);
    assert.equal((await late.decision).kind, 'decided', 'with the money of the next day');
  });

  it('asks a teacher that costs nothing rather than wait for the next day', async () => {
    const down = new Scripted('t', () => refuse('TEACHER_FAILED'), { usd: 0.01 });
    const other = new Scripted('u', () => reply('headache'), { usd: 0.01 });
    const free = new Scripted('free', () => reply('headache'), { host: null, usd: 0 });
    const { decide, facts } = chainOf([down, other, free], { usdPerDay: 0.01 }, { minimumRequests: 1 });
    await decide(1, { deadline: START + 86_400_000 }).decision;
    await tick(10_000);
    assert.equal(of(facts, 'breaker.changed').at(-1)?.state, 'half-open');
    const late = decide(2, { deadline: START + 86_400_000 });
    await quiet();
    assert.ok(late.done(), 'before any time passes');
    const decision = await late.decision;
    assert.equal(decision.kind === 'decided' && decision.teacher, 'free');
  });

  it('waits for no next day when the money is spent for good, also while a provider is being tried', async () => {
    let down = true;
    const teacher = new Scripted('t', () => (down ? refuse('TEACHER_FAILED') : reply('headache')), { usd: 0.01 });
    const other = new Scripted('u', () => reply('headache'), { usd: 0.01 });
    const { decide, facts } = chainOf([teacher, other], { usdPerDay: null, usdInAll: 0.01 }, { minimumRequests: 1 });
    await decide(1, { deadline: START + 86_400_000 }).decision;
    const late = decide(2, { deadline: START + 86_400_000 });
    for (let i = 0; i < 12; i++) await tick(1_000);
    assert.equal(of(facts, 'breaker.changed').at(-1)?.state, 'half-open');
    down = false;
    const decision = await late.decision;
    assert.deepEqual([decision.kind, decision.kind === 'undecided' && decision.reason], ['undecided', 'BUDGET_SPENT']);
  });

  it('waits as long as a provider that fails asks, within bounds', async () => {
    const teacher = new Scripted('t', (_, count) =>
      count === 1 ? refuse('TEACHER_FAILED', { retryAfterMs: 1e12 }) : reply('headache'),
    );
    const { decide } = chainOf([teacher]);
    const { decision } = decide(1);
    await quiet();
    await tick(599_999);
    assert.equal(teacher.asked.length, 1);
    await tick(1);
    assert.equal((await decision).kind, 'decided');
  });

  it('keeps a teacher that answers others and refuses one note, and asks the next about that', async () => {
    const picky = new Scripted('picky', ({ text }) =>
      text.startsWith('Note 3:') ? refuse('TEACHER_DENIED') : reply('headache'),
    );
    const { decide, facts } = chainOf([picky, new Scripted('next', () => reply('aspirin'))]);
    await decide(99).decision;
    const refused = decide(3);
    for (let id = 100; !refused.done() && id < 400; id++) {
      decide(id);
      await tick(100);
    }
    const decision = await refused.decision;
    assert.equal(decision.kind === 'decided' && decision.teacher, 'next');
    assert.deepEqual(of(facts, 'teacher.disabled'), []);
  });

  it('gives a teacher up that refuses three times in a row, whatever it did before', async () => {
    let revoked = false;
    const teacher = new Scripted('t', () => (revoked ? refuse('TEACHER_DENIED') : reply('headache')));
    const { decide, facts } = chainOf([teacher]);
    await decide(1).decision;
    revoked = true;
    const next = decide(2);
    await quiet();
    for (let i = 0; i < 20; i++) await tick(100);
    await assert.rejects(next.decision, { code: 'TEACHER_DENIED' });
    assert.deepEqual([teacher.asked.length, of(facts, 'teacher.disabled').length], [4, 1]);
  });

  it('gives no note up for lack of money while another teacher is set up wrong: a person must act', async () => {
    const wrong = new Scripted('wrong', () => refuse('TEACHER_UNPAID'));
    const dear = new Scripted('dear', () => reply('headache'), { usd: 2 });
    const { decide } = chainOf([wrong, dear], { usdPerDay: 1 });
    await assert.rejects(decide(1).decision, { code: 'TEACHER_UNPAID' });
  });

  it('does not decide by an answer that is mostly invented', async () => {
    const liar = new Scripted('liar', () => reply('headache', 'fever', 'never said'));
    const lied = await chainOf([liar]).decide(1).decision;
    assert.equal(lied.kind === 'undecided' && lied.reason, 'MOSTLY_INVENTED');
  });

  it('decides by an answer of which a smaller part is invented, and by one of two', async () => {
    const careless = new Scripted('careless', (_, count) =>
      count === 1 ? reply('headache', 'aspirin', 'never said') : reply('headache', 'never said'),
    );
    const { decide } = chainOf([careless]);
    for (const id of [1, 2]) assert.equal((await decide(id).decision).kind, 'decided');
  });

  it('forgets replies that are too old from the file, though none is written any more', async () => {
    const { decide, directory } = chainOf([new Scripted('t', () => reply('headache'))], {}, {});
    await decide(1).decision;
    const database = openState(directory);
    closeAfterwards(() => database.close());
    const count = () => database.prepare('SELECT count(*) AS n FROM reply').get()?.n;
    assert.equal(count(), 1);
    for (let hour = 0; hour < 24; hour++) await tick(3_600_000);
    assert.equal(count(), 1);
    for (let hour = 0; hour < 2; hour++) await tick(3_600_000);
    assert.equal(count(), 0);
  });

  it('leaves everything at once when its note is lost or the run stops, and the request that is out goes on', async () => {
    const gate = Promise.withResolvers<void>();
    const slow = new Scripted('slow', async () => {
      await gate.promise;
      return reply('headache');
    });
    const { decide, facts, room } = chainOf([slow]);
    const lost = new AbortController();
    const first = decide(1, { lost: lost.signal });
    await quiet();
    lost.abort(new Error('the partition is gone'));
    await assert.rejects(first.decision, /the partition is gone/);
    gate.resolve();
    await quiet();
    assert.ok(
      facts.some(fact => fact.kind === 'teacher.asked' && fact.outcome === 'OK'),
      'it was paid for, so it is kept',
    );
    const again = decide(1);
    assert.equal((await again.decision).kind, 'decided');
    assert.equal(slow.asked.length, 1, 'and used by whoever has the note now');
    assert.equal(room.size, 0);
  });

  /** One request is out, three stand in line for notes that are lost then. */
  async function loseFour() {
    const gate = Promise.withResolvers<void>();
    const slow = new Scripted('slow', async () => {
      await gate.promise;
      return reply('headache');
    });
    const { decide } = chainOf([slow], {}, { concurrency: 1 });
    const lost = new AbortController();
    const all = [1, 2, 3, 4].map(id => decide(id, { lost: lost.signal }));
    await quiet();
    assert.equal(slow.asked.length, 1);
    const lose = async (): Promise<void> => {
      lost.abort(new Error('the partition is gone'));
      for (const each of all) await assert.rejects(each.decision, /the partition is gone/);
      gate.resolve();
      await quiet();
    };
    return { slow, decide, lose };
  }

  it('sends nothing for notes that were lost while their requests stood in line', async () => {
    const { slow, lose } = await loseFour();
    await lose();
    assert.equal(slow.asked.length, 1);
  });

  it('answers a note that shares the request of one that was lost while it stood in line', async () => {
    const { slow, decide, lose } = await loseFour();
    const sharing = [decide(3), decide(3)];
    await quiet();
    await lose();
    for (const each of sharing) assert.equal((await each.decision).kind, 'decided');
    assert.deepEqual(
      slow.asked.map(({ text }) => text.slice(0, 6)),
      ['Note 1', 'Note 3'],
    );
  });
});
