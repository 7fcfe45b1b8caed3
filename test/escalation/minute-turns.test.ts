/** If these fail, long notes are never asked about while short ones keep the minute full, or one that waits holds others for nothing. */
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { Budget } from '../../src/escalation/budget.ts';
import { openState } from '../../src/escalation/state-database.ts';
import type { Reply, TeacherRequest } from '../../src/teachers/teacher.ts';
import { chainOf, closeAfterwards, endStage, quiet, START, tick } from './chain-stage.ts';
import { hang, noteOf, refuse, reply, Scripted } from './scripted.ts';

const idle = new AbortController().signal;
const LONG = 7;
const LIMITS = { tokensPerMinute: 1_000 };
/** At most 250 tokens a note, and 1,000 a long one: it goes when nothing else has gone for a minute. Each uses 110. */
const sizes = { inputTokens: (text: string): number => (text.startsWith(`Note ${LONG}`) ? 950 : 200) };
const isAsked = (teacher: Scripted, id: number): boolean => teacher.asked.some(({ text }) => text === noteOf(id).text);

describe("the minute's turns", () => {
  afterEach(endStage);

  it('let a long note in, though short ones would keep the minute full', async () => {
    const teacher = new Scripted('t', () => reply('headache'), sizes);
    const { decide } = chainOf([teacher], LIMITS);
    const short = [decide(100)];
    await quiet();
    const long = decide(LONG);
    for (let id = 200; id < 240 && !long.done(); id++) {
      short.push(decide(id));
      await tick(5_000);
    }
    assert.equal(isAsked(teacher, LONG), true);
    assert.equal(Date.now(), START + 60_000, 'when the first is a minute old');
    for (let i = 0; i < 24; i++) await tick(5_000);
    assert.ok(
      short.every(each => each.done()),
      'and the short ones after it',
    );
  });

  it('let those behind go with the first, as far as the minute has room, and not a look later', async () => {
    const teacher = new Scripted('t', () => reply('headache'), sizes);
    const { decide } = chainOf([teacher], LIMITS, { concurrency: 64 });
    decide(1);
    await quiet();
    for (const id of [LONG, 2, 3, 4]) decide(id);
    await tick(59_999);
    assert.equal(teacher.asked.length, 1);
    await tick(1);
    assert.equal(teacher.asked.length, 5, '110 of the long one are used, and the others fit beside it');
  });

  it('let others pass while the provider of the first is left alone, and are kept meanwhile', async () => {
    const outage = Promise.withResolvers<void>();
    let down = true;
    const failing = new Scripted(
      't',
      async () => {
        await outage.promise;
        return down ? refuse('TEACHER_UNREACHABLE') : reply('headache');
      },
      sizes,
    );
    const other = new Scripted('u', () => reply('aspirin'));
    const { decide } = chainOf({ symptom: [failing], medication: [other] }, LIMITS, { minimumRequests: 1 });
    decide(1);
    await quiet();
    const long = decide(LONG);
    const behind = decide(2, { task: 'medication' });
    await quiet();
    assert.equal(behind.done(), false);
    outage.resolve();
    await quiet();
    assert.equal(behind.done(), true, 'its breaker is open, and nobody else stands');
    down = false;
    await tick(10_000);
    const late = decide(3, { task: 'medication' });
    await quiet();
    assert.deepEqual([isAsked(failing, LONG), late.done()], [false, false], 'it stands again, before who came since');
    await tick(60_000);
    assert.deepEqual([long.done(), late.done()], [true, true]);
  });

  it('hold nobody for a note that is lost or too old', async () => {
    const teacher = new Scripted('t', () => reply('headache'), sizes);
    const { decide } = chainOf([teacher], LIMITS);
    decide(1);
    await quiet();
    const lost = new AbortController();
    const all = [
      decide(LONG, { lost: lost.signal }),
      decide(10 * LONG, { deadline: START + 2_000 }),
      decide(2),
      decide(3),
    ];
    const done = (): boolean[] => all.map(each => each.done());
    await quiet();
    assert.deepEqual(done(), [false, false, false, false]);
    lost.abort(new Error('the partition is gone'));
    await quiet();
    assert.deepEqual(done(), [true, false, false, false]);
    await tick(2_000);
    assert.deepEqual(done(), [true, true, true, true]);
  });

  it('hold nobody while the first waits for its own provider to answer others', async () => {
    const answers: (() => void)[] = [];
    const slow = new Scripted(
      'slow',
      () => new Promise(resolve => answers.push(() => resolve(reply('headache')))),
      sizes,
    );
    const other = new Scripted('u', () => reply('aspirin'));
    const { decide } = chainOf({ symptom: [slow], medication: [other] }, LIMITS, { concurrency: 1, requestMs: 90_000 });
    const [first, long] = [decide(1), decide(LONG)];
    await quiet();
    const passes = decide(2, { task: 'medication' });
    await quiet();
    assert.deepEqual([first.done(), long.done(), passes.done()], [false, false, true]);
    for (const answer of answers) answer();
    await quiet();
    assert.deepEqual([first.done(), long.done()], [true, false], 'it has its slot, and stands for the minute');
  });

  it('are no business of a teacher on this machine, nor of a reply that is there already', async () => {
    const teacher = new Scripted('t', () => reply('headache'), sizes);
    const local = new Scripted('local', () => reply('aspirin'), { host: null, usd: 0 });
    const { decide } = chainOf({ symptom: [teacher], medication: [local] }, LIMITS);
    assert.equal((await decide(1).decision).kind, 'decided');
    const long = decide(LONG);
    await quiet();
    const free = [decide(1), decide(2, { task: 'medication' })];
    await quiet();
    assert.deepEqual([long.done(), ...free.map(each => each.done())], [false, true, true]);
  });

  it('pass on as soon as the first is granted, though its answer takes long', async () => {
    const teacher = new Scripted('t', ({ text }) => (text === noteOf(3).text ? hang(idle) : reply('headache')));
    const { decide } = chainOf([teacher], { requestsPerMinute: 2 });
    for (const id of [1, 2]) decide(id);
    await quiet();
    const [slow, next] = [decide(3), decide(4)];
    await quiet();
    await tick(60_000);
    assert.deepEqual([isAsked(teacher, 3), slow.done(), next.done()], [true, false, true]);
  });

  it('pass on while the first waits for a slot of its provider', async () => {
    const slow = new Scripted('slow', ({ text }) => (text === noteOf(2).text ? hang(idle) : reply('headache')));
    const other = new Scripted('u', () => reply('aspirin'));
    const { decide } = chainOf({ symptom: [slow], medication: [other] }, { requestsPerMinute: 3 }, { concurrency: 1 });
    decide(1);
    for (const id of [11, 12]) decide(id, { task: 'medication' });
    await quiet();
    const [out, first, behind] = [decide(2), decide(3), decide(4, { task: 'medication' })];
    await quiet();
    assert.equal(behind.done(), false);
    await tick(60_000);
    assert.deepEqual([out.done(), first.done(), behind.done()], [false, false, true]);
  });

  it('pass on while the first waits for money that another request holds', async () => {
    const dear = new Scripted('t', ({ text }) => (text === noteOf(2).text ? hang(idle) : reply('headache')));
    const free = new Scripted('u', () => reply('aspirin'), { usd: 0 });
    const limits = { requestsPerMinute: 3, usdPerDay: 0.065 };
    const { decide } = chainOf({ symptom: [dear], medication: [free] }, limits);
    decide(1);
    for (const id of [11, 12]) decide(id, { task: 'medication' });
    await quiet();
    const [out, first, behind] = [decide(2), decide(3), decide(4, { task: 'medication' })];
    await quiet();
    await tick(60_000);
    assert.deepEqual([out.done(), first.done(), behind.done()], [false, false, true]);
  });

  it('are not jumped by one that waited for a slot when the first came to stand', async () => {
    const answers: (() => void)[] = [];
    const slow = new Scripted(
      't',
      (_, count) => (count > 1 ? reply('headache') : new Promise(done => answers.push(() => done(reply('headache'))))),
      sizes,
    );
    const other = new Scripted('u', () => reply('aspirin'), sizes);
    const { decide } = chainOf({ symptom: [slow], medication: [other] }, LIMITS, { concurrency: 1 });
    decide(1);
    await quiet();
    const queued = decide(2);
    await quiet();
    const long = decide(LONG, { task: 'medication' });
    await quiet();
    for (const answer of answers) answer();
    await quiet();
    assert.deepEqual([queued.done(), long.done()], [false, false]);
    await tick(60_000);
    assert.deepEqual([queued.done(), long.done()], [true, true]);
  });

  it('are left by a note that shares the request of another', async () => {
    const teacher = new Scripted('t', ({ text }) => (text === noteOf(2).text ? hang(idle) : reply('headache')));
    const { decide } = chainOf([teacher], { requestsPerMinute: 2 });
    for (const id of [1, 5]) decide(id);
    await quiet();
    const [first, twin, behind] = [decide(2), decide(2), decide(3)];
    await quiet();
    await tick(60_000);
    await tick(500);
    assert.deepEqual([first.done(), twin.done(), behind.done()], [false, false, true]);
  });

  it('are for no note whose money is spent: who costs nothing is asked at once', async () => {
    const teacher = new Scripted('t', () => reply('headache'), { usd: 0.01 });
    const dear = new Scripted('d', () => reply('aspirin'), { usd: 5 });
    const free = new Scripted('f', () => reply('aspirin'), { host: null, usd: 0 });
    const { decide } = chainOf(
      { symptom: [teacher], medication: [dear, free] },
      { requestsPerMinute: 1, usdPerDay: 1 },
    );
    for (const id of [1, 2, 3]) decide(id);
    await quiet();
    const { decision } = decide(50, { task: 'medication' });
    await quiet();
    assert.equal(((await decision) as { teacher?: string }).teacher, 'f');
  });

  it('look at the teacher before, once it may be asked again', async () => {
    let busy = true;
    const small = new Scripted(
      't',
      ({ text }) =>
        busy && text === noteOf(2).text ? refuse('TEACHER_BUSY', { retryAfterMs: 5_000 }) : reply('headache'),
      { inputTokens: () => 100 },
    );
    const large = new Scripted('u', () => reply('headache'), { inputTokens: () => 900 });
    const { decide } = chainOf([small, large], LIMITS);
    decide(1);
    await quiet();
    const all = [2, 3, 4].map(id => decide(id));
    await quiet();
    busy = false;
    for (let i = 0; i < 6; i++) await tick(1_000);
    assert.deepEqual([...all.map(each => each.done()), large.asked.length], [true, true, true, 0]);
  });

  it('end for a first that another process never leaves a minute', async () => {
    const teacher = new Scripted('t', () => reply('headache'), sizes);
    const { decide, directory } = chainOf([teacher], LIMITS);
    const database = openState(directory);
    closeAfterwards(() => database.close());
    const other = new Budget(database, {
      limits: { usdPerDay: null, tokensPerMinute: null, requestsPerMinute: null },
      now: Date.now,
    });
    const take = (): void =>
      void other.reserve({ inputTokens: 100, outputTokens: 0, usd: 0 }, { name: `${Date.now()}`, ms: 1 });
    take();
    const long = decide(LONG);
    await quiet();
    const short = [];
    for (let second = 0; second < 300; second += 10) {
      take();
      if (second % 60 === 0) short.push(decide(100 + second));
      await tick(10_000);
    }
    assert.deepEqual([long.done(), ...short.map(each => each.done())], [false, true, true, true, true, true]);
  });

  it('come to all, whatever their sizes, their providers and what those do', async () => {
    const note = fc.record({
      task: fc.constantFrom('symptom', 'medication'),
      long: fc.boolean(),
      at: fc.integer({ min: 0, max: 20 }),
      script: fc.array(fc.constantFrom('answer', 'fail', 'busy', 'slow'), { maxLength: 2 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(note, { minLength: 2, maxLength: 10 }), async notes => {
        const scripts = notes.map(({ script }) => [...script]);
        const say = async ({ text }: TeacherRequest): Promise<Reply> => {
          const next = scripts[Number(/^Note \d(\d\d):/.exec(text)?.[1])]?.shift();
          if (next === 'fail') refuse('TEACHER_UNREACHABLE');
          if (next === 'busy') refuse('TEACHER_BUSY', { retryAfterMs: 7_000 });
          if (next === 'slow') await new Promise(resolve => setTimeout(resolve, 400));
          return reply('headache', 'aspirin');
        };
        const providers = { symptom: [new Scripted('t', say, sizes)], medication: [new Scripted('u', say, sizes)] };
        const { decide, room } = chainOf(providers, LIMITS, { minimumRequests: 2, concurrency: 2 });
        try {
          const decided = notes.map(({ at, task, long }, i) => {
            const id = Number(`${long ? LONG : 1}${String(i).padStart(2, '0')}`);
            return { at, begin: () => decide(id, { task }) };
          });
          const begun: ReturnType<typeof decide>[] = [];
          // every failure and every note may fill a minute
          for (let ms = 0; ms < 400_000 * notes.length; ms += begun.length < notes.length ? 500 : 15_000) {
            for (const each of decided.filter(({ at }) => at * 1_000 === ms)) begun.push(each.begin());
            await quiet();
            if (begun.length === notes.length && begun.every(each => each.done())) break;
            if (begun.length < notes.length) await tick(500);
            else for (let i = 0; i < 30; i++) await tick(500);
          }
          const kinds = await Promise.all(begun.map(({ done, decision }) => done() && decision));
          assert.deepEqual(
            kinds.map(each => each !== false && each.kind),
            notes.map(() => 'decided'),
          );
          assert.equal(room.size, 0);
        } finally {
          await endStage();
        }
      }),
      { numRuns: 12 },
    );
  });
});
