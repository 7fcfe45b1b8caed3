/** If this fails, notes would be lost, doubled or reordered when one broker of several has a bad day, or the tagger would stand still. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Kafka } from 'kafkajs';
import { AdminConnection } from '../../../src/streams/kafka/admin-connection.ts';
import { KafkaTransport } from '../../../src/streams/kafka/kafka-transport.ts';
import { committedOffsets } from '../../../src/streams/kafka/offsets.ts';
import { Placement } from '../../../src/streams/kafka/placement.ts';
import { transactionalIdOf } from '../../../src/streams/kafka/take-over.ts';
import { TransactionalProducer } from '../../../src/streams/kafka/transactional-producer.ts';
import { GROUP, keyed } from '../../contract/harness.ts';
import { client, coordinatorOf, leaderOf, moveLeader, replicas, until } from '../../kafka/client.ts';
import { type Cluster, type Node, startCluster } from '../../kafka/cluster.ts';
import { kafkaNeeds } from '../../kafka/needs.ts';
import { readCommitted } from '../../kafka/read-committed.ts';
import { settingsFor } from './settings.ts';
import { UnderLoad } from './under-load.ts';

/** A transaction of one input partition writes to several output partitions, of several leaders. */
const PARTITIONS = { in: 4, out: 6, spread: 6 };
/** Longer than a request may take; others go on meanwhile, some at once and some when they have given it up. */
const HANGS_MS = 8_000;
const { skip } = kafkaNeeds();

