/**
 * The escalator with its real teachers, whose providers do everything wrong that can be done, on any transport: each note has the end
 * that its fault calls for, is paid for once, and nothing that is not in a note ends up in its entities.
 */
import assert from 'node:assert/strict';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import type { Fact } from '../../src/core/facts.ts';
import { groundNote } from '../../src/escalation/ground-note.ts';
import type { Transport } from '../../src/streams/transport.ts';
import { createTelemetry, type Telemetry } from '../../src/telemetry/telemetry.ts';
import { CodePointIndex } from '../../src/text/code-points.ts';
import type { Harness } from '../contract/harness.ts';
import type { Fault } from '../emulators/faults.ts';
import { total } from '../telemetry/total.ts';
import { escalated, noteOf } from './scripted.ts';
import {
  type Ends,
  ends,
  freshState,
  GROUP,
  leaveNoneAtWork,
  of,
  runOver,
  type StageOptions,
  stage,
  TOPICS,
} from './stage.ts';
import { EXPECTED, type Expected } from './wire-expected.ts';
import { billsOf, endedOf, PROVIDERS, planOf, seenOf, textOf, wire } from './wire-stage.ts';

const KEEP = { ms: null, bytes: null };
/** Far more than an answer from this machine takes, however busy it is. */
const REQUEST_MS = 6_000;
const COMMON = { ground: groundNote, requestMs: REQUEST_MS, concurrency: 32 } as const satisfies Partial<StageOptions>;

const noteFor = (name: string, run = 1) => noteOf(`${name}-${run}`, { text: textOf(name) });
const escalations = (names: readonly string[], run?: number) =>
  Promise.all(names.map(name => escalated(noteFor(name, run))));

export function wireScenarios(name: string, open: () => Promise<Harness>, skip: string | false = false): void {
  describe(`escalations to real teachers on ${name}`, { skip, timeout: 300_000 }, () => {
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

    for (const provider of PROVIDERS) {
      it(`have the right end, paid for once, whatever ${provider} does`, async () => {
        const expected = Object.entries(EXPECTED[provider]) as [Fault, Expected][];
        const faults = expected.map(([fault]) => fault);
        const about = planOf(Object.fromEntries(faults.map(fault => [fault, [fault]])));
        const wired = await wire(provider, faults.map(textOf), about);
        const telemetry = createTelemetry({ log: { level: 'silent' } });
        const options = { ...COMMON, teachers: [wired.teacher], directory: freshState(), observe: telemetry.observe };
        const [valid] = await escalations(['none']);
        assert.ok(valid);
        const poison = { ...valid, value: Buffer.from('no escalation') };
        const unattested = await escalated(noteOf('unattested', { deidentification: null }));
        const told = await runOver(transport, [...(await escalations(faults)), poison, unattested], options);
        for (const [fault, { outcomes, end, bills }] of expected) {
          const { noteId, text } = noteFor(fault);
          const ended = endedOf(options.directory, noteId);
          assert.deepEqual(
            ended.map(each => each.outcome),
            outcomes,
            fault,
          );
          assert.deepEqual(endOf(told, noteId), [end], fault);
          assert.equal(seenOf(wired, text).length, outcomes.length, `${fault}: asked`);
          assert.equal(billsOf(wired, text), bills, `${fault}: billed`);
          requireCounted(seenOf(wired, text), ended, fault);
          requireOfTheNote(told, noteId, text);
        }
        assert.deepEqual([told.dead, endOf(told, 'n-unattested')], [['NOT_AVRO'], ['NOTE_REFUSED']]);
        await requireSums(telemetry, told, faults.length + 2);
        for (const hung of ['hang', 'crawl'])
          assert.equal(seenOf(wired, textOf(hung))[0]?.closedEarly, true, 'the connection was closed');
        const asked = wired.emulator.asked.all.length;
        const next = await runOver(transport, await escalations(faults, 2), options);
        assert.equal(
          wired.emulator.asked.all.length,
          asked,
          'the same texts again are answered from what was paid for',
        );
        for (const [fault, { end }] of expected) assert.deepEqual(endOf(next, noteFor(fault, 2).noteId), [end], fault);
        await requireSums(telemetry, next, 2 * faults.length + 2);
      });

      it(`stay where they are when ${provider} wants money or sends elsewhere: the run ends, and mended it goes on`, async () => {
        const names = ['account', 'other'];
        const wired = await wire(provider, names.map(textOf), planOf({ account: ['unpaid', 'redirect'] }));
        await transport.append(await escalations(names.slice(0, 1)));
        const codes = [provider === 'bioportal' ? 'TEACHER_DENIED' : 'TEACHER_UNPAID', 'EGRESS_DENIED'];
        for (const code of codes) {
          const staged = await stage(transport, { ...COMMON, teachers: [wired.teacher] });
          await assert.rejects(staged.finish(), { code });
        }
        assert.deepEqual(await ends(transport), { revisions: [], reviews: [], dead: [] });
        const { revisions } = await runOver(transport, await escalations(['other']), {
          ...COMMON,
          teachers: [wired.teacher],
        });
        assert.deepEqual(revisions.map(each => each.noteId).sort(), ['n-account-1', 'n-other-1']);
        assert.equal(seenOf(wired, textOf('account')).length, 3);
        assert.equal(billsOf(wired, textOf('account')), provider === 'bioportal' ? 0 : 1);
      });
    }

    it('go from one provider to the next, and to one that costs nothing, without waiting for those that are unwell', async () => {
      const names = Array.from({ length: 12 }, (_, i) => `chain-${i}`);
      const every = (fault: Fault) => ({ rates: { [fault]: 1 } });
      const [first, second, third] = await Promise.all([
        wire('openai', names.map(textOf), every('refusal')),
        wire('gemini', names.map(textOf), every('busy-seconds')),
        wire('bioportal', []),
      ]);
      const teachers = [first.teacher, second.teacher, third.teacher];
      const { revisions, reviews } = await runOver(transport, await escalations(names), { ...COMMON, teachers });
      for (const text of names.map(textOf))
        assert.ok(seenOf(second, text).length <= 1, 'nobody waited for the Retry-After of the second');
      assert.deepEqual(
        [revisions.map(each => each.tasks[1]?.decidedBy), reviews],
        [names.map(() => 'teacher:bioportal'), []],
      );
      assert.ok(
        [...first.emulator.asked.billed().values()].every(times => times === 1),
        'a refusal is paid for once',
      );
    });

    it('wait behind the breaker while a provider hangs and fails, one tries, and all go on when it is well', async () => {
      const names = Array.from({ length: 24 }, (_, i) => `breaker-${i}`);
      const wired = await wire('openai', names.map(textOf), {
        rates: { hang: 0.3, 'error-503': 0.3, 'error-in-200': 0.4 },
      });
      const telemetry = createTelemetry({ log: { level: 'silent' } });
      const askedAt: number[] = [];
      const staged = await stage(transport, {
        ...COMMON,
        teachers: [wired.teacher],
        concurrency: 4,
        breaker: { failurePercent: 50, minimumRequests: 4, windowMs: 60_000, resetMs: 400 },
        run: { inFlightRecords: 8 },
        observe: fact => {
          telemetry.observe(fact);
          if (fact.kind === 'breaker.changed') askedAt.push(wired.emulator.asked.all.length);
        },
      });
      await transport.append(await escalations(names));
      await staged.told('fallback.blocked');
      await staged.told('breaker.changed', 4); // closed, open, half-open, open
      assert.deepEqual((await ends(transport)).reviews, [], 'nothing was given up');
      const [, opened = 0, , openedAgain = 0] = askedAt;
      assert.ok(openedAgain - opened <= 4, 'one tried; three others can have been on their way when it opened');
      wired.emulator.faults.set({});
      await staged.finish();
      const told = await ends(transport);
      assert.deepEqual(told.revisions.map(each => each.noteId).sort(), names.map(each => noteFor(each).noteId).sort());
      assert.deepEqual(
        [...wired.emulator.asked.billed().values()],
        names.map(() => 1),
        'each was billed once',
      );
      assert.equal(statesOf(staged.facts).at(-1), 'closed');
      await requireSums(telemetry, told, names.length);
      const lags = (await transport.lags()).filter(each => each.group === GROUP);
      assert.ok(lags.length > 0 && lags.every(each => each.lag <= 1n), 'all is committed');
    });
  });
}

