/** If these fail, long notes are never asked about while short ones keep the minute full, or one that waits holds others for nothing. */
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import fc from 'fast-check';
import type { Reply, TeacherRequest } from '../../src/teachers/teacher.ts';
import { chainOf, endStage, quiet, START, tick } from './chain-stage.ts';
import { noteOf, refuse, reply, Scripted } from './scripted.ts';

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

  it('come to all, whatever their sizes, their providers and what those do', async () => {
    const note = fc.record({
      task: fc.constantFrom('symptom', 'medication'),
      long: fc.boolean(),
      at: fc.integer({ min: 0, max: 20 }),
      script: fc.array(fc.constantFrom('answer', 'fail', 'busy', 'slow'), { maxLength: 2 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(note, { minLength: 2, maxLength: 12 }), async notes => {
        const scripts = notes.map(({ script }) => [...script]);
        const say = async ({ text }: TeacherRequest): Promise<Reply> => {
          const next = scripts[Number(/^Note \d(\d\d):/.exec(text)?.[1])]?.shift();
          if (next === 'fail') refuse('TEACHER_UNREACHABLE');
          if (next === 'busy') refuse('TEACHER_BUSY', { retryAfterMs: 7_000 });
          if (next === 'slow') await new Promise(resolve => setTimeout(resolve, 900));
          return reply('headache', 'aspirin');
        };
        const providers = { symptom: [new Scripted('t', say, sizes)], medication: [new Scripted('u', say, sizes)] };
        const { decide, room } = chainOf(providers, LIMITS, { minimumRequests: 2, concurrency: 2 });
        const decided = new Map<number, ReturnType<typeof decide>>();
        for (let second = 0; second < 20 + 90 * notes.length; second += 2) {
          for (const [i, { at, task, long }] of notes.entries())
            if (at <= second && !decided.has(i))
              decided.set(i, decide(Number(`${long ? LONG : 1}${String(i).padStart(2, '0')}`), { task }));
          await tick(2_000);
          if (decided.size === notes.length && [...decided.values()].every(each => each.done())) break;
        }
        const kinds = await Promise.all([...decided.values()].map(({ done, decision }) => done() && decision));
        assert.ok(
          kinds.every(each => each !== false && each.kind === 'decided'),
          JSON.stringify(kinds),
        );
        assert.equal(room.size, 0);
        await endStage();
      }),
      { numRuns: 25 },
    );
  });
});
