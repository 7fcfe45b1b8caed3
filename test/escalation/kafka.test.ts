/** The same on Kafka. */
import { createKafka } from '../../src/streams/kafka/client.ts';
import { KafkaTransport } from '../../src/streams/kafka/kafka-transport.ts';
import type { Transport } from '../../src/streams/transport.ts';
import { scoped } from '../contract/scoped.ts';
import { kafkaNeeds } from '../kafka/needs.ts';
import { sharedKafka } from '../kafka/shared.ts';
import { settingsFor } from '../streams/kafka/settings.ts';
import { scenarios } from './scenarios.ts';

let cases = 0;

scenarios(
  'Kafka',
  async () => {
    const settings = settingsFor((await sharedKafka()).bootstrap);
    const scope = `escalation-${process.pid}-${cases++}`;
    const connections: Transport[] = [];
    return {
      connect: async () => {
        const transport = scoped(await KafkaTransport.open(settings, Date.now, createKafka(settings)), scope);
        connections.push(transport);
        return transport;
      },
      fencedRunEnds: false,
      supersede: async () => {},
      close: async () => {
        await Promise.all(connections.map(each => each.close()));
      },
    };
  },
  kafkaNeeds().skip,
);
