/** If these fail, a partition that moves to another process of the machine while a request is out is paid for twice. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { EmbeddedTransport } from '../../src/streams/embedded/embedded-transport.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { escalated, noteOf, reply, Scripted } from './scripted.ts';
import { ends, freshState, of, stage, TOPICS } from './stage.ts';

const folder = temporaryFolder('two-desks');

describe('two desks of one machine', { timeout: 60_000 }, () => {
  it('pay once for the same text, also while the request is out: the other waits for its reply', async context => {
    const out = Promise.withResolvers<void>();
    const script = async () => {
      await out.promise;
      return reply('headache');
    };
    const directory = freshState();
    const limits = { usdPerDay: 1, tokensPerMinute: null, requestsPerMinute: null };
    const sides = await Promise.all(
      [0, 1].map(async side => {
        const log = new EmbeddedTransport({ directory: join(folder, String(side)), create: true, now: Date.now });
        context.after(() => log.close());
        for (const topic of TOPICS)
          await log.createTopic(topic, { partitions: 1, retention: { ms: null, bytes: null } });
        await log.append([await escalated(noteOf(`of-${side}`, { text: 'The same headache.' }))]);
        return { log, teacher: new Scripted('same', script) };
      }),
    );
    const staged = [];
    for (const { log, teacher } of sides) {
      const one = await stage(log, { teachers: [teacher], directory, limits });
      await one.told('escalation.taken');
      staged.push(one);
    }
    // the second looks again after a second: by then it has looked, and not asked
    while (sides[0]?.teacher.asked.length === 0) await new Promise(resolve => setImmediate(resolve));
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
});
