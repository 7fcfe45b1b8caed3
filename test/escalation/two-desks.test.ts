/** If these fail, a partition that moves to another process of the machine while a request is out is paid for twice. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { EmbeddedTransport } from '../../src/streams/embedded/embedded-transport.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { escalated, noteOf, reply, Scripted } from './scripted.ts';
import { ends, freshState, of, stage, TOPICS } from './stage.ts';

const folder = temporaryFolder('two-desks');
const SAME = 'The same headache.';
const LIMITS = { usdPerDay: 1, tokensPerMinute: null, requestsPerMinute: null };

/** Of one partition. */
async function logOf(name: string, context: TestContext): Promise<EmbeddedTransport> {
  const log = new EmbeddedTransport({ directory: join(folder, name), create: true, now: Date.now });
  context.after(() => log.close());
  for (const topic of TOPICS) await log.createTopic(topic, { partitions: 1, retention: { ms: null, bytes: null } });
  return log;
}

async function anAsking({ asked }: Scripted): Promise<void> {
  while (asked.length === 0) await new Promise(resolve => setImmediate(resolve));
}

describe('two desks of one machine', { timeout: 60_000 }, () => {
  it('pay once for the same text, also while the request is out: the other waits for its reply', async context => {
    const out = Promise.withResolvers<void>();
    const script = async () => {
      await out.promise;
      return reply('headache');
    };
    const directory = freshState();
    const sides = await Promise.all(
      [0, 1].map(async side => {
        const log = await logOf(String(side), context);
        await log.append([await escalated(noteOf(`of-${side}`, { text: SAME }))]);
        return { log, teacher: new Scripted('same', script) };
      }),
    );
    const staged = [];
    for (const { log, teacher } of sides) {
      const one = await stage(log, { teachers: [teacher], directory, limits: LIMITS });
      await one.told('escalation.taken');
      staged.push(one);
    }
    // the second looks again after a second: by then it has looked, and not asked
    const [first] = sides;
    assert.ok(first);
    await anAsking(first.teacher);
    setTimeout(() => out.resolve(), 300);
    await Promise.all(staged.map(each => each.finish()));
    assert.deepEqual(
      sides.map(each => each.teacher.asked.length),
      [1, 0],
    );
    for (const { log } of sides) assert.equal((await ends(log)).revisions.length, 1);
    assert.equal(of(staged[1]?.facts ?? [], 'reply.reused').length, 1);
    assert.equal(of(staged[0]?.facts ?? [], 'budget.used').at(-1)?.usdToday, 0.01);
  });

  it('pay once for the same text, also where the other stands in line until the reply is there', async context => {
    const [out, busy] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const script = async ({ text }: { readonly text: string }) => {
      await (text === SAME ? out : busy).promise;
      return reply('headache');
    };
    const [first, second] = [new Scripted('same', script), new Scripted('same', script)];
    const [one, other] = [await logOf('first', context), await logOf('second', context)];
    const shared = { directory: freshState(), concurrency: 1, limits: LIMITS };
    await one.append([await escalated(noteOf('first', { text: SAME }))]);
    const asking = await stage(one, { teachers: [first], ...shared });
    await anAsking(first);
    await other.append([await escalated(noteOf('busy', { text: 'Another headache.' }))]);
    const standing = await stage(other, { teachers: [second], ...shared });
    await anAsking(second);
    await other.append([await escalated(noteOf('second', { text: SAME }))]);
    await standing.told('escalation.taken', 2);
    // it looks for a reply, and gets in line
    for (let i = 0; i < 20; i++) await new Promise(resolve => setImmediate(resolve));
    out.resolve();
    await asking.told('teacher.asked');
    busy.resolve();
    await Promise.all([asking.finish(), standing.finish()]);
    assert.deepEqual(
      [first, second].map(({ asked }) => asked.filter(({ text }) => text === SAME).length),
      [1, 0],
    );
    assert.equal((await ends(other)).revisions.length, 2);
    assert.equal(of(standing.facts, 'reply.reused').length, 1);
    assert.equal(of(standing.facts, 'budget.used').at(-1)?.usdToday, 0.02);
  });
});
