/** What becomes of doubtful notes whatever their teachers do, on any transport: each has one end, and nothing is paid for twice. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import type { Fact } from '../../src/core/facts.ts';
import { headerText } from '../../src/core/record.ts';
import type { Transport } from '../../src/streams/transport.ts';
import type { TeacherCode } from '../../src/teachers/teacher-error.ts';
import { CodePointIndex } from '../../src/text/code-points.ts';
import { type Harness, readAll } from '../contract/harness.ts';
import { escalated, hang, noteOf, refuse, reply, Scripted } from './scripted.ts';
import { ends, freshState, leaveNoneAtWork, of, runOver, stage, TOPICS } from './stage.ts';

const KEEP = { ms: null, bytes: null };
const UNUSABLE: readonly TeacherCode[] = [
  'REPLY_EMPTY',
  'REPLY_REFUSED',
  'REPLY_CUT',
  'REPLY_NOT_JSON',
  'REPLY_WRONG_SCHEMA',
  'REQUEST_REJECTED',
];
const UNWELL: readonly TeacherCode[] = ['TEACHER_UNREACHABLE', 'TEACHER_TIMEOUT', 'TEACHER_FAILED', 'TEACHER_HUNG_UP'];

const well = (name = 'good'): Scripted => new Scripted(name, () => reply('headache'));
const many = (count: number) => Promise.all(Array.from({ length: count }, (_, i) => escalated(noteOf(i))));
const outcomes = (facts: readonly Fact[]) =>
  of(facts, 'escalation.ended').map(({ outcome, reason }) => (reason === undefined ? outcome : `${outcome} ${reason}`));

export function scenarios(name: string, open: () => Promise<Harness>, skip: string | false = false): void {
  describe(`escalations on ${name}`, { skip, timeout: 240_000 }, () => {
    let harness: Harness;
    let transport: Transport;
    beforeEach(async () => {
      await harness?.close();
      harness = await open();
      transport = await harness.connect();
      for (const topic of TOPICS) await transport.createTopic(topic, { partitions: 4, retention: KEEP });
    });
    afterEach(leaveNoneAtWork);
    after(() => harness?.close());

    it('become the next revision: the doubted task by its teacher, the other as it was', async () => {
      const note = noteOf(1);
      const { revisions, reviews, facts } = await runOver(transport, [await escalated(note)], { teachers: [well()] });
      const [event, ...more] = revisions;
      assert.deepEqual([more, reviews, outcomes(facts)], [[], [], ['revised']]);
      assert.deepEqual([event?.noteId, event?.revision, event?.status], ['n-1', 2, 'FINAL']);
      assert.deepEqual(event?.tasks, [
        { task: 'medication', confidence: 0.9, decidedBy: 'student' },
        { task: 'symptom', confidence: 0.7, decidedBy: 'teacher:good' },
      ]);
      assert.deepEqual(
        event?.entities.map(each => [each.text, each.source, each.confidence]),
        [
          ['aspirin', 'student', 0.9],
          ['headache', 'teacher:good', 0.8],
        ],
      );
      const index = new CodePointIndex(note.text);
      for (const { start, end, text } of event?.entities ?? []) assert.equal(index.slice(start, end), text);
      const [record] = await readAll(transport, 'entities');
      assert.equal(headerText(record?.headers ?? {}, 'ce_source'), '/clinstream/escalator');
      assert.equal(String(record?.key), 'p-1');
    });

    it('keep a mention that nobody quotes out, and an answer without mentions is an answer', async () => {
      const none = new Scripted('none', () => reply());
      const records = [await escalated(noteOf(1), { tasks: ['medication'] })];
      const { revisions, reviews } = await runOver(transport, records, { teachers: [none] });
      assert.deepEqual([revisions[0]?.entities, revisions[0]?.status, reviews], [[], 'FINAL', []]);
    });

    it('are reviewed when the only teacher gives nothing usable, and it is not asked about the same text again', async () => {
      for (const code of UNUSABLE) {
        const folder = freshState();
        const bad = new Scripted(`bad-${code}`, () => refuse(code));
        const text = `${code}: takes aspirin.`;
        const staged = await stage(transport, { teachers: [bad], directory: folder });
        await transport.append([await escalated(noteOf(`${code}-1`, { text }))]);
        await staged.finish();
        const again = await stage(transport, { teachers: [bad], directory: folder });
        await transport.append([await escalated(noteOf(`${code}-2`, { text }))]);
        await again.finish();
        const reviews = (await ends(transport)).reviews.filter(each => each.noteId.startsWith(`n-${code}`));
        assert.equal(bad.asked.length, 1, code);
        assert.deepEqual(
          reviews.map(each => [each.reason, each.revision, each.tasks]),
          [1, 2].map(() => [
            'REPLY_UNUSABLE',
            1,
            [{ task: 'symptom', reason: 'REPLY_UNUSABLE', teachers: [bad.name] }],
          ]),
        );
      }
      assert.equal((await ends(transport)).revisions.length, 0);
    });

    it('go to the next teacher when one gives nothing usable, invents every quote, or is unwell', async () => {
      const first = new Scripted('first', ({ text }) => {
        if (text.startsWith('Note 1:')) return reply('an invented fever', 'another one');
        return refuse(text.startsWith('Note 2:') ? 'REPLY_NOT_JSON' : 'TEACHER_FAILED');
      });
      const { revisions, reviews, facts } = await runOver(transport, await many(4), {
        teachers: [first, well('second')],
      });
      assert.deepEqual(
        [revisions.map(each => each.tasks[1]?.decidedBy), reviews],
        [Array(4).fill('teacher:second'), []],
      );
      const grounded = of(facts, 'quotes.grounded').find(each => each.teacher === 'first');
      assert.deepEqual(grounded?.dropped, { 'not-found': 2 });
    });

    it('are reviewed when every quote is invented', async () => {
      const liar = new Scripted('liar', () => reply('never said'));
      const { revisions, reviews } = await runOver(transport, await many(1), { teachers: [liar] });
      assert.deepEqual([revisions, reviews.map(each => each.reason)], [[], ['NOTHING_GROUNDED']]);
    });

    it('outlive every fault of a provider that passes', async () => {
      const shaky = new Scripted('shaky', (_, count) => {
        const code = UNWELL[count - 1];
        return code === undefined ? reply('headache') : refuse(code);
      });
      const { revisions, facts } = await runOver(transport, await many(1), { teachers: [shaky] });
      assert.equal(revisions.length, 1);
      assert.deepEqual(
        of(facts, 'teacher.asked').map(each => each.outcome),
        [...UNWELL, 'OK'],
      );
    });

    it('end a request that hangs, for real, and go on', async () => {
      const signals: AbortSignal[] = [];
      const hanging = new Scripted('hanging', (_, count, signal) => {
        signals.push(signal);
        return count === 1 ? hang(signal) : reply('headache');
      });
      const { revisions, facts } = await runOver(transport, await many(1), { teachers: [hanging], requestMs: 40 });
      assert.equal(revisions.length, 1);
      assert.deepEqual(
        of(facts, 'teacher.asked').map(each => each.outcome),
        ['TEACHER_TIMEOUT', 'OK'],
      );
      assert.equal(signals[0]?.aborted, true, 'the connection was told');
    });

    it('wait behind an open breaker with partitions paused; one real note tries; then all go on', async () => {
      let down = true;
      let under = 0;
      const atOnce: { under: number; state: string | undefined }[] = [];
      const provider = new Scripted('provider', async () => {
        const state = of(staged.facts, 'breaker.changed').at(-1)?.state;
        atOnce.push({ under: ++under, state });
        await new Promise(resolve => setImmediate(resolve));
        under--;
        return down ? refuse('TEACHER_FAILED') : reply('headache');
      });
      const staged = await stage(transport, {
        teachers: [provider],
        breaker: { failurePercent: 50, minimumRequests: 4, windowMs: 60_000, resetMs: 300 },
        concurrency: 4,
        run: { inFlightRecords: 8 },
      });
      await transport.append(await many(40));
      await staged.told('fallback.blocked');
      const openedAt = performance.now();
      const asked = provider.asked.length;
      const taken = of(staged.facts, 'escalation.taken').length;
      assert.ok(taken <= 8, `${taken} in hand`);
      await staged.told('breaker.changed', 3); // closed, open, half-open
      assert.ok(performance.now() - openedAt >= 290, 'it stayed open for its time');
      await staged.told('breaker.changed', 4); // the note that tried failed: open again
      assert.equal(provider.asked.length, asked + 1, 'exactly one tried');
      down = false; // before anything is read, which may take longer than the breaker stays open
      assert.deepEqual((await ends(transport)).reviews, [], 'nothing was given up');
      await staged.finish();
      const { revisions, reviews } = await ends(transport);
      assert.deepEqual([new Set(revisions.map(each => each.noteId)).size, revisions.length, reviews], [40, 40, []]);
      const trying = atOnce.filter(each => each.state !== 'closed');
      assert.deepEqual(trying, Array(2).fill({ under: 1, state: 'half-open' }), 'nothing was sent while it was open');
      const states = of(staged.facts, 'breaker.changed').map(each => each.state);
      assert.deepEqual(states, ['closed', 'open', 'half-open', 'open', 'half-open', 'closed']);
      assert.deepEqual(
        of(staged.facts, 'fallback.blocked').map(each => each.blocked),
        [true, false, true, false],
      );
    });

    it('honour Retry-After, which is no failure', async () => {
      const times: number[] = [];
      const busy = new Scripted('busy', (_, count) => {
        times.push(performance.now());
        return count <= 2 ? refuse('TEACHER_BUSY', { retryAfterMs: 120 }) : reply('headache');
      });
      const { revisions, facts } = await runOver(transport, await many(1), {
        teachers: [busy],
        breaker: { failurePercent: 1, minimumRequests: 1, windowMs: 60_000, resetMs: 60_000 },
      });
      assert.equal(revisions.length, 1);
      const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0));
      assert.ok(gaps.length === 2 && gaps.every(gap => gap >= 118), gaps.join());
      assert.deepEqual(
        of(facts, 'breaker.changed').map(each => each.state),
        ['closed'],
      );
    });

    it('go to the next teacher while one is busy', async () => {
      const busy = new Scripted('busy', () => refuse('TEACHER_BUSY', { retryAfterMs: 3_600_000 }));
      const { revisions } = await runOver(transport, await many(3), { teachers: [busy, well('free')] });
      assert.deepEqual([revisions.length, busy.asked.length <= 3], [3, true]);
    });

    it('stay where they are when the only teacher is set up wrong: the run ends and says so', async () => {
      for (const code of ['TEACHER_DENIED', 'MODEL_UNKNOWN', 'TEACHER_UNPAID', 'EGRESS_DENIED'] as const) {
        const wrong = new Scripted(`wrong-${code}`, () => refuse(code));
        await transport.append([await escalated(noteOf(code))]);
        const staged = await stage(transport, { teachers: [wrong] });
        await assert.rejects(staged.finish(), { code });
      }
      assert.deepEqual(await ends(transport), { revisions: [], reviews: [], dead: [] });
      assert.equal((await runOver(transport, [], { teachers: [well()] })).revisions.length, 4, 'mended, all go on');
    });

    it('go to the next teacher when one is set up wrong, which is then left alone', async () => {
      const wrong = new Scripted('wrong', () => refuse('TEACHER_DENIED'));
      const { revisions, facts } = await runOver(transport, await many(9), {
        teachers: [wrong, well()],
        concurrency: 1,
      });
      assert.equal(revisions.length, 9);
      assert.ok(
        wrong.asked.length <= 2,
        `${wrong.asked.length} sent: of those that stood in line one may be out already`,
      );
      assert.deepEqual(of(facts, 'teacher.disabled'), [
        { kind: 'teacher.disabled', teacher: 'wrong', code: 'TEACHER_DENIED' },
      ]);
    });

    it('are given up when they are too old: at once, or while they wait', async () => {
      const down = new Scripted('down', () => refuse('TEACHER_UNREACHABLE'));
      const old = await escalated(noteOf('old'), { escalatedAt: Date.now() - 3_600_001 });
      const { reviews, revisions } = await runOver(transport, [old], { teachers: [down] });
      assert.deepEqual([reviews.map(each => each.reason), revisions, down.asked.length], [['TOO_OLD'], [], 0]);
      const staged = await stage(transport, {
        teachers: [down],
        deadlineMs: 700,
        breaker: { failurePercent: 50, minimumRequests: 2, windowMs: 60_000, resetMs: 3_600_000 },
      });
      await transport.append(await many(5));
      await staged.finish();
      const after = (await ends(transport)).reviews.slice(1);
      assert.deepEqual(
        after.map(each => each.reason),
        Array(5).fill('TOO_OLD'),
      );
      assert.ok(after.every(({ at, escalatedAt }) => at - escalatedAt >= 700));
    });

    it("are given up when the day's money is spent, unless somebody answers for nothing", async () => {
      const dear = new Scripted('dear', () => reply('headache'), { usd: 0.02 });
      const limits = { usdPerDay: 0.03, tokensPerMinute: null, requestsPerMinute: null };
      const directory = freshState();
      const { revisions, reviews } = await runOver(transport, await many(4), {
        teachers: [dear],
        limits,
        directory,
        concurrency: 1,
      });
      assert.deepEqual([revisions.length, dear.asked.length], [2, 2], '0.01 each, 0.02 to be there before');
      assert.deepEqual(
        reviews.map(each => [each.reason, each.usd]),
        Array(2).fill(['BUDGET_SPENT', 0]),
      );
      const free = new Scripted('free', () => reply('headache'), { host: null, usd: 0 });
      const next = await runOver(transport, [await escalated(noteOf('next'))], {
        teachers: [dear, free],
        limits,
        directory,
      });
      assert.equal(dear.asked.length, 2, 'the budget outlived the restart');
      const answered = next.revisions.find(each => each.noteId === 'n-next');
      assert.equal(answered?.tasks[1]?.decidedBy, 'teacher:free');
    });

    it('with one task decided and one not are published as far as they go, and reviewed', async () => {
      const half = new Scripted('half', ({ task }) =>
        task === 'symptom' ? reply('headache') : refuse('REPLY_REFUSED', { usage: USED }),
      );
      const records = [await escalated(noteOf(1), { tasks: ['medication', 'symptom'] })];
      const { revisions, reviews, facts } = await runOver(transport, records, { teachers: [half] });
      assert.deepEqual(
        revisions.map(each => [each.revision, each.status, each.tasks.map(task => task.decidedBy)]),
        [[2, 'PROVISIONAL', ['student', 'teacher:half']]],
      );
      assert.deepEqual(
        reviews.map(each => [each.revision, each.reason, each.tasks.map(({ task }) => task), each.usd]),
        [[2, 'REPLY_UNUSABLE', ['medication'], 0.26]],
      );
      assert.deepEqual(outcomes(facts), ['reviewed REPLY_UNUSABLE']);
    });

    it('whose revision is too large for its topic are reviewed', async () => {
      const { revisions, reviews } = await runOver(transport, await many(1), { teachers: [well()], maxBytes: 100 });
      assert.deepEqual(
        [revisions, reviews.map(each => [each.reason, each.revision, each.tasks[0]?.teachers])],
        [[], [['TOO_LARGE', 1, ['good']]]],
      );
    });

    it('ask about every section of a long note, and place a mention that two of them quote once', async () => {
      const parts = new Scripted('parts', ({ text }) => reply(...(text.includes('headache') ? ['headache'] : [])), {
        sectionPoints: 20,
      });
      const text = `${'💊 takes aspirin. '.repeat(5)}headache. ${'and so on. '.repeat(5)}headache`;
      const { revisions } = await runOver(transport, [await escalated(noteOf(1, { text }))], { teachers: [parts] });
      assert.equal(parts.asked.length, Math.ceil(new CodePointIndex(text).length / 20));
      const found = revisions[0]?.entities.filter(each => each.task === 'symptom') ?? [];
      assert.ok(found.length >= 1 && found.every(each => each.text === 'headache'));
    });

    it('are shown to nobody when the gate refuses them, and go to the dead letters when they are none', async () => {
      const teacher = well();
      const valid = await escalated(noteOf(1));
      const { revisions, reviews, dead, facts } = await runOver(
        transport,
        [
          await escalated(noteOf('unattested', { deidentification: null })),
          await escalated(noteOf('mail', { text: 'headache: mail j@example.org' })),
          { ...valid, value: Buffer.from('not an escalation') },
          { ...valid, value: null },
          await escalated(noteOf('no-doubt'), { tasks: [] }),
        ],
        { teachers: [teacher] },
      );
      assert.deepEqual([teacher.asked, revisions], [[], []]);
      assert.deepEqual(reviews.map(each => [each.noteId, each.reason]).sort(), [
        ['n-mail', 'NOTE_REFUSED'],
        ['n-unattested', 'NOTE_REFUSED'],
      ]);
      assert.deepEqual([...dead].sort(), ['NOTE_INVALID', 'NOT_AVRO', 'VALUE_NULL']);
      assert.equal(outcomes(facts).filter(each => each.startsWith('dead-lettered')).length, 3);
    });

    it('that have no teacher for their task are reviewed', async () => {
      const { reviews } = await runOver(transport, await many(1), { teachers: [] });
      assert.deepEqual(
        reviews.map(each => each.reason),
        ['NO_TEACHER'],
      );
    });

    it('with the same text are asked about once, at the same time and later', async () => {
      const gate = Promise.withResolvers<void>();
      const teacher = new Scripted('once', async () => {
        await gate.promise;
        return reply('headache');
      });
      const text = 'The same headache.';
      const same = (from: number) =>
        Promise.all(Array.from({ length: 10 }, (_, i) => escalated(noteOf(from + i, { text }))));
      await transport.append(await same(0));
      const staged = await stage(transport, { teachers: [teacher] });
      await staged.told('escalation.taken', 10);
      gate.resolve();
      await transport.append(await same(10));
      await staged.finish();
      assert.equal(teacher.asked.length, 1);
      assert.equal((await ends(transport)).revisions.length, 20);
      assert.equal(of(staged.facts, 'reply.reused').length, 19);
    });

    it('that only wait are given back at once at stop, and nothing of them is lost', async () => {
      const down = new Scripted('down', () => refuse('TEACHER_UNREACHABLE'));
      const staged = await stage(transport, {
        teachers: [down],
        breaker: { failurePercent: 50, minimumRequests: 2, windowMs: 60_000, resetMs: 3_600_000 },
        run: { inFlightRecords: 4 },
      });
      await transport.append(await many(12));
      await staged.told('fallback.blocked');
      const began = performance.now();
      await staged.stop();
      const took = performance.now() - began;
      assert.ok(took < 8_000, `${took} ms, of the 20 s that it would have to drain`);
      assert.deepEqual(await ends(transport), { revisions: [], reviews: [], dead: [] });
      assert.equal((await runOver(transport, [], { teachers: [well()] })).revisions.length, 12);
    });

    it('that are being answered at stop are still committed, and one that hangs is not waited for', async () => {
      const first = Promise.withResolvers<void>();
      const slow = new Scripted('slow', async ({ text }, _, signal) => {
        if (!text.startsWith('Note 0:')) return hang(signal);
        await first.promise;
        return reply('headache');
      });
      await transport.append([
        await escalated(noteOf(0, { patientId: 'p' })),
        await escalated(noteOf(1, { patientId: 'p' })),
      ]);
      const staged = await stage(transport, { teachers: [slow], graceMs: 300, requestMs: 60_000 });
      await staged.told('escalation.taken', 2);
      while (slow.asked.length < 2) await new Promise(resolve => setImmediate(resolve));
      const stopped = staged.stop();
      first.resolve();
      await stopped;
      assert.deepEqual(
        (await ends(transport)).revisions.map(each => each.noteId),
        ['n-0'],
      );
      assert.deepEqual(outcomes(staged.facts).sort(), ['given-back STOPPING', 'revised']);
      const { revisions } = await runOver(transport, [], { teachers: [well('slow')] });
      assert.deepEqual(
        revisions.map(each => each.noteId),
        ['n-0', 'n-1'],
      );
    });

    it('that are out behind one that is given back at stop are waited for, and not paid for again', async () => {
      const gate = Promise.withResolvers<void>();
      const teacher = new Scripted('t', async ({ text }) => {
        if (text.startsWith('Note 0:')) return refuse('TEACHER_FAILED', { retryAfterMs: 60_000 });
        await gate.promise;
        return reply('headache');
      });
      const directory = freshState();
      const ofOne = { patientId: 'p' };
      await transport.append([await escalated(noteOf(0, ofOne)), await escalated(noteOf(1, ofOne))]);
      const staged = await stage(transport, { teachers: [teacher], directory, graceMs: 60_000, requestMs: 60_000 });
      while (teacher.asked.length < 2) await new Promise(resolve => setImmediate(resolve));
      await staged.told('teacher.asked');
      // the first takes the other along, so that the run is over before its reply is there
      await staged.running.stop();
      await staged.running.done;
      const closed = staged.escalator.close();
      gate.resolve();
      await closed;
      assert.deepEqual(auditedIn(directory), ['TEACHER_FAILED', 'OK']);
      const healthy = well('t');
      const { revisions, facts } = await runOver(transport, [], { teachers: [healthy], directory });
      assert.deepEqual(revisions.map(each => each.noteId).sort(), ['n-0', 'n-1']);
      assert.deepEqual(
        healthy.asked.map(({ text }) => text.slice(0, 6)),
        ['Note 0'],
      );
      assert.equal(of(facts, 'reply.reused').length, 1);
    });
  });
}

/** How the requests of a state ended, in order. */
function auditedIn(directory: string): readonly string[] {
  const lines = readFileSync(join(directory, 'audit.jsonl'), 'utf8').trimEnd().split('\n');
  return lines.flatMap(line => (JSON.parse(line) as { outcome?: string }).outcome ?? []);
}

const USED = { inputTokens: 1, outputTokens: 1, usd: 0.25, ms: 1 };
