/** If this fails, a worker that had nothing to do for a while would stop at its next note, or tag it twice. */
import assert from 'node:assert/strict';
import { statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin } from 'kafkajs';
import type { Fact } from '../../../src/core/facts.ts';
import { createKafka } from '../../../src/streams/kafka/client.ts';
import { KafkaTransport } from '../../../src/streams/kafka/kafka-transport.ts';
import { drain, echo, GROUP, Held, keyed, owning, remember, start, texts } from '../../contract/harness.ts';
import { type Broker, startBroker } from '../../kafka/broker.ts';
import { kafkaNeeds } from '../../kafka/needs.ts';
import { settingsFor } from './settings.ts';

const KEEP = { ms: null, bytes: null };
const { skip } = kafkaNeeds();

describe('what a broker forgets', { skip, timeout: 240_000 }, () => {
  let broker: Broker;
  let transport: KafkaTransport;

  before(async () => {
    broker = await startBroker({
      properties: {
        // seven days and one day by default
        'transactional.id.expiration.ms': '2000',
        'transaction.remove.expired.transaction.cleanup.interval.ms': '500',
        'producer.id.expiration.ms': '2000',
        'producer.id.expiration.check.interval.ms': '500',
      },
    });
    transport = await KafkaTransport.open(settingsFor(broker.bootstrap), Date.now);
    for (const topic of ['in', 'out']) await transport.createTopic(topic, { partitions: 1, retention: KEEP });
  });
  after(async () => {
    await transport?.close();
    await broker?.dispose();
  });
  async function asAdmin(act: (admin: Admin) => Promise<unknown>): Promise<void> {
    const admin = createKafka(settingsFor(broker.bootstrap)).admin();
    await admin.connect();
    await act(admin);
    await admin.disconnect();
  }
  /** As retention does: everything below the offset is gone; -1 is all there is. */
  const expire = (topic: string, below: bigint): Promise<void> =>
    asAdmin(async admin => {
      await admin.fetchTopicOffsets(topic); // it deletes only from topics that it has asked about
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(below) }] });
    });
  const truncated = (facts: readonly Fact[]): bigint[] =>
    facts.flatMap(fact => (fact.kind === 'partition.truncated' ? [fact.records] : []));

  it('a transactional id that was idle too long: the partition is taken over anew, and the note tagged once', async () => {
    const { facts, observe } = remember();
    const running = await start(transport, echo, { observe });
    await owning(facts, 1);
    await transport.append([keyed('a', '1')]);
    while ((await texts(transport, 'out')).length < 1) await sleep(50);
    const tookOver = facts.filter(fact => fact.kind === 'partition.assigned').length;
    while (facts.filter(fact => fact.kind === 'partition.assigned').length === tookOver) {
      await sleep(4_000); // idle for longer than the broker remembers
      const appender = await KafkaTransport.open(settingsFor(broker.bootstrap), Date.now);
      await appender.append([keyed('a', '2')]);
      await appender.close();
      await running.subscription.drained();
    }
    await running.stop();
    await running.done;
    const values = await texts(transport, 'out');
    assert.equal(values[0], '1');
    assert.equal(values.length, (await texts(transport, 'in')).length, 'each once');
    const failed = facts.flatMap(fact => (fact.kind === 'transaction.failed' ? [fact.code] : []));
    assert.ok(failed.length > 0, 'it was forgotten, and that was told');
  });

  it('the end of a topic: the worker stops and says so, and so does the next one, rather than tag it all again', async () => {
    await transport.createTopic('lossy', { partitions: 1, retention: KEEP });
    const group = `${GROUP}-lossy`;
    const { facts, observe } = remember();
    const running = await start(transport, echo, { group, topics: ['lossy'], observe });
    await owning(facts, 1);
    for (let i = 0; i < 20; i++) await transport.append([keyed('a', `lossy ${i}`, 'lossy')]);
    await running.subscription.drained();
    await broker.kill();
    const log = join(broker.folder, 'data/lossy-0/00000000000000000000.log');
    truncateSync(log, Math.floor(statSync(log).size / 2));
    await broker.start();
    const refused = { code: 'OFFSET_OUT_OF_RANGE', retryable: false };
    await assert.rejects(running.done, refused);
    const again = await start(transport, echo, { group, topics: ['lossy'] });
    await assert.rejects(again.done, refused);
    const tagged = (await texts(transport, 'out')).filter(value => value.startsWith('lossy'));
    assert.equal(new Set(tagged).size, tagged.length, 'nothing twice');
  });

  it('records that were in hand and more that were not: the first are committed, the others counted, and the next ones come', async () => {
    await transport.createTopic('brief', { partitions: 1, retention: KEEP });
    const group = `${GROUP}-brief`;
    // a transaction each, so that a fetch brings no more than it may
    for (let i = 0; i < 10; i++) await transport.append([keyed('a', `brief ${i}`, 'brief')]);
    const held = new Held();
    const { facts, observe } = remember();
    const running = await start(transport, held, {
      group,
      topics: ['brief'],
      begin: 'beginning', // written down, so that a loss is counted from there
      inFlightRecords: 2,
      inFlightBytes: 50,
      observe,
    });
    await held.until(2);
    await expire('brief', 16n); // its marker follows each record
    const finishing = setInterval(() => held.finishAll(), 20);
    while (truncated(facts).length === 0) await sleep(20);
    await running.subscription.drained();
    clearInterval(finishing);
    await running.stop();
    const tagged = (await texts(transport, 'out')).filter(value => value.startsWith('brief'));
    const seen = tagged.map(value => Number(value.slice('brief '.length)));
    assert.deepEqual(seen.slice(-2), [8, 9]);
    // what was fetched before it expired could still be tagged: all that was not is counted
    assert.deepEqual([...seen.slice(0, -2)], [...Array(seen.length - 2).keys()]);
    const [counted = 0n, ...more] = truncated(facts);
    const [lost, tookOver] = [BigInt(10 - seen.length), BigInt(seen.length - 2)];
    assert.ok(lost > 0n && more.length === 0);
    // in offsets: each transaction has one of its own behind its record
    assert.ok(counted === 16n - 2n * tookOver || counted === 17n - 2n * tookOver, `${counted} of ${lost}`);
  });

  it('all that a waiting worker had not read: it and the next one know where the topic goes on', async () => {
    await transport.createTopic('gone', { partitions: 1, retention: KEEP });
    const group = `${GROUP}-gone`;
    const { facts, observe } = remember();
    const running = await start(transport, echo, { group, topics: ['gone'], observe });
    await owning(facts, 1);
    await transport.append([keyed('a', 'gone 1', 'gone')]);
    await running.subscription.drained();
    running.subscription.pause();
    await transport.append([keyed('a', 'gone 2', 'gone'), keyed('a', 'gone 3', 'gone')]);
    await expire('gone', -1n);
    running.subscription.resume();
    // no record comes that could show where reading stands
    while (truncated(facts).length === 0) await sleep(50);
    await running.stop();
    await running.done;
    await transport.append([keyed('a', 'gone 4', 'gone')]);
    await drain(transport, echo, { group, topics: ['gone'] });
    const tagged = (await texts(transport, 'out')).filter(value => value.startsWith('gone'));
    assert.deepEqual(tagged, ['gone 1', 'gone 4']);
  });

  it('all that came while nobody worked: it is counted once, and the group goes on from where the topic does', async () => {
    await transport.createTopic('missed', { partitions: 1, retention: KEEP });
    const group = `${GROUP}-missed`;
    const options = { group, topics: ['missed'] };
    await transport.append([keyed('a', 'missed 1', 'missed')]);
    await drain(transport, echo, options);
    for (let i = 0; i < 3; i++) await transport.append([keyed('a', `missed ${i + 2}`, 'missed')]);
    await expire('missed', -1n);
    const { facts, observe } = remember();
    for (let i = 0; i < 2; i++) await drain(transport, echo, { ...options, observe });
    assert.equal(truncated(facts).length, 1);
    const [lag] = (await transport.lags()).filter(each => each.group === group);
    assert.equal(lag?.lag, 0n);
  });

  it('the end of a topic that a reader follows: the reader says so instead of waiting for ever', async () => {
    await transport.createTopic('followed', { partitions: 1, retention: KEEP });
    for (let i = 0; i < 20; i++) await transport.append([keyed('a', String(i), 'followed')]);
    const reader = transport.read('followed', { from: 'beginning', untilEnd: false })[Symbol.asyncIterator]();
    for (let i = 0; i < 20; i++) await reader.next();
    const next = assert.rejects(reader.next(), { code: 'OFFSET_OUT_OF_RANGE' });
    await broker.kill();
    const log = join(broker.folder, 'data/followed-0/00000000000000000000.log');
    truncateSync(log, Math.floor(statSync(log).size / 2));
    await broker.start();
    await next;
  });

  it('a topic: the lags of the others can still be seen', async () => {
    await transport.createTopic('deleted', { partitions: 1, retention: KEEP });
    await transport.append([keyed('a', 'deleted', 'deleted')]);
    await drain(transport, echo, { group: `${GROUP}-deleted`, topics: ['deleted'] });
    await asAdmin(admin => admin.deleteTopics({ topics: ['deleted'] }));
    const groups = new Set((await transport.lags()).map(({ group }) => group));
    assert.ok(groups.has(GROUP));
  });

  it('offsets that no record has: it refuses to guess, and says so', async () => {
    const group = `${GROUP}-beyond`;
    const partitions = [{ partition: 0, offset: '1000000' }];
    await asAdmin(admin => admin.setOffsets({ groupId: group, topic: 'in', partitions }));
    const running = await start(transport, echo, { group });
    await assert.rejects(running.done, { code: 'OFFSET_OUT_OF_RANGE', retryable: false });
    const before = (await texts(transport, 'out')).length;
    await drain(transport, echo, { group: `${GROUP}-another` });
    assert.ok((await texts(transport, 'out')).length > before, 'another group is not concerned');
  });
});
