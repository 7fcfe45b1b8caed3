/** If this fails, a network fault would pass for a wrong password, and a worker would end for good over it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { createKafka, type KafkaSettings } from '../../../src/streams/kafka/client.ts';
import { KafkaTransport } from '../../../src/streams/kafka/kafka-transport.ts';
import { type SecureBroker, startBroker } from '../../kafka/broker.ts';
import { kafkaNeeds } from '../../kafka/needs.ts';
import { settingsFor } from './settings.ts';

const { skip } = kafkaNeeds();
const USER = { name: 'whole', password: 'correct-horse-7' };

describe('a connection that is cut while it authenticates', { skip, timeout: 180_000 }, () => {
  let broker: SecureBroker;
  before(async () => {
    broker = await startBroker({ secure: true, users: [USER] });
  });
  after(() => broker?.dispose());

  it('is a broker that cannot be reached, wherever it is cut', async () => {
    const whole = await throughCut(Number.POSITIVE_INFINITY);
    assert.deepEqual(whole.code, 'works');
    assert.ok(whole.answers > 3, 'the handshakes of TLS and of SASL');
    const codes: string[] = [];
    for (let answers = 1; answers < whole.answers; answers++) codes.push((await throughCut(answers)).code);
    // the last cuts may come when everything has been said
    const cut = codes.filter(code => code !== 'works');
    assert.ok(cut.length >= 3, `${codes}`);
    assert.deepEqual([...new Set(cut)], ['BROKER_UNREACHABLE'], `${codes}`);
  });

  /** Connects through a proxy that hangs up once so many pieces of the broker's answers came back. */
  async function throughCut(most: number): Promise<{ code: string; answers: number }> {
    const [, port] = broker.secureBootstrap.split(':');
    const proxy = await cutting(Number(port), most);
    const settings: KafkaSettings = settingsFor(`127.0.0.1:${proxy.port}`, {
      tls: { ca: readFileSync(broker.caFile, 'utf8') },
      sasl: { mechanism: 'scram-sha-512', username: USER.name, password: USER.password },
      connectMs: 3_000,
      requestMs: 3_000,
    });
    try {
      const admin = createKafka(settings).admin();
      if (most === Number.POSITIVE_INFINITY) {
        await admin.connect();
        await admin.disconnect();
        return { code: 'works', answers: proxy.answers() };
      }
      const transport = await KafkaTransport.open(settings, Date.now);
      await transport.close();
      return { code: 'works', answers: proxy.answers() };
    } catch (error) {
      return { code: (error as { code: string }).code, answers: proxy.answers() };
    } finally {
      proxy.close();
    }
  }
});

async function cutting(to: number, most: number): Promise<{ port: number; answers: () => number; close: () => void }> {
  let answers = 0;
  const sockets = new Set<Socket>();
  const server: Server = createServer(client => {
    const upstream = connect({ host: '127.0.0.1', port: to });
    let passed = 0;
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => other.destroy());
    }
    client.on('data', data => upstream.write(data));
    upstream.on('data', data => {
      answers = Math.max(answers, ++passed);
      if (passed > most) client.destroy();
      else client.write(data);
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as { port: number }).port,
    answers: () => answers,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
