/** If this fails, text of a patient's note leaves the fallback by a side door: a log line, a metric, a header, the audit trail, an error. */
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { explain } from '../../src/commands/exit.ts';
import { EmbeddedTransport } from '../../src/streams/embedded/embedded-transport.ts';
import { readAll } from '../contract/harness.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { watched } from '../telemetry/facts.ts';
import { escalated, hang, noteOf, refuse, reply, Scripted, USAGE } from './scripted.ts';
import { freshState, type StageOptions, stage, TOPICS } from './stage.ts';

const CANARY = 'zyxwcanary';
const folder = temporaryFolder('escalation-canary');
let logs = 0;

async function freshLog(): Promise<EmbeddedTransport> {
  const log = new EmbeddedTransport({ directory: join(folder, String(logs++)), create: true, now: Date.now });
  for (const topic of TOPICS) await log.createTopic(topic, { partitions: 2, retention: { ms: null, bytes: null } });
  return log;
}

/** A run over notes full of the canary; everything it says, and the error with which it ended, if any. */
async function said(
  log: EmbeddedTransport,
  options: Omit<StageOptions, 'observe'> & { directory: string },
): Promise<{ output: string; error: unknown }> {
  const { telemetry, text } = watched('trace');
  const staged = await stage(log, { ...options, observe: telemetry.observe });
  const error = await staged.finish().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  const shown = error === undefined ? '' : `${explain(error)} ${inspect((error as Error).message)}`;
  if (error !== undefined) telemetry.logger.error(error);
  const output = [text(), await telemetry.registry.metrics(), shown].join('\n');
  return { output, error };
}

describe('canary of the fallback', () => {
  it('is in no log line, metric, header or line of the audit trail, whatever teachers do', async () => {
    const log = await freshLog();
    const directory = freshState();
    const text = `${CANARY} takes aspirin for a headache. ${CANARY} is well.`;
    const records = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        escalated(
          noteOf(i, {
            text: `${text} ${i}${i % 10 === 3 ? ` mail ${CANARY}@example.org` : ''}`,
            ...(i % 10 === 6 ? { deidentification: null } : {}),
          }),
          { tasks: ['medication', 'symptom'], ...(i % 10 === 9 ? { escalatedAt: 0 } : {}) },
        ),
      ),
    );
    await log.append(records);
    await log.append([{ topic: 'escalations', key: null, value: Buffer.from(`${CANARY} `.repeat(20)), headers: {} }]);
    const turns = [
      () => reply(CANARY, `${CANARY} was never there`, 'headache'),
      () => reply(`${CANARY} ${CANARY}`),
      () => refuse('REPLY_REFUSED', { usage: USAGE, cause: new Error(CANARY) }),
      () => refuse('TEACHER_FAILED', { cause: new Error(CANARY) }),
      () => refuse('TEACHER_BUSY', { retryAfterMs: 1, cause: new Error(CANARY) }),
    ];
    const teacher = (name: string): Scripted =>
      new Scripted(name, (_, count, signal) => {
        if (count === 7) return hang(signal);
        return (turns[count % turns.length] as () => ReturnType<typeof reply>)();
      });
    const { output, error } = await said(log, { teachers: [teacher('a'), teacher('b')], directory, requestMs: 100 });
    assert.equal(error, undefined);
    assert.match(output, /"fact":"teacher.asked"/, 'the log was at its most talkative');
    assert.match(output, /clinstream_escalations_ended_total/, 'metrics were read');
    assert.ok(!output.includes(CANARY), 'logs and metrics');
    const audit = readFileSync(join(directory, 'audit.jsonl'), 'utf8');
    assert.ok(audit.split('\n').length > 50 && audit.includes('"outcome":"REPLY_REFUSED"'));
    assert.ok(!audit.includes(CANARY), 'the audit trail');
    for (const topic of ['entities', 'review', 'dead']) {
      const found = await readAll(log, topic);
      assert.ok(found.length > 0, topic);
      for (const { headers, value } of found) {
        assert.ok(
          !inspect(Object.entries(headers).map(([name, bytes]) => [name, String(bytes)])).includes(CANARY),
          topic,
        );
        if (topic === 'review') assert.ok(!value?.includes(CANARY), 'a review holds no text');
      }
    }
    // the one place that may hold quotes, and only for its owner
    assert.equal(statSync(join(directory, 'state.sqlite')).mode & 0o777, 0o600);
    await log.close();
  });

  it('is in no error that ends the role, even of a teacher that breaks as it must not', async () => {
    const breaks: readonly (() => never)[] = [
      () => JSON.parse(`{"${CANARY}`) as never,
      () => {
        throw new TypeError(`cannot read ${CANARY}`);
      },
      () => {
        throw CANARY;
      },
      () => refuse('TEACHER_DENIED', { cause: new Error(CANARY) }),
    ];
    for (const [i, broken] of breaks.entries()) {
      const log = await freshLog();
      await log.append([await escalated(noteOf(1, { text: `${CANARY} has a headache` }))]);
      const teacher = new Scripted('broken', broken);
      const { output, error } = await said(log, { teachers: [teacher], directory: freshState() });
      assert.equal((error as { code?: string }).code, i < 3 ? 'TEACHER_BROKEN' : 'TEACHER_DENIED');
      assert.ok(!output.includes(CANARY), output);
      assert.equal((await readAll(log, 'entities')).length, 0, 'nothing is lost by it: the note is still there');
      await log.close();
    }
  });
});
