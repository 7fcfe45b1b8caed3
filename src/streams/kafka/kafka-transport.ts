/** The transport port on a Kafka cluster: groups share partitions, transactions carry outputs and offsets. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs from 'kafkajs';
import type { Stop } from '../../core/processor.ts';
import type { OutgoingRecord, StreamRecord } from '../../core/record.ts';
import { StreamError } from '../stream-error.ts';
import type {
  GroupLag,
  NewTopic,
  ReadOptions,
  Retention,
  SubscribeOptions,
  Subscription,
  TopicInfo,
  Transport,
} from '../transport.ts';
import { AdminConnection } from './admin-connection.ts';
import { createKafka, type KafkaClient, type KafkaSettings } from './client.ts';
import { isForgotten, toStreamError } from './kafka-error.ts';
import { KafkaSubscription } from './kafka-subscription.ts';
import { topicBounds, untilVisible } from './offsets.ts';
import { Placement } from './placement.ts';
import { readTopic } from './read-topic.ts';
import type { Cluster } from './take-over.ts';
import { PartitionUnheardOf, TransactionalProducer } from './transactional-producer.ts';
import { within } from './within.ts';

const LEADERS_MS = 15_000;
/** Readers see an append within milliseconds, unless someone's open transaction stands before it. */
const VISIBLE_MS = 5_000;
const POLL_MS = 25;
const CLOSE_MS = 3_000;

export class KafkaTransport implements Transport {
  readonly #settings: KafkaSettings;
  readonly #kafka: KafkaClient;
  readonly #admin: AdminConnection;
  readonly #cluster: Cluster;
  readonly #subscriptions = new Set<KafkaSubscription>();
  readonly #closing = new AbortController();
  /** Always the same, so that an append that failed is ended by the next one, not by its time-out: until then nobody reads past it. */
  readonly #appendId: string;
  #appender: Promise<TransactionalProducer> | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | undefined;

  private constructor(settings: KafkaSettings, kafka: KafkaClient, admin: AdminConnection, now: () => number) {
    this.#settings = settings;
    this.#kafka = kafka;
    this.#appendId = `${settings.clientId}-append-${randomUUID()}`;
    this.#admin = admin;
    this.#cluster = { settings, kafka, admin, placement: new Placement(admin, now) };
  }

  /** @param kafka for tests that watch the client. @throws StreamError BROKER_UNREACHABLE, BROKER_UNTRUSTED, AUTHENTICATION_FAILED */
  static async open(
    settings: KafkaSettings,
    now: () => number,
    kafka: KafkaClient = createKafka(settings),
  ): Promise<KafkaTransport> {
    try {
      return new KafkaTransport(settings, kafka, await AdminConnection.open(kafka), now);
    } catch (error) {
      kafka.closeConnections();
      const token =
        settings.sasl?.mechanism === 'oauthbearer'
          ? ' (or one that refuses the token: it hangs up without a word)'
          : '';
      throw toStreamError(error, `cannot connect to ${settings.brokers.join(', ')}${token}`);
    }
  }

