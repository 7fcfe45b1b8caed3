/** If this fails, a transaction that writes to several brokers would lose records or write some twice when a leader moves. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { KafkaTransport } from '../../../src/streams/kafka/kafka-transport.ts';
import { keyed } from '../../contract/harness.ts';
import { client, moveLeader } from '../../kafka/client.ts';
import { type Cluster, startCluster } from '../../kafka/cluster.ts';
import { kafkaNeeds } from '../../kafka/needs.ts';
import { readCommitted } from '../../kafka/read-committed.ts';
import { settingsFor } from './settings.ts';

const [PARTITIONS, EACH] = [6, 60];
const { skip } = kafkaNeeds();

describe('a transaction over the partitions of three leaders', { skip, timeout: 300_000 }, () => {
  let cluster: Cluster;
  let transport: KafkaTransport;

  before(async () => {
    cluster = await startCluster(3, { properties: { 'leader.imbalance.check.interval.seconds': '1' } });
    transport = await KafkaTransport.open(settingsFor(cluster.bootstrap), Date.now);
    await transport.createTopic('in', { partitions: PARTITIONS, retention: { ms: null, bytes: null } });
  });
  after(async () => {
    await transport?.close();
    await cluster?.dispose();
  });

  it('writes each record once when a partition has moved between two of them', async () => {
    const kafka = client(cluster.bootstrap, {}, 5);
    const append = async (from: number): Promise<void> => {
      const values = Array.from({ length: EACH }, (_, i) => from + i);
      await transport.append(values.map(value => ({ ...keyed('a', String(value)), partition: value % PARTITIONS })));
    };
    await append(0);
    await moveLeader(kafka, 'in', 0);
    await append(EACH); // by a producer that knows the old leaders, of which one refuses
    const values = (await readCommitted(kafka, 'in')).map(({ value }) => Number(value)).sort((a, b) => a - b);
    assert.deepEqual(
      values,
      Array.from({ length: 2 * EACH }, (_, i) => i),
    );
  });
});
