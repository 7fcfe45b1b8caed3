/** What every transport must keep, whatever is behind it. If a case fails, users would lose, double or reorder notes. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, beforeEach, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Processor } from '../../src/core/processor.ts';
import { StreamError } from '../../src/streams/stream-error.ts';
import type { Transport } from '../../src/streams/transport.ts';
import {
  byKey,
  copy,
  drain,
  echo,
  type Harness,
  Held,
  keyed,
  owning,
  readAll,
  remember,
  start,
  texts,
} from './harness.ts';
import { membership } from './membership.ts';

const KEEP = { ms: null, bytes: null };

export function contract(name: string, open: () => Promise<Harness>, skip: string | false = false): void {
  describe(`transport contract: ${name}`, { skip, timeout: 240_000 }, () => {
    let harness: Harness;
    let transport: Transport;
    beforeEach(async () => {
      await harness?.close();
      harness = await open();
      transport = await harness.connect();
      for (const topic of ['in', 'out', 'dead']) await transport.createTopic(topic, { partitions: 4, retention: KEEP });
    });
    after(() => harness?.close());
    membership({
      get harness() {
        return harness;
      },
      get transport() {
        return transport;
      },
    });

    it('keeps order within a key, across partitions, processes that finish in any order, and restarts', async () => {
      const keys = Array.from({ length: 20 }, (_, i) => `patient-${i}`);
      const expected = new Map(keys.map(key => [key, Array.from({ length: 15 }, (_, n) => `${key}/${n}`)]));
      for (let n = 0; n < 15; n++) await transport.append(keys.map(key => keyed(key, `${key}/${n}`)));
      let seed = 1;
      const unsteady: Processor = {
        process: async record => {
          seed = (seed * 48271) % 0x7fffffff;
          for (let wait = seed % 7; wait > 0; wait--) await setImmediate();
          return [copy(record)];
        },
      };
      await drain(transport, unsteady);
      assert.deepEqual(await byKey(transport, 'out'), expected);
      await drain(transport, unsteady);
      assert.equal((await readAll(transport, 'out')).length, 300, 'a restart doubles nothing');
      const places = new Map<string, Set<number>>();
      for (const record of await readAll(transport, 'in')) {
        const key = String(record.key);
        places.set(key, (places.get(key) ?? new Set()).add(record.partition));
      }
      assert.ok(
        [...places.values()].every(partitions => partitions.size === 1),
        'one key, one partition',
      );
      assert.ok(new Set([...places.values()].flatMap(each => [...each])).size > 1, 'keys spread');
    });

    it('begins a new group where it is told to, and goes on from there after a restart before any commit', async () => {
      await transport.append([keyed('a', 'old'), keyed('b', 'old')]);
      const { facts, observe } = remember();
      const idle = await start(transport, echo, { begin: 'end', observe });
      await owning(facts);
      await idle.stop();
      await transport.append([keyed('a', 'between'), keyed('b', 'between')]);
      await drain(transport, echo, { begin: 'end' });
      assert.deepEqual((await texts(transport, 'out')).sort(), ['between', 'between']);
      await drain(transport, echo, { begin: 'beginning', group: 'whole' });
      assert.equal((await texts(transport, 'out')).length, 2 + 4, 'another group, from the first record on');
    });

    it('carries null, empty and 10 MB values, binary keys and headers unchanged', async () => {
      const big = randomBytes(10 * 1024 * 1024);
      const headers = { binary: Buffer.from([0, 255, 128]), empty: Buffer.alloc(0) };
      const records = [null, Buffer.alloc(0), big].map(value => ({
        topic: 'in',
        key: Buffer.from([0, 200]),
        value,
        headers,
      }));
      await transport.append([...records, { topic: 'in', key: null, value: null, headers: {}, partition: 3 }]);
      await drain(transport, echo);
      const out = await readAll(transport, 'out');
      assert.deepEqual(
        out.filter(each => each.key !== null).map(each => [each.value, { ...each.headers }]),
        records.map(each => [each.value, headers]),
      );
      assert.deepEqual(
        (await readAll(transport, 'in')).filter(each => each.key === null).map(each => [each.partition, each.value]),
        [[3, null]],
      );
    });

    it('appends all of a call or none', async () => {
      const mixed = [keyed('a', '1'), keyed('a', '2', 'nowhere')];
      await assert.rejects(transport.append(mixed), { code: 'TOPIC_UNKNOWN' });
      assert.deepEqual(await texts(transport, 'in'), []);
      await transport.append([keyed('a', '3')]);
      assert.deepEqual(await texts(transport, 'in'), ['3'], 'and the refused one leaves nothing in the way');
      await assert.rejects(transport.append([{ ...keyed('a', '1'), partition: 9 }]), { code: 'PARTITION_UNKNOWN' });
      await assert.rejects(transport.createTopic('in', { partitions: 1, retention: KEEP }), { code: 'TOPIC_EXISTS' });
      await assert.rejects(transport.createTopic('no/slash', { partitions: 1, retention: KEEP }), {
        code: 'TOPIC_INVALID',
      });
    });

    it('commits outputs and offset together or neither', async () => {
      await transport.append([keyed('a', '1'), keyed('a', '2')]);
      const halfWay: Processor = {
        process: async record =>
          String(record.value) === '2' ? [copy(record), copy(record, 'nowhere')] : [copy(record)],
      };
      const running = await start(transport, halfWay, { transactionRecords: 1 });
      await assert.rejects(running.done, { code: 'TOPIC_UNKNOWN' });
      assert.deepEqual(await texts(transport, 'out'), ['1']);
      await drain(transport, echo);
      assert.deepEqual(await texts(transport, 'out'), ['1', '2']);
    });

    it('shows a reader nothing that is not committed, and delivers it again after a crash', async () => {
      await transport.append([keyed('a', '1'), keyed('a', '2')]);
      const held = new Held();
      const doomed = await start(await harness.connect(), held);
      await held.until(2);
      assert.deepEqual(await texts(transport, 'out'), []);
      // what a crash between processing and commit leaves behind
      await harness.supersede('contract');
      await drain(transport, echo);
      held.finishAll();
      if (harness.fencedRunEnds) await assert.rejects(doomed.done, { code: 'GROUP_FENCED' });
      else await doomed.stop();
      assert.deepEqual(await texts(transport, 'out'), ['1', '2'], 'the zombie wrote nothing');
    });

    it('goes on past poison: what cannot be processed goes to the dead letters, untouched', async () => {
      await transport.append(['good', 'poison', 'good too'].map(value => keyed('a', value)));
      const careful: Processor = {
        process: async record => [copy(record, String(record.value) === 'poison' ? 'dead' : 'out')],
      };
      await drain(transport, careful);
      assert.deepEqual(
        [await texts(transport, 'out'), await texts(transport, 'dead')],
        [['good', 'good too'], ['poison']],
      );
    });

    it('tries again what may pass, and ends on what may not, with everything before it committed', async () => {
      await transport.append(['1', '2', '3'].map(value => keyed('a', value)));
      let attempts = 0;
      const waits: number[] = [];
      const flaky: Processor = {
        process: async record => {
          if (String(record.value) !== '2') return [copy(record)];
          attempts++;
          throw new StreamError('LOG_BUSY', 'busy', { retryable: attempts < 10 });
        },
      };
      const running = await start(transport, flaky, { sleep: async ms => waits.push(ms) });
      await assert.rejects(running.done, { code: 'LOG_BUSY' });
      assert.deepEqual([attempts, waits], [3, [100, 400]]);
      assert.deepEqual(await texts(transport, 'out'), ['1'], 'and nothing behind the failure');
      attempts = 10;
      const hopeless = await start(transport, flaky);
      await assert.rejects(hopeless.done, { code: 'LOG_BUSY', retryable: false });
      assert.equal(attempts, 11, 'what cannot pass is tried once');
      await drain(transport, echo);
      assert.deepEqual(await texts(transport, 'out'), ['1', '2', '3']);
    });

    it('takes exactly as many records as it may hold, and no more until one is committed', async () => {
      await transport.append(Array.from({ length: 40 }, (_, i) => keyed(`k${i}`, String(i))));
      const held = new Held();
      const running = await start(transport, held, { inFlightRecords: 10 });
      await held.until(10);
      for (let i = 0; i < 50; i++) await setImmediate();
      assert.equal(held.held.length, 10);
      held.finishAll();
      await held.until(10);
      for (let i = 0; i < 50; i++) await setImmediate();
      assert.equal(held.held.length, 10);
      const stopped = running.stop();
      held.finishAll();
      await stopped;
      assert.equal(
        (await readAll(transport, 'out')).length,
        20,
        'what was in hand is finished; the rest waits for the next owner',
      );
      await drain(transport, echo);
      assert.equal(new Set(await texts(transport, 'out')).size, 40);
    });

    it('tells of every partition and transaction, and of the lag', async () => {
      await transport.append(Array.from({ length: 8 }, (_, i) => keyed(`k${i}`, String(i))));
      const { facts, observe } = remember();
      await drain(transport, echo, { observe });
      const kinds = (kind: string): number => facts.filter(fact => fact.kind === kind).length;
      assert.deepEqual([kinds('partition.assigned'), kinds('partition.lost')], [4, 4]);
      const committed = facts.flatMap(fact => (fact.kind === 'transaction.committed' ? [fact.records] : []));
      assert.equal(
        committed.reduce((sum, each) => sum + each, 0),
        8,
      );
      assert.ok((await transport.lags()).every(each => each.lag === 0n));
    });

    it('wakes a reader that follows a topic, from another connection too', async () => {
      const other = await harness.connect();
      const following = transport.read('in', { from: 'end', untilEnd: false })[Symbol.asyncIterator]();
      const next = following.next().then(({ value }) => String(value.value));
      // where the end was when it began to follow is for the transport to say: what comes after must arrive
      let arrived: string | undefined;
      while (arrived === undefined) {
        await other.append([keyed('a', 'later')]);
        arrived = await Promise.race([next, setImmediate(undefined)]);
      }
      assert.equal(arrived, 'later');
      await following.return?.(undefined);
    });
  });
}