describe('three brokers', { skip, timeout: 600_000 }, () => {
  let cluster: Cluster;
  let kafka: Kafka;
  let load: UnderLoad;
  let feeder: KafkaTransport;

  before(async () => {
    // leaders move back, while everybody lives, as soon as they can
    cluster = await startCluster(3, { properties: { 'leader.imbalance.check.interval.seconds': '1' } });
    kafka = client(cluster.bootstrap, {}, 5);
    const settings = settingsFor(cluster.bootstrap, { requestMs: 5_000 });
    feeder = await KafkaTransport.open(settings, Date.now);
    for (const [topic, partitions] of Object.entries(PARTITIONS)) {
      await feeder.createTopic(topic, { partitions, retention: { ms: null, bytes: null } });
    }
    load = new UnderLoad(settings, feeder, kafka);
    await load.during(async () => {}); // the topics of groups and transactions are there, and leaders where they belong
  });
  after(async () => {
    await load?.close();
    await feeder?.close();
    await cluster?.dispose();
  });
  afterEach(t => t.diagnostic(load.troubles));

  const inSync = (): Promise<void> =>
    until('all in sync', async () => {
      for (const partition of [0, 1, 2, 3]) if ((await replicas(kafka, 'in', partition)).isr.length < 3) return false;
      return true;
    });

  /** Asked until there is an answer: leaders may be moving. */
  async function coordinating(what: 'group' | 'transaction', id: string): Promise<Node> {
    let found: Node | undefined;
    await until(`coordinator of ${id}`, async () => {
      found = cluster.node(await coordinatorOf(kafka, what, id));
      return true;
    });
    return found as Node;
  }

  /** A client that begins elsewhere, and waits little. */
  const others = (node: Node): Kafka => {
    const bootstrap = cluster.nodes.filter(each => each !== node).map(each => each.bootstrap);
    return client(bootstrap.join(','), { requestTimeout: 1_000 });
  };

  it('one that leads and coordinates a transaction is killed, comes back, and leads again', async () => {
    const id = transactionalIdOf(GROUP, { topic: 'in', partition: 1 });
    let node = await coordinating('transaction', id);
    let partition = -1;
    await until('one that leads and coordinates', async () => {
      node = await coordinating('transaction', id);
      const leaders = await Promise.all([0, 1, 2, 3].map(each => leaderOf(kafka, 'in', each)));
      partition = leaders.indexOf(node.id);
      return partition >= 0; // three nodes lead four partitions
    });
    await load.during(async () => {
      await node.kill();
      await until('another leader', async () => (await leaderOf(kafka, 'in', partition)) !== node.id);
      await until('another coordinator', async () => (await coordinatorOf(kafka, 'transaction', id)) !== node.id);
      await load.progress();
      await node.start();
      await until('it leads again', async () => (await leaderOf(kafka, 'in', partition)) === node.id);
    });
  });

  it("the group's coordinator is stopped", async () => {
    await inSync();
    const node = await coordinating('group', GROUP);
    await load.during(async () => {
      await node.stop();
      await load.progress();
      await until('another', async () => (await coordinatorOf(kafka, 'group', GROUP)) !== node.id);
      await node.start();
    });
  });

  it('leaders move, and nobody dies', async () => {
    await inSync();
    await load.during(async () => {
      const places = (['in', 'out'] as const).flatMap(topic =>
        Array.from({ length: PARTITIONS[topic] }, (_, partition) => ({ topic, partition })),
      );
      await Promise.all(places.map(({ topic, partition }) => moveLeader(kafka, topic, partition)));
    });
  });

  it('a partition moves between two leaders to which one transaction writes', async () => {
    const values = (from: number): number[] => Array.from({ length: 60 }, (_, i) => from + i);
    const append = (from: number): Promise<void> =>
      feeder.append(values(from).map(i => ({ ...keyed('a', String(i), 'spread'), partition: i % PARTITIONS.spread })));
    await append(0);
    await moveLeader(kafka, 'spread', 0);
    await append(60); // by a producer that knows the old leaders, of which one refuses
    const found = (await readCommitted(kafka, 'spread')).map(({ value }) => Number(value));
    assert.deepEqual(
      found.sort((a, b) => a - b),
      [...values(0), ...values(60)],
    );
  });

  it('an offset is believed only of who can write for the group', async () => {
    await inSync();
    const place = { topic: 'spread', partition: 0 };
    const group = 'believing';
    const admin = await AdminConnection.open(kafka);
    const options = { kafka, placement: new Placement(admin, Date.now), transactionMs: 10_000 };
    const producer = await TransactionalProducer.open({ ...options, transactionalId: 'believing-spread-0' });
    await producer.publish([], { ...place, group, next: 7n });
    // it may be moving back just now
    await until('offset from who coordinates', async () => {
      const coordinator = await producer.findCoordinator(group, place);
      const [committed] = await committedOffsets(admin, group, 'spread', coordinator);
      assert.equal(committed, 7n, 'the write left nothing');
      return coordinator === cluster.node(await coordinatorOf(kafka, 'group', group)).bootstrap;
    });
    // who hung and woke up answers for some 100 ms as if nothing had been committed meanwhile
    const refused = { code: 'BROKER_FAILED', retryable: true };
    await assert.rejects(committedOffsets(admin, group, 'spread', '127.0.0.1:1'), refused);
    await producer.close();
    await admin.close();
  });

  it("the group's coordinator hangs until others lead and coordinate, and wakes up", async () => {
    await inSync();
    const node = await coordinating('group', GROUP);
    await load.during(async () => {
      await node.freeze();
      await until('another', async () => (await coordinatorOf(others(node), 'group', GROUP)) !== node.id);
      await Promise.race([load.progress(), sleep(HANGS_MS)]);
      node.thaw(); // and does not know yet that it leads and coordinates nothing any more
    });
  });

  it('two are gone for a while', async () => {
    await inSync();
    const [first, second] = cluster.nodes as [Node, Node, Node];
    await load.during(async () => {
      await Promise.all([first.kill(), second.kill()]);
      await sleep(1_000);
      const { committed } = load;
      await sleep(4_000);
      assert.equal(load.committed, committed, 'nothing is committed that one node alone would have');
      await Promise.all([first.start(), second.start()]);
    });
  });
});