  async createTopic(topic: string, { partitions, retention, spareBytes = 0 }: NewTopic): Promise<void> {
    const configEntries = Object.entries({
      'retention.ms': String(retention.ms ?? -1),
      'retention.bytes': String(retention.bytes ?? -1),
      'max.message.bytes': String(this.#settings.recordBytes + spareBytes),
    }).map(([name, value]) => ({ name, value }));
    const { replicationFactor } = this.#settings;
    const made = await this.#asking(`cannot make topic ${topic}`, () =>
      this.#admin.ask(admin =>
        admin.createTopics({
          waitForLeaders: false, // it can fail while it waits; see below
          topics: [{ topic, numPartitions: partitions, replicationFactor, configEntries }],
        }),
      ),
    );
    if (!made) throw new StreamError('TOPIC_EXISTS', `topic ${topic} exists already`);
    await this.#untilLed(topic, partitions);
  }

  async topics(): Promise<TopicInfo[]> {
    return this.#asking('cannot list topics', async () => {
      const names = (await this.#admin.ask(admin => admin.listTopics())).filter(name => !name.startsWith('__')).sort();
      const retention = await this.#retention(names);
      return Promise.all(
        names.map(async topic => ({
          topic,
          retention: retention.get(topic) ?? { ms: null, bytes: null },
          partitions: (await topicBounds(this.#admin, topic)).map((bounds, partition) => ({ partition, ...bounds })),
        })),
      );
    });
  }

  async lags(): Promise<GroupLag[]> {
    return this.#asking('cannot read the offsets of groups', async () => {
      const { groups } = await this.#admin.ask(admin => admin.listGroups());
      const highs = new Map<string, Promise<bigint[]>>();
      const highsOf = (topic: string): Promise<bigint[]> => {
        const known = highs.get(topic) ?? this.#highs(topic);
        highs.set(topic, known);
        return known;
      };
      const lags: GroupLag[] = [];
      for (const { groupId: group } of groups) {
        for (const { topic, partitions } of await this.#admin.ask(admin => admin.fetchOffsets({ groupId: group }))) {
          const high = await highsOf(topic);
          for (const { partition, offset } of partitions) {
            const committed = BigInt(offset);
            const end = high[partition];
            if (committed < 0n || end === undefined) continue;
            const behind = end - committed;
            lags.push({ group, topic, partition, lag: behind > 0n ? behind : 0n });
          }
        }
      }
      const key = ({ group, topic, partition }: GroupLag): string =>
        `${group} ${topic} ${String(partition).padStart(6)}`;
      return lags.sort((a, b) => (key(a) < key(b) ? -1 : 1));
    });
  }

  /** By partition; none of a topic that was deleted since groups read it. */
  async #highs(topic: string): Promise<bigint[]> {
    try {
      return (await topicBounds(this.#admin, topic)).map(({ high }) => high);
    } catch (error) {
      if (toStreamError(error, '').code === 'TOPIC_UNKNOWN') return [];
      throw error;
    }
  }

  /** One transaction, under an id of this process's own: all of the records or none. */
  append(records: readonly OutgoingRecord[]): Promise<void> {
    const mine = this.#turn.then(() =>
      this.#asking('cannot append', async () => {
        if (records.length === 0) return;
        // a producer that the brokers have forgotten after days without an append, or that does not know a new partition, took nothing
        await this.#append(records).catch(error => {
          if (!isForgotten(error) && !(error instanceof PartitionUnheardOf)) throw error;
          return this.#append(records);
        });
      }),
    );
    this.#turn = mine.catch(() => {});
    return mine;
  }

  async #append(records: readonly OutgoingRecord[]): Promise<void> {
    const { kafka, placement } = this.#cluster;
    const { transactionMs } = this.#settings;
    this.#appender ??= TransactionalProducer.open({ kafka, placement, transactionMs, transactionalId: this.#appendId });
    try {
      const appender = await this.#appender;
      await appender.publish(await appender.place(records));
      // it is committed: that no one can say when it shows is no failure of it
      await untilVisible(this.#admin, appender.sent, VISIBLE_MS).catch(() => {});
    } catch (error) {
      const failed = this.#appender;
      this.#appender = undefined;
      await failed.then(producer => producer.close()).catch(() => {});
      throw error;
    }
  }

  read(topic: string, options: ReadOptions): AsyncIterable<StreamRecord> {
    return readTopic(this.#cluster, topic, options, this.#closing.signal);
  }

  async subscribe(options: SubscribeOptions): Promise<Subscription> {
    const subscription = await KafkaSubscription.open(this.#cluster, options);
    this.#subscriptions.add(subscription);
    return subscription;
  }

  readonly close: Stop = () => {
    this.#closed ??= (async () => {
      this.#closing.abort();
      await Promise.allSettled([...this.#subscriptions].map(each => each.stop()));
      await within(
        CLOSE_MS,
        this.#turn.then(async () => (await this.#appender)?.close()),
      );
      await within(CLOSE_MS, this.#admin.close());
      this.#kafka.closeConnections();
    })();
    return this.#closed;
  };

  /** A new topic can be used when every partition has a leader. */
  async #untilLed(topic: string, partitions: number): Promise<void> {
    const deadline = performance.now() + LEADERS_MS;
    for (;;) {
      const known = await this.#admin
        .ask(admin => admin.fetchTopicMetadata({ topics: [topic] }))
        .catch(() => undefined);
      const led = known?.topics[0]?.partitions.filter(each => each.leader >= 0 && each.partitionErrorCode === 0) ?? [];
      if (led.length === partitions) return;
      if (performance.now() > deadline) {
        throw new StreamError(
          'BROKER_FAILED',
          `topic ${topic} was made, but not all its partitions have a leader yet`,
          {
            retryable: true,
          },
        );
      }
      await sleep(POLL_MS);
    }
  }

  async #retention(names: readonly string[]): Promise<Map<string, Retention>> {
    if (names.length === 0) return new Map();
    const configNames = ['retention.ms', 'retention.bytes'];
    const { resources } = await this.#admin.ask(admin =>
      admin.describeConfigs({
        includeSynonyms: false,
        resources: names.map(name => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name, configNames })),
      }),
    );
    return new Map(
      resources.map(({ resourceName, configEntries }) => {
        const limit = (name: string): number | null => {
          const value = Number(configEntries.find(each => each.configName === name)?.configValue ?? -1);
          return value < 0 ? null : value;
        };
        return [resourceName, { ms: limit('retention.ms'), bytes: limit('retention.bytes') }];
      }),
    );
  }

  async #asking<T>(doing: string, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      throw toStreamError(error, doing);
    }
  }
}
