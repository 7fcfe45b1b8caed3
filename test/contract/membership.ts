/** Who runs a group, and how that begins, pauses and ends. If a case fails, two processes could write, or a stop lose work. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import type { Processor } from '../../src/core/processor.ts';
import {
  copy,
  drain,
  echo,
  Held,
  keyed,
  lagsBy,
  owning,
  readAll,
  remember,
  type Setting,
  start,
  texts,
} from './harness.ts';

const ofOneKey = (count: number) => Array.from({ length: count }, (_, i) => keyed('a', String(i)));
const turns = async (count = 50): Promise<void> => {
  for (let i = 0; i < count; i++) await setImmediate();
};

export function membership(setting: Setting): void {
  it('refuses a topic that is not there, and leaves the group free', async () => {
    const { transport } = setting;
    await transport.append([keyed('a', '1')]);
    await assert.rejects(start(transport, echo, { topics: ['nowhere'] }), { code: 'TOPIC_UNKNOWN' });
    await assert.rejects(start(transport, echo, { outputs: ['nowhere'] }), { code: 'TOPIC_UNKNOWN' });
    await drain(transport, echo);
    assert.deepEqual(await texts(transport, 'out'), ['1']);
  });

  it('gives every group all records, each at its own pace', async () => {
    const { transport } = setting;
    await transport.append(ofOneKey(3));
    await drain(transport, echo, { group: 'one' });
    await transport.append([keyed('a', 'late')]);
    const seen: string[] = [];
    const watcher: Processor = {
      process: async record => {
        seen.push(String(record.value));
        return [];
      },
    };
    await drain(transport, watcher, { group: 'two' });
    assert.deepEqual(seen, ['0', '1', '2', 'late'], 'a new group begins at the beginning');
    const lags = (await transport.lags()).filter(each => each.lag > 0n);
    assert.deepEqual(
      lags.map(each => [each.group, lagsBy(each.lag, 1n)]),
      [['one', true]],
    );
  });

  it('keeps a zombie from committing, even before its successor has done anything', async () => {
    const { transport, harness } = setting;
    await transport.append(ofOneKey(2));
    const held = new Held();
    const { facts, observe } = remember();
    const zombie = await start(await harness.connect(), held, { observe });
    await held.until(2);
    await harness.supersede('contract');
    const heir = remember();
    await start(await harness.connect(), new Held(), { drainMs: 10, observe: heir.observe });
    await owning(heir.facts);
    held.finishAll();
    if (harness.fencedRunEnds) await assert.rejects(zombie.done, { code: 'GROUP_FENCED', retryable: false });
    else while (!facts.some(fact => fact.kind === 'transaction.failed')) await turns(1);
    assert.deepEqual(await texts(transport, 'out'), []);
    assert.deepEqual(
      facts.flatMap(fact => (fact.kind === 'transaction.failed' ? [fact.code] : [])),
      ['GROUP_FENCED'],
    );
  });

  it('takes nothing while paused, commits what is in hand, and goes on after', async () => {
    const { transport } = setting;
    const held = new Held();
    const running = await start(transport, held);
    await transport.append([keyed('a', '1')]);
    await held.until(1);
    running.subscription.pause();
    await transport.append([keyed('a', '2')]);
    held.finishAll();
    // another group proves that the record could be had by now
    await drain(transport, echo, { group: 'witness' });
    await turns();
    assert.equal(held.held.length, 0, 'nothing new is taken');
    assert.deepEqual((await texts(transport, 'out')).sort(), ['1', '1', '2'], 'one from here, two from the witness');
    running.subscription.resume();
    await held.until(1);
    const stopped = running.stop();
    held.finishAll();
    await stopped;
    assert.deepEqual((await texts(transport, 'out')).sort(), ['1', '1', '2', '2']);
  });

  it('resumes after pausing twice', { timeout: 30_000 }, async () => {
    const { transport } = setting;
    const running = await start(transport, echo);
    running.subscription.pause();
    await transport.append([keyed('a', '1')]);
    await turns();
    running.subscription.pause();
    running.subscription.resume();
    await transport.append([keyed('a', '2')]);
    await running.subscription.drained();
    await running.stop();
    assert.deepEqual(await texts(transport, 'out'), ['1', '2']);
  });

  it('tells the lag that grows while nothing is read', { timeout: 60_000 }, async () => {
    const { transport } = setting;
    const { facts, observe } = remember();
    const running = await start(transport, echo, { observe });
    await owning(facts);
    running.subscription.pause();
    await transport.append(ofOneKey(5));
    const lags = (): bigint[] => facts.flatMap(fact => (fact.kind === 'partition.lag' ? [fact.lag] : []));
    while (!lags().some(lag => lagsBy(lag, 5n))) await sleep(50);
    await running.stop();
  });

  it('calls it drained when all that stood in the topics is committed, and not before', async () => {
    const { transport } = setting;
    await transport.append(ofOneKey(2));
    const held = new Held();
    const running = await start(transport, held, { transactionRecords: 1 });
    await held.until(2);
    let drained = false;
    const draining = running.subscription.drained().then(() => {
      drained = true;
    });
    await transport.append([keyed('a', 'late')]);
    await held.until(3);
    const [first, second, late] = held.held;
    second?.finish();
    await turns();
    assert.equal(drained, false, 'the first is still in hand');
    first?.finish();
    await draining;
    assert.deepEqual(await texts(transport, 'out'), ['0', '1'], 'what came later is not waited for');
    const stopped = running.stop();
    await turns();
    late?.finish();
    await stopped;
    assert.deepEqual(await texts(transport, 'out'), ['0', '1', 'late'], 'stop waits for what is in hand');
  });

  it('stops by finishing what is in hand, leaving the rest to the next owner, and only once', async () => {
    const { transport } = setting;
    await transport.append(ofOneKey(20));
    const held = new Held();
    const running = await start(transport, held, { inFlightRecords: 5 });
    await held.until(5);
    const stops = [running.stop(), running.stop()];
    await turns();
    assert.equal(held.held.length, 5, 'nothing is begun after stop');
    held.finishAll();
    await Promise.all(stops);
    await running.done;
    assert.deepEqual(await texts(transport, 'out'), ['0', '1', '2', '3', '4']);
    const lag = (await transport.lags()).reduce((sum, each) => sum + each.lag, 0n);
    assert.ok(lagsBy(lag, 15n), `${lag}`);
    await drain(transport, echo);
    assert.deepEqual(
      await texts(transport, 'out'),
      ofOneKey(20).map(each => String(each.value)),
    );
  });

  it('gives up work that never ends when its time is over, and says so', async () => {
    const { transport } = setting;
    await transport.append([keyed('a', '1')]);
    const held = new Held();
    const { facts, observe } = remember();
    const running = await start(transport, held, { drainMs: 10, observe });
    await held.until(1);
    await assert.rejects(running.stop(), { code: 'DRAIN_TIMEOUT' });
    assert.equal(held.held[0]?.signal.aborted, true);
    assert.ok(facts.some(fact => fact.kind === 'partition.lost' && fact.reason === 'drain timeout'));
    held.finishAll();
    await turns();
    assert.deepEqual(await texts(transport, 'out'), [], 'a claim given up commits nothing');
    await drain(transport, echo);
    assert.deepEqual(await texts(transport, 'out'), ['1']);
  });

  it('loses and doubles nothing when a connection is closed under work', async () => {
    const { transport, harness } = setting;
    await transport.append(Array.from({ length: 100 }, (_, i) => keyed(`k${i}`, String(i))));
    const closing = await harness.connect();
    let begun = 0;
    const slow: Processor = {
      process: async record => {
        begun++;
        await turns(3);
        return [copy(record)];
      },
    };
    await start(closing, slow, { inFlightRecords: 5, transactionRecords: 2 });
    while (begun < 8) await turns(1);
    await closing.close();
    assert.ok(begun < 100, 'it was closed in the middle');
    assert.ok((await readAll(transport, 'out')).length > 0, 'and something was committed by then');
    await drain(transport, echo);
    const values = (await readAll(transport, 'out')).map(each => Number(each.value)).sort((a, b) => a - b);
    assert.deepEqual(values, [...Array(100).keys()]);
  });

  it('ends a reader that follows a topic when its connection is closed', { timeout: 30_000 }, async () => {
    const following = await setting.harness.connect();
    const next = following.read('in', { from: 'end', untilEnd: false })[Symbol.asyncIterator]().next();
    await setImmediate();
    await following.close();
    assert.deepEqual(await next, { done: true, value: undefined });
  });
}