const statesOf = (facts: readonly Fact[]): readonly string[] => of(facts, 'breaker.changed').map(each => each.state);

/** Every end that a note has: there must be one. */
function endOf({ revisions, reviews }: Ends, noteId: string): string[] {
  return [
    ...revisions.filter(each => each.noteId === noteId).map(() => 'revised'),
    ...reviews.filter(each => each.noteId === noteId).map(each => each.reason),
  ];
}

type Tokens = { readonly inputTokens: number; readonly outputTokens: number };
const sum = (of: readonly Tokens[]): number => of.reduce((all, each) => all + each.inputTokens + each.outputTokens, 0);
const inputs = (of: readonly Tokens[]): number => of.reduce((all, each) => all + each.inputTokens, 0);

/** What was counted is what the provider bills, or more where it did not say; of an answer that never came whole, at least the input. */
function requireCounted(
  seen: readonly Tokens[],
  ended: readonly (Tokens & { outcome: string; estimated: boolean })[],
  what: string,
): void {
  const lost = ended.some(each => ['TEACHER_TIMEOUT', 'TEACHER_HUNG_UP'].includes(each.outcome));
  if (lost) assert.ok(inputs(ended) >= inputs(seen), `${what}: ${inputs(ended)} < ${inputs(seen)}`);
  else if (ended.some(each => each.estimated))
    assert.ok(sum(ended) >= sum(seen), `${what}: ${sum(ended)} < ${sum(seen)}`);
  else assert.equal(sum(ended), sum(seen), `${what}: tokens`);
}

function requireOfTheNote({ revisions }: Ends, noteId: string, text: string): void {
  const index = new CodePointIndex(text);
  const entities = revisions.filter(each => each.noteId === noteId).flatMap(each => each.entities);
  for (const { start, end, text: marked } of entities) assert.equal(index.slice(start, end), marked);
}

/** What was taken is revised, reviewed, a dead letter or given back, as the topics say and the metrics too. */
async function requireSums(telemetry: Telemetry, told: Ends, taken: number): Promise<void> {
  const outcome = (name: string) => total(telemetry, 'escalations_ended_total', `outcome="${name}"`);
  assert.equal(await total(telemetry, 'escalations_total'), taken);
  assert.equal(await total(telemetry, 'escalations_in_flight'), 0);
  assert.deepEqual(await Promise.all(['revised', 'reviewed', 'dead-lettered', 'given-back'].map(outcome)), [
    told.revisions.length,
    told.reviews.length,
    told.dead.length,
    0,
  ]);
}
