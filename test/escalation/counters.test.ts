/** If these fail, a doubtful note can vanish without anybody seeing it in the numbers. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { seeded } from '../../src/evaluation/bootstrap.ts';
import { EmbeddedTransport } from '../../src/streams/embedded/embedded-transport.ts';
import type { TeacherCode } from '../../src/teachers/teacher-error.ts';
import { createTelemetry } from '../../src/telemetry/telemetry.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { total } from '../telemetry/total.ts';
import { escalated, noteOf, refuse, reply, Scripted, USAGE } from './scripted.ts';
import { ends, freshState, stage, TOPICS } from './stage.ts';

const KEEP = { ms: null, bytes: null };
const NOTES = 120;
const folder = temporaryFolder('counters');
const FAULTS: readonly TeacherCode[] = [
  'TEACHER_UNREACHABLE',
  'TEACHER_FAILED',
  'TEACHER_HUNG_UP',
  'TEACHER_BUSY',
  'REPLY_NOT_JSON',
  'REPLY_REFUSED',
];

describe('counters of escalations', { timeout: 120_000 }, () => {
  for (const seed of [1, 2, 3, 4]) {
    it(`add up at every moment, and to what stands in the topics (seed ${seed})`, async context => {
      const random = seeded(seed);
      const log = new EmbeddedTransport({ directory: join(folder, String(seed)), create: true, now: Date.now });
      context.after(() => log.close());
      for (const topic of TOPICS) await log.createTopic(topic, { partitions: 3, retention: KEEP });
      const records = await Promise.all(
        Array.from({ length: NOTES }, (_, i) =>
          escalated(noteOf(i, i % 20 === 7 ? { deidentification: null } : {}), {
            tasks: i % 5 === 0 ? ['medication', 'symptom'] : ['symptom'],
            ...(i % 15 === 4 ? { escalatedAt: 0 } : {}),
          }),
        ),
      );
      for (const i of [11, 60]) records[i] = { ...(records[i] as (typeof records)[number]), value: Buffer.from('x') };
      await log.append(records);
      const unsteady = (name: string): Scripted =>
        new Scripted(name, async () => {
          for (let wait = Math.floor(random() * 5); wait > 0; wait--) await setImmediate();
          const fault = random() < 0.3 ? FAULTS[Math.floor(random() * FAULTS.length)] : undefined;
          if (fault !== undefined)
            return refuse(fault, { retryAfterMs: 5, ...(fault === 'REPLY_REFUSED' ? { usage: USAGE } : {}) });
          return random() < 0.1 ? reply('invented') : reply('headache');
        });
      const telemetry = createTelemetry({ log: { level: 'silent' } });
      const teachers = [unsteady('one'), unsteady('two')];
      const directory = freshState();
      let [moments, facts] = [0, 0];
      let [taken, ended] = [0, 0];
      const runOnce = async (until: 'stop' | 'end'): Promise<void> => {
        const staged = await stage(log, {
          teachers,
          directory,
          breaker: { failurePercent: 60, minimumRequests: 5, windowMs: 60_000, resetMs: 20 },
          limits: { usdPerDay: 1, tokensPerMinute: null, requestsPerMinute: null },
          run: { inFlightRecords: 16 },
          observe: fact => {
            telemetry.observe(fact);
            facts++;
            if (fact.kind === 'escalation.taken') taken++;
            if (fact.kind === 'escalation.ended') ended++;
          },
        });
        if (until === 'stop') {
          while (ended < NOTES / 4) {
            const seen = facts;
            const values = await Promise.all([
              total(telemetry, 'escalations_total'),
              total(telemetry, 'escalations_ended_total'),
              total(telemetry, 'escalations_in_flight'),
            ]);
            const [all, done, inFlight] = values;
            // three readings of one moment, or none at all
            if (seen === facts) {
              assert.deepEqual([all, done, inFlight], [taken, ended, taken - ended]);
              moments++;
            }
            await setImmediate();
          }
          await staged.stop();
        } else await staged.finish();
        assert.equal(taken, ended, 'nothing is in flight after the run');
      };
      await runOnce('stop');
      await runOnce('end');
      assert.ok(moments > 10, `${moments} moments were looked at`);
      const all = await total(telemetry, 'escalations_total');
      const outcome = (name: string): Promise<number> =>
        total(telemetry, 'escalations_ended_total', `outcome="${name}"`);
      const [revised, reviewed, dead, back] = await Promise.all(
        ['revised', 'reviewed', 'dead-lettered', 'given-back'].map(outcome),
      );
      assert.equal(all, (revised ?? 0) + (reviewed ?? 0) + (dead ?? 0) + (back ?? 0));
      const { revisions, reviews, dead: letters } = await ends(log);
      const final = revisions.filter(each => each.status === 'FINAL');
      assert.equal(NOTES, final.length + reviews.length + letters.length, 'each escalation has one end');
      const ids = [...final, ...reviews].map(each => each.noteId);
      assert.equal(new Set(ids).size, ids.length, 'and no two');
      // what was decided and not committed before the stop was taken again
      const told = [revised ?? 0, reviewed ?? 0, dead ?? 0];
      for (const [i, stands] of [final.length, reviews.length, letters.length].entries())
        assert.ok((told[i] ?? 0) >= stands, `${told} told, ${[final.length, reviews.length, letters.length]} stand`);
      assert.ok(final.length > 0 && reviews.length > 0 && letters.length === 2, 'the run saw every kind of end');
    });
  }
});
