/** If this fails, one broker that hangs would keep workers from starting and from taking partitions over, while the others are well. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { ISocketFactoryArgs } from 'kafkajs';
import { KafkaTransport } from '../../../src/streams/kafka/kafka-transport.ts';
import { Connections, type Patience } from '../../../src/streams/kafka/socket.ts';
import { kafkaNeeds } from '../../kafka/needs.ts';
import { sharedKafka } from '../../kafka/shared.ts';
import { settingsFor } from './settings.ts';

const [METADATA, JOIN_GROUP] = [3, 11];
const LONG_MS = 600_000;

describe('a connection on which no answer comes', { timeout: 120_000 }, () => {
  let silent: Server;
  const accepted: Socket[] = [];
  before(async () => {
    silent = createServer(socket => accepted.push(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
  });
  after(() => {
    for (const socket of accepted) socket.destroy();
    silent.close();
  });
  const port = (): number => (silent.address() as AddressInfo).port;

  it('breaks off, be it the first answer or a later one; a member that joins its group waits for the others', async () => {
    const open = async (patience: Patience): Promise<{ socket: Socket; peer: Socket; connections: Connections }> => {
      const connected = Promise.withResolvers<void>();
      const accepting = once(silent, 'connection');
      const args = { host: '127.0.0.1', port: port(), onConnect: connected.resolve } as unknown as ISocketFactoryArgs;
      const connections = new Connections(patience);
      const socket = connections.factory(args);
      await connected.promise;
      const [peer] = (await accepting) as [Socket];
      return { socket, peer, connections };
    };
    const ask = (socket: Socket, key: number): void => {
      const request = Buffer.alloc(6);
      request.writeInt16BE(key, 4);
      socket.write(request);
    };
    const broken = (socket: Socket): Promise<void> => assert.rejects(once(socket, 'close'), /no answer/);

    const { socket: first } = await open({ firstMs: 50, answerMs: LONG_MS, joinMs: LONG_MS });
    ask(first, METADATA);
    await broken(first);

    const { socket: joining, connections } = await open({ firstMs: 50, answerMs: 50, joinMs: LONG_MS });
    ask(joining, JOIN_GROUP);
    const { socket: later, peer } = await open({ firstMs: LONG_MS, answerMs: 50, joinMs: LONG_MS });
    ask(later, METADATA);
    peer.write('answer');
    await once(later, 'data');
    ask(later, METADATA);
    await broken(later);
    assert.equal(joining.destroyed, false);
    const closed = assert.rejects(once(joining, 'close'), /the client is closed/);
    connections.close();
    await closed;
  });

  it('does not keep a client from the other brokers', kafkaNeeds(), async () => {
    const { bootstrap } = await sharedKafka();
    const settings = settingsFor(`127.0.0.1:${port()},${bootstrap}`, { connectMs: 500, requestMs: LONG_MS });
    const transport = await KafkaTransport.open(settings, Date.now);
    await transport.topics();
    await transport.close();
  });
});
