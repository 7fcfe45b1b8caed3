/** If this fails, a worker whose broker hangs would ignore SIGTERM until someone kills it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KafkaTransport } from '../../../src/streams/kafka/kafka-transport.ts';
import { drain, echo, Held, keyed, owning, remember, start, texts } from '../../contract/harness.ts';
import { startBroker } from '../../kafka/broker.ts';
import { kafkaNeeds } from '../../kafka/needs.ts';
import { settingsFor } from './settings.ts';

const { skip } = kafkaNeeds();

describe('a broker that does not answer', { skip, timeout: 180_000 }, () => {
  it('keeps no one from stopping, and what was in hand is delivered again', async () => {
    const broker = await startBroker();
    const settings = settingsFor(broker.bootstrap, { requestMs: 60_000, transactionMs: 5_000 });
    const transport = await KafkaTransport.open(settings, Date.now);
    for (const topic of ['in', 'out'])
      await transport.createTopic(topic, { partitions: 4, retention: { ms: null, bytes: null } });
    await transport.append([keyed('a', '1'), keyed('b', '2')]);
    const { facts, observe } = remember();
    const held = new Held();
    const running = await start(transport, held, { observe, drainMs: 1_000 });
    await owning(facts);
    await held.until(2);
    await broker.freeze();
    held.finishAll();
    const began = performance.now();
    await assert.rejects(running.stop(), { code: 'DRAIN_TIMEOUT' });
    await transport.close();
    assert.ok(performance.now() - began < 30_000, 'long before a request times out');

    broker.thaw();
    const heir = await KafkaTransport.open(settings, Date.now);
    await drain(heir, echo);
    assert.deepEqual((await texts(heir, 'out')).sort(), ['1', '2']);
    await heir.close();
    await broker.dispose();
  });
});
