/** Apache Kafka under the contract of every transport. */
import type { Consumer } from 'kafkajs';
import { createKafka } from '../../src/streams/kafka/client.ts';
import { KafkaTransport } from '../../src/streams/kafka/kafka-transport.ts';
import type { Transport } from '../../src/streams/transport.ts';
import { kafkaNeeds } from '../kafka/needs.ts';
import { sharedKafka } from '../kafka/shared.ts';
import { settingsFor } from '../streams/kafka/settings.ts';
import { contract } from './contract.ts';
import { scoped } from './scoped.ts';

let cases = 0;

contract(
  'kafka',
  async () => {
    const settings = settingsFor((await sharedKafka()).bootstrap);
    const scope = `contract-${process.pid}-${cases++}`;
    const connections: Transport[] = [];
    const consumers: { group: string; consumer: Consumer }[] = [];
    return {
      connect: async () => {
        const kafka = createKafka(settings);
        const { consumer } = kafka;
        kafka.consumer = config => {
          const made = consumer.call(kafka, config);
          consumers.push({ group: config?.groupId ?? '', consumer: made });
          return made;
        };
        const transport = scoped(await KafkaTransport.open(settings, Date.now, kafka), scope);
        connections.push(transport);
        return transport;
      },
      fencedRunEnds: false,
      // the group forgets the member, which goes on holding its partitions as if nothing had happened
      supersede: async group => {
        for (const each of consumers) if (each.group === `${scope}.${group}`) await each.consumer.stop();
      },
      close: async () => {
        await Promise.all(connections.map(each => each.close()));
      },
    };
  },
  kafkaNeeds().skip,
);
