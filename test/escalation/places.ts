/** Where scenarios of the escalator take place: a fresh embedded log, or topics of their own on the shared Kafka. */
import { join } from 'node:path';
import { EmbeddedTransport } from '../../src/streams/embedded/embedded-transport.ts';
import { createKafka } from '../../src/streams/kafka/client.ts';
import { KafkaTransport } from '../../src/streams/kafka/kafka-transport.ts';
import type { Transport } from '../../src/streams/transport.ts';
import type { Harness } from '../contract/harness.ts';
import { scoped } from '../contract/scoped.ts';
import { sharedKafka } from '../kafka/shared.ts';
import { settingsFor } from '../streams/kafka/settings.ts';
import { temporaryFolder } from '../support/temporary.ts';

let places = 0;

/** Each call of what it returns is another log. */
export function embeddedPlaces(name: string): () => Promise<Harness> {
  const folder = temporaryFolder(name);
  return async () => {
    const directory = join(folder, String(places++));
    const connect = async () => new EmbeddedTransport({ directory, create: true, now: Date.now });
    return place(connect, { fencedRunEnds: true });
  };
}

/** Call what it returns only where `kafkaNeeds` gave no reason to skip. */
export function kafkaPlaces(name: string): () => Promise<Harness> {
  return async () => {
    const settings = settingsFor((await sharedKafka()).bootstrap);
    const scope = `${name}-${process.pid}-${places++}`;
    const connect = async () => scoped(await KafkaTransport.open(settings, Date.now, createKafka(settings)), scope);
    return place(connect, { fencedRunEnds: false });
  };
}

function place(connect: () => Promise<Transport>, { fencedRunEnds }: { fencedRunEnds: boolean }): Harness {
  const connections: Transport[] = [];
  return {
    connect: async () => {
      const transport = await connect();
      connections.push(transport);
      return transport;
    },
    fencedRunEnds,
    supersede: async () => {},
    close: async () => {
      await Promise.all(connections.map(each => each.close()));
    },
  };
}
