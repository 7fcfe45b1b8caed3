/** If this fails, a worker whose broker hangs would ignore SIGTERM until someone kills it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { KafkaTransport } from '../../../src/streams/kafka/kafka-transport.ts';
import { drain, echo, Held, keyed, owning, remember, start, texts } from '../../contract/harness.ts';
import { startBroker } from '../../kafka/broker.ts';
import { kafkaNeeds } from '../../kafka/needs.ts';
import { sharedKafka } from '../../kafka/shared.ts';
import { cleanEnvironment, clinstream, readyUrl } from '../../support/cli.ts';
import { ROOT } from '../../support/model.ts';
import { settingsFor } from './settings.ts';

const { skip } = kafkaNeeds();

describe('a broker that does not answer', { skip, timeout: 180_000 }, () => {
  it('keeps no one from stopping, and what was in hand is delivered again', async t => {
    const broker = await startBroker();
    t.after(() => broker.dispose()); // also where it fails: clients of a broker that lives keep this file from ending
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
  });

  it('ends the program all the same, soon after SIGTERM', async t => {
    const [broker, { registryUrl }] = await Promise.all([startBroker(), sharedKafka()]);
    t.after(() => broker.dispose());
    const env = {
      CLINSTREAM_TRANSPORT: 'kafka',
      CLINSTREAM_KAFKA_BROKERS: broker.bootstrap,
      CLINSTREAM_KAFKA_REQUEST_MS: '120000',
      CLINSTREAM_REGISTRY_URL: registryUrl,
      CLINSTREAM_REGISTRY_AUTO_REGISTER: 'true',
    };
    for (const args of [
      ['topics', 'create'],
      ['schemas', 'register'],
    ])
      assert.equal((await clinstream(args, { env })).code, 0);
    const running = spawn(process.execPath, [join(ROOT, 'src/main.ts'), 'run', '--metrics-port', '0'], {
      cwd: ROOT,
      env: cleanEnvironment({ ...env, CLINSTREAM_TELEMETRY_LEVEL: 'info' }),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const url = await readyUrl(running.stderr);
    while ((await fetch(`${url}/readyz`)).status !== 200) await sleep(50);
    await broker.freeze();
    const began = performance.now();
    running.kill('SIGTERM');
    const [code] = await once(running, 'exit');
    assert.equal(code, 0, 'nothing was in hand');
    assert.ok(performance.now() - began < 40_000, 'long before a request times out');
  });
});
