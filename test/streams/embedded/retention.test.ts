/** If this fails, cleaning up would delete notes that nobody has tagged yet, or give a new note an old one's offset. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { unobserved } from '../../../src/core/facts.ts';
import type { OutgoingRecord } from '../../../src/core/record.ts';
import { EmbeddedTransport } from '../../../src/streams/embedded/embedded-transport.ts';
import { StreamError } from '../../../src/streams/stream-error.ts';
import type { Claim, Retention, Subscription, Transport } from '../../../src/streams/transport.ts';
import { temporaryFolder } from '../../support/temporary.ts';

const folder = temporaryFolder('retention');
let logs = 0;
const open: EmbeddedTransport[] = [];

async function logWith(retention: Retention, now: () => number, partitions = 1): Promise<EmbeddedTransport> {
  const transport = new EmbeddedTransport({ directory: join(folder, String(logs++)), create: true, now });
  open.push(transport);
  await transport.createTopic('in', { partitions, retention });
  return transport;
}

function record(value: string, timestamp: number, partition = 0): OutgoingRecord {
  return { topic: 'in', key: null, value: Buffer.from(value), headers: {}, timestamp, partition };
}

async function values(transport: Transport): Promise<string[]> {
  const found: string[] = [];
  for await (const each of transport.read('in', { from: 'beginning', untilEnd: true }))
    found.push(`${each.offset}:${each.value}`);
  return found;
}

/** Subscribes, and hands back the claim of the first partition that has records, to be committed by hand. */
async function claimBy(transport: Transport, group: string): Promise<{ claim: Claim; subscription: Subscription }> {
  const first = Promise.withResolvers<Claim>();
  const subscription = await transport.subscribe({
    group,
    topics: ['in'],
    outputs: [],
    handler: {
      onBatch: async claim => first.resolve(claim),
      onRelease: async () => {},
    },
    fetchRecords: 100,
    fetchBytes: 1_000_000,
    drainMs: 1000,
    observe: unobserved,
  });
  return { claim: await first.promise, subscription };
}

const letters = (count: number): string[] => Array.from({ length: count }, (_, i) => String.fromCharCode(97 + i));

describe('retention', () => {
  afterEach(async () => {
    for (const transport of open.splice(0)) await transport.close();
  });

  it('comes a minute later where it cannot come now', async t => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const transport = await logWith({ ms: 10, bytes: null }, () => 1000);
    await transport.append([record('old', 0)]);
    const busy = t.mock.method(transport, 'applyRetention', () => {
      throw new StreamError('LOG_BUSY', 'another process has it', { retryable: true });
    });
    t.mock.timers.tick(60_000);
    assert.equal(busy.mock.callCount(), 1);
    assert.deepEqual(await values(transport), ['0:old']);
    busy.mock.restore();
    t.mock.timers.tick(60_000);
    assert.deepEqual(await values(transport), []);
  });

  it('keeps what a group has yet to read, and its lag', async () => {
    const transport = await logWith({ ms: 10, bytes: null }, () => 1000);
    await transport.append(letters(3).map(each => record(each, 0)));
    const { claim, subscription } = await claimBy(transport, 'g');
    await claim.commit([], 1n);
    await subscription.stop();
    assert.equal(transport.applyRetention(), 1, 'only what the group has committed');
    assert.deepEqual(await values(transport), ['1:b', '2:c']);
    assert.deepEqual(
      (await transport.lags()).map(each => each.lag),
      [2n],
    );
  });

  it('never passes the slowest group, for any offsets and ages, and gives no offset twice', async () => {
    const cases = fc.integer({ min: 1, max: 12 }).chain(count =>
      fc.record({
        ages: fc.array(fc.nat(2000), { minLength: count, maxLength: count }),
        committed: fc.array(fc.integer({ min: 1, max: count }), { maxLength: 3 }),
        retention: fc.record({
          ms: fc.option(fc.nat(2000)),
          bytes: fc.option(fc.nat(15)),
        }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(cases, async ({ ages, committed, retention }) => {
        const transport = await logWith(retention, () => 10_000);
        await transport.append(ages.map(age => record('x', 10_000 - age)));
        for (const [i, next] of committed.entries()) {
          const { claim, subscription } = await claimBy(transport, `g${i}`);
          await claim.commit([], BigInt(next));
          await subscription.stop();
        }
        const removed = transport.applyRetention();
        const lowest = Math.min(ages.length, ...committed);
        assert.ok(removed <= lowest, `${removed} removed, ${lowest} committed by all`);
        const kept = ages.length - removed;
        for (const age of ages.slice(0, removed)) {
          assert.ok(retention.ms !== null || retention.bytes !== null, `nothing asks to remove a record of age ${age}`);
        }
        const [topic] = await transport.topics();
        const bounds = { partition: 0, low: BigInt(removed), high: BigInt(ages.length) };
        assert.deepEqual(topic?.partitions, [bounds]);
        await transport.append([record('new', 10_000)]);
        const all = await values(transport);
        assert.equal(all.length, kept + 1);
        assert.equal(all.at(-1), `${ages.length}:new`);
      }),
      { numRuns: 15 },
    );
  });

  it('goes by age to the millisecond, and never behind a record young enough', async () => {
    const transport = await logWith({ ms: 1000, bytes: null }, () => 5000);
    await transport.append([record('old', 3999), record('young', 4000), record('late', 1)]);
    assert.equal(transport.applyRetention(), 1);
    assert.deepEqual(await values(transport), ['1:young', '2:late']);
  });

  it('keeps the newest bytes, and everything where no retention is set', async () => {
    const sized = await logWith({ ms: null, bytes: 25 }, () => 5);
    const kept = await logWith({ ms: null, bytes: null }, () => 5);
    for (const transport of [sized, kept]) await transport.append(letters(4).map(each => record(each.repeat(10), 0)));
    assert.deepEqual([sized.applyRetention(), kept.applyRetention()], [2, 0]);
    assert.deepEqual(await values(sized), ['2:cccccccccc', '3:dddddddddd']);
  });

  it('empties a topic whose records are all old, and goes on with its offsets', async () => {
    let now = 0;
    const transport = await logWith({ ms: 10, bytes: null }, () => now);
    await transport.append(letters(3).map(each => record(each, 0)));
    now = 1000;
    assert.equal(transport.applyRetention(), 3);
    assert.deepEqual(await values(transport), []);
    await transport.append([record('d', now)]);
    assert.deepEqual(await values(transport), ['3:d']);
  });

  it('keeps what a running group has taken and not committed, from its very first record on', async () => {
    const transport = await logWith({ ms: 10, bytes: null }, () => 1000);
    await transport.append([record('a', 0), record('b', 0)]);
    const { subscription } = await claimBy(transport, 'g');
    assert.equal(transport.applyRetention(), 0, 'the group reads them at this moment');
    await subscription.stop();
    assert.deepEqual(await values(transport), ['0:a', '1:b']);
  });

  it('keeps a partition that a group has claimed and not come to, while it works on another', async () => {
    const transport = await logWith({ ms: 10, bytes: null }, () => 1000, 2);
    await transport.append([record('a', 0, 0), record('b', 0, 1)]);
    const { claim, subscription } = await claimBy(transport, 'g');
    await claim.commit([], 1n);
    await subscription.stop();
    assert.equal(transport.applyRetention(), 1);
    assert.deepEqual(await values(transport), [claim.partition === 0 ? '0:b' : '0:a']);
  });
});
