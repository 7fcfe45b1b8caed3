/** If this fails, a worker whose settings no broker takes would try for ever, and never say which setting it is. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import kafkajs, { type Consumer } from 'kafkajs';
import type { KafkaSettings } from '../../../src/streams/kafka/client.ts';
import { KafkaTransport } from '../../../src/streams/kafka/kafka-transport.ts';
import { drain, echo, keyed, texts } from '../../contract/harness.ts';
import { client, createTopic } from '../../kafka/client.ts';
import { kafkaNeeds } from '../../kafka/needs.ts';
import { sharedKafka } from '../../kafka/shared.ts';
import { settingsFor } from './settings.ts';

const TOPIC = 'settings-refused';
const { skip } = kafkaNeeds();

describe('what the brokers refuse of a worker', { skip, timeout: 120_000 }, () => {
  const transports: KafkaTransport[] = [];
  let bootstrap: string;

  before(async () => {
    ({ bootstrap } = await sharedKafka());
    await createTopic(client(bootstrap, {}, 5), TOPIC);
  });
  after(() => Promise.all(transports.map(each => each.close())));

  async function connect(settings: Partial<KafkaSettings> = {}): Promise<KafkaTransport> {
    const transport = await KafkaTransport.open(settingsFor(bootstrap, settings), Date.now);
    transports.push(transport);
    return transport;
  }

  const work = (transport: KafkaTransport, group: string): Promise<void> =>
    drain(transport, echo, { group, topics: [TOPIC], outputs: [] });

  it('a transaction longer than they allow ends it, and a producer too', async () => {
    const refused = { code: 'SETTING_REFUSED', retryable: false, message: /kafka\.transactionMs/ };
    const transport = await connect({ transactionMs: 3_600_000 });
    await assert.rejects(work(transport, `${TOPIC}-transaction`), refused);
    await assert.rejects(transport.append([keyed('a', '1', TOPIC)]), refused);
  });

  it('a session shorter or longer than they allow ends it, and a reader too', async () => {
    const refused = { code: 'SETTING_REFUSED', retryable: false, message: /kafka\.sessionMs/ };
    await (await connect()).append([keyed('a', '1', TOPIC)]);
    for (const sessionMs of [100, 7_200_000]) {
      const transport = await connect({ sessionMs, heartbeatMs: 10 });
      await assert.rejects(work(transport, `${TOPIC}-session`), refused);
      await assert.rejects(texts(transport, TOPIC), refused);
    }
  });

  it('a group that another kind of program works in ends it', async () => {
    const group = `${TOPIC}-foreign`;
    const foreign = await stranger(group);
    await assert.rejects(work(await connect(), group), {
      code: 'GROUP_FOREIGN',
      retryable: false,
      message: new RegExp(`group ${group}`),
    });
    await foreign.disconnect();
  });

  /** A member that shares out partitions in a way that kafkajs does not know by itself. */
  async function stranger(groupId: string): Promise<Consumer> {
    const roundRobin = kafkajs.PartitionAssigners.roundRobin;
    const consumer = client(bootstrap, {}, 5).consumer({
      groupId,
      partitionAssigners: [
        options => {
          const name = 'Strange';
          const known = roundRobin(options);
          return { ...known, name, protocol: subscription => ({ ...known.protocol(subscription), name }) };
        },
      ],
    });
    await consumer.connect();
    await consumer.subscribe({ topics: [TOPIC] });
    const joined = new Promise(resolve => consumer.on(consumer.events.GROUP_JOIN, resolve));
    await consumer.run({ eachMessage: async () => {} });
    await joined;
    return consumer;
  }
});
