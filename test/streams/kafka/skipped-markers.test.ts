/**
 * If this fails, notes would be tagged twice, or their tags taken back, where the brokers lost the marker that ends a transaction:
 * those of Kafka 4.3.0 and 4.3.1 do for a partition that has no leader at that moment (KAFKA-20734).
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import type { Kafka } from 'kafkajs';
import { AdminConnection } from '../../../src/streams/kafka/admin-connection.ts';
import { KafkaTransport } from '../../../src/streams/kafka/kafka-transport.ts';
import { committedOffsets, fromNote, lastOf, toNote, topicBounds } from '../../../src/streams/kafka/offsets.ts';
import { Placement } from '../../../src/streams/kafka/placement.ts';
import { transactionalIdOf } from '../../../src/streams/kafka/take-over.ts';
import { TransactionalProducer } from '../../../src/streams/kafka/transactional-producer.ts';
import { copy, drain, keyed } from '../../contract/harness.ts';
import { client, coordinatorOf, leaderOf, until } from '../../kafka/client.ts';
import { type Cluster, type Node, startCluster } from '../../kafka/cluster.ts';
import { kafkaNeeds } from '../../kafka/needs.ts';
import { readCommitted } from '../../kafka/read-committed.ts';
import { settingsFor } from './settings.ts';

/** Longer than it takes to kill a broker: only then may the coordinator end what was left open. */
const TRANSACTION_MS = 10_000;
/** More than the coordinator needs to notice that a transaction is too old, or that a partition lost its leader. */
const NOTICED_MS = 3_000;
const { skip } = kafkaNeeds();

/** What a former owner of in/0 left behind, when the only broker that holds the output died. */
interface Left {
  readonly input: string;
  readonly output: string;
  readonly group: string;
}

describe('the note with a committed offset', () => {
  it('says what was written, and nothing where it would be too long or is not ours', () => {
    const offsets = fc.array(fc.tuple(fc.nat(), fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }))).map(all => new Map(all));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string(), offsets)), all => {
        const written = new Map(all);
        const note = toNote(written);
        assert.ok((note ?? '').length <= 4096);
        if (note !== null) assert.deepEqual(fromNote(note), written);
      }),
    );
    const many = new Map([['out', new Map(Array.from({ length: 400 }, (_, i) => [i, 10n ** 12n]))]]);
    assert.equal(toNote(many), null);
    for (const note of [null, '', 'reset by hand', '7', 'null', '{}', '[7]', '[["out",7]]', '[["out",[[0,"x"]]]]'])
      assert.equal(fromNote(note), undefined);
  });
});

describe('what several transactions wrote', () => {
  it('is the last of each place', () => {
    const one = new Map([
      [
        'out',
        new Map([
          [0, 5n],
          [1, 9n],
        ]),
      ],
    ]);
    const other = new Map([
      [
        'out',
        new Map([
          [0, 7n],
          [1, 2n],
        ]),
      ],
      ['dead', new Map([[3, 0n]])],
    ]);
    const last = new Map([
      [
        'out',
        new Map([
          [0, 7n],
          [1, 9n],
        ]),
      ],
      ['dead', new Map([[3, 0n]])],
    ]);
    assert.deepEqual(lastOf([one, other]), last);
    assert.deepEqual(lastOf([]), new Map());
  });
});

describe('a marker that the coordinator passed over', { skip, timeout: 300_000 }, () => {
  let cluster: Cluster;
  let kafka: Kafka;
  let transport: KafkaTransport;

  before(async () => {
    cluster = await startCluster(3);
    kafka = client(cluster.bootstrap, {}, 5);
    transport = await KafkaTransport.open(settingsFor(cluster.bootstrap, { requestMs: 5_000 }), Date.now);
  });
  after(async () => {
    await transport?.close();
    await cluster?.dispose();
  });

  /** @param dies at which phase of the former owner's transaction the output's broker is killed. */
  async function leave(name: string, dies: 'sent' | 'offsets-sent'): Promise<Left> {
    const [input, output, group] = [`${name}-in`, `${name}-out`, name];
    await transport.createTopic(input, { partitions: 1, retention: { ms: null, bytes: null } });
    await transport.append([keyed('patient', 'first', input)]);
    const transactionalId = transactionalIdOf(group, { topic: input, partition: 0 });
    const admin = await AdminConnection.open(kafka);
    const options = {
      kafka,
      placement: new Placement(admin, Date.now),
      transactionMs: TRANSACTION_MS,
      transactionalId,
    };
    let node: Node | undefined;
    const former = await TransactionalProducer.open({
      ...options,
      onPhase: phase => {
        if (phase !== dies) return;
        process.kill(node?.pid() as number, 'SIGKILL');
        if (phase === 'sent') throw new Error('its owner died too');
      },
    });
    await former.findCoordinator(group, { topic: input, partition: 0 }); // it has a coordinator from now on
    const coordinator = await coordinatorOf(kafka, 'transaction', transactionalId);
    node = cluster.nodes.find(({ id }) => id !== coordinator) as Node;
    const replicas = [node.id];
    await admin.ask(each =>
      each.createTopics({
        topics: [{ topic: output, replicaAssignment: [{ partition: 0, replicas }] }],
        waitForLeaders: false,
      }),
    );
    await until('a leader', async () => (await leaderOf(kafka, output)) === node.id);
    const place = { group, topic: input, partition: 0 };
    // what came of it the topics say
    const placed = await former.place([keyed('patient', 'first', output)]);
    await former.publish(placed, { ...place, next: 1n }).catch(() => {});
    await node.kill();
    await until('no leader', () =>
      leaderOf(kafka, output).then(
        () => false,
        error => /no leader/.test(String(error)),
      ),
    );
    await sleep(TRANSACTION_MS + NOTICED_MS);
    await node.start();
    await until('a leader again', async () => (await leaderOf(kafka, output)) === node.id);
    await former.close();
    // the fault has happened: the offset says how it ended, and the output does not
    const [committed] = await committedOffsets(admin, group, input);
    assert.equal(committed, dies === 'sent' ? 'none' : 1n);
    assert.deepEqual(await topicBounds(admin, output), [{ low: 0n, high: 0n }]);
    await admin.close();
    return { input, output, group };
  }

  async function tagAll({ input, output, group }: Left): Promise<string[]> {
    const processor = { process: async (record: Parameters<typeof copy>[0]) => [copy(record, output)] };
    await drain(transport, processor, { group, topics: [input], outputs: [output], sleep });
    return (await readCommitted(kafka, output)).map(({ value }) => String(value));
  }

  it('of an abort: what was given up stays so when the next owner commits', async () => {
    const left = await leave('given-up', 'sent');
    assert.deepEqual(await tagAll(left), ['first']);
  });

  it('of a commit: what was committed stays so, and is not written again', async () => {
    const left = await leave('committed', 'offsets-sent');
    await transport.append([keyed('patient', 'second', left.input)]);
    assert.deepEqual(await tagAll(left), ['first', 'second']);
  });
});
