/** If this fails, whoever waits until everything is tagged and then reads would miss the last notes, and call that the result. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Producer, Transaction } from 'kafkajs';
import { KafkaTransport } from '../../../src/streams/kafka/kafka-transport.ts';
import type { Running } from '../../../src/streams/runner.ts';
import { copy, drain, keyed, remember, start, texts } from '../../contract/harness.ts';
import { client, until } from '../../kafka/client.ts';
import { kafkaNeeds } from '../../kafka/needs.ts';
import { sharedKafka } from '../../kafka/shared.ts';
import { settingsFor } from './settings.ts';

const [IN, OUT, GROUP] = ['drained-in', 'drained-out', 'drained'];
const { skip } = kafkaNeeds();

describe('a group is drained', { skip, timeout: 120_000 }, () => {
  const transports: KafkaTransport[] = [];
  const strangers: Producer[] = [];
  const { facts, observe } = remember();
  const committed = (): number =>
    facts.reduce((sum, fact) => sum + (fact.kind === 'transaction.committed' ? fact.records : 0), 0);
  let holder: Running;
  let other: Running;
  let bootstrap: string;

  /** A member of the group, which has one partition for one of them. */
  async function member(): Promise<Running> {
    const transport = await KafkaTransport.open(settingsFor(bootstrap), Date.now);
    transports.push(transport);
    const processor = { process: async (record: Parameters<typeof copy>[0]) => [copy(record, OUT)] };
    return start(transport, processor, { group: GROUP, topics: [IN], outputs: [OUT], observe });
  }

  /** A stranger's transaction, open where the group writes: readers see nothing behind it. */
  async function strange(): Promise<Transaction> {
    const producer = client(bootstrap, {}, 5).producer({ transactionalId: 'drained-stranger', maxInFlightRequests: 1 });
    strangers.push(producer);
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.send({ topic: OUT, messages: [{ value: 'strange' }] });
    return transaction;
  }

  before(async () => {
    ({ bootstrap } = await sharedKafka());
    const feeder = await KafkaTransport.open(settingsFor(bootstrap), Date.now);
    transports.push(feeder);
    for (const topic of [IN, OUT])
      await feeder.createTopic(topic, { partitions: 1, retention: { ms: null, bytes: null } });
    const both = [await member(), await member()];
    const having = (partitions: number): Running | undefined =>
      both.find(({ subscription }) => subscription.assignment().length === partitions);
    await until('one with the partition, one without', async () => having(0) !== undefined && having(1) !== undefined);
    holder = having(1) as Running;
    other = having(0) as Running;
    // its first transaction also makes sure that nothing stands open there
    await feeder.append([keyed('a', 'first', IN)]);
    await until('first commit', async () => committed() === 1);
  });
  after(async () => {
    await Promise.all([...transports.map(each => each.close()), ...strangers.map(each => each.disconnect())]);
  });

  for (const who of ['holder', 'other'] as const) {
    it(`for the ${who === 'holder' ? 'member with the partition' : 'member without'}, when what was committed can be read`, async () => {
      const [feeder] = transports as [KafkaTransport];
      const before = committed();
      const transaction = await strange();
      await feeder.append([keyed('a', who, IN)]);
      await until('commit', async () => committed() > before);
      const order: string[] = [];
      const draining = { holder, other }[who].subscription.drained().then(() => order.push('drained'));
      await sleep(300); // a few times as long as it takes to ask
      order.push('readable');
      await transaction.commit();
      await draining;
      assert.deepEqual(order, ['readable', 'drained']);
      assert.equal((await texts(feeder, OUT)).at(-1), who);
    });
  }

  it('also where its notes went to a topic that was deleted and made anew since', async () => {
    // to wait for what stood there would take that long
    const patient = await KafkaTransport.open(settingsFor(bootstrap, { transactionMs: 600_000 }), Date.now);
    transports.push(patient);
    const [into, out] = ['drained-kept', 'drained-anew'];
    const create = (topic: string): Promise<void> =>
      patient.createTopic(topic, { partitions: 1, retention: { ms: null, bytes: null } });
    for (const topic of [into, out]) await create(topic);
    await patient.append(Array.from({ length: 9 }, (_, i) => keyed('a', String(i), into)));
    const processor = { process: async (record: Parameters<typeof copy>[0]) => [copy(record, out)] };
    const options = { group: `${GROUP}-anew`, topics: [into], outputs: [out] };
    await drain(patient, processor, options);
    const admin = client(bootstrap, {}, 5).admin();
    await admin.connect();
    await admin.deleteTopics({ topics: [out] });
    await admin.disconnect();
    await until('new topic', () => create(out).then(() => true));
    await drain(patient, processor, options);
  });
});
