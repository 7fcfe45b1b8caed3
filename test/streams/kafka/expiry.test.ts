/** If this fails, a worker that had nothing to do for a while would stop at its next note, or tag it twice. */
import assert from 'node:assert/strict';
import { statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createKafka } from '../../../src/streams/kafka/client.ts';
import { KafkaTransport } from '../../../src/streams/kafka/kafka-transport.ts';
import { drain, echo, GROUP, keyed, owning, remember, start, texts } from '../../contract/harness.ts';
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

  it('offsets that no record has: it refuses to guess, and says so', async () => {
    const admin = createKafka(settingsFor(broker.bootstrap)).admin();
    await admin.connect();
    const group = `${GROUP}-beyond`;
    await admin.setOffsets({ groupId: group, topic: 'in', partitions: [{ partition: 0, offset: '1000000' }] });
    await admin.disconnect();
    const running = await start(transport, echo, { group });
    await assert.rejects(running.done, { code: 'OFFSET_OUT_OF_RANGE', retryable: false });
    const before = (await texts(transport, 'out')).length;
    await drain(transport, echo, { group: `${GROUP}-another` });
    assert.ok((await texts(transport, 'out')).length > before, 'another group is not concerned');
  });
});
