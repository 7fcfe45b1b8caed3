/**
 * A producer with one transactional id: opening it fences whoever had the id before, and each `publish` is one transaction.
 * After any failure it is thrown away: kafkajs cannot leave the state in which a commit failed, and whether that commit
 * happened is found out by fencing again and reading the committed offset.
 */
import type { Kafka, Producer, RecordMetadata, Transaction } from 'kafkajs';
import type { OutgoingRecord, TopicPartition } from '../../core/record.ts';
import type { Placement } from './placement.ts';

/** Where a transaction stands: for tests that freeze a process there. */
export type Phase = 'fencing' | 'fenced' | 'beginning' | 'sent' | 'offsets-sent';

export interface InputOffset extends TopicPartition {
  readonly group: string;
  /** The next offset to read. */
  readonly next: bigint;
}

export interface ProducerOptions {
  readonly kafka: Kafka;
  readonly placement: Placement;
  readonly transactionalId: string;
  readonly transactionMs: number;
  readonly onPhase?: (phase: Phase) => void;
}

/** CONCURRENT_TRANSACTIONS passes within some 20 ms of a commit; kafkajs would wait 300 ms. */
const RETRY = { initialRetryTime: 10, maxRetryTime: 300, retries: 30 };

export class TransactionalProducer {
  readonly #producer: Producer;
  readonly #placement: Placement;
  readonly #onPhase: (phase: Phase) => void;
  readonly #written = new Map<string, Map<number, bigint>>();

  private constructor(producer: Producer, options: ProducerOptions) {
    this.#producer = producer;
    this.#placement = options.placement;
    this.#onPhase = options.onPhase ?? (() => {});
  }

  /** Connects and fences: from its return on, no other holder of the id can commit, and nothing of theirs is still open. */
  static async open(options: ProducerOptions): Promise<TransactionalProducer> {
    const producer = options.kafka.producer({
      transactionalId: options.transactionalId,
      // transactions are idempotent all the same; this one would ask for a second producer id, and for one more permission
      idempotent: false,
      maxInFlightRequests: 1,
      transactionTimeout: options.transactionMs,
      retry: RETRY,
      allowAutoTopicCreation: false,
      // every record is placed before it is sent
      createPartitioner:
        () =>
        ({ message }) =>
          message.partition as number,
    });
    try {
      await producer.connect();
      options.onPhase?.('fencing');
      // connecting does not fence; the first transaction does (InitProducerId), and an empty one sends nothing else
      await (await producer.transaction()).abort();
      options.onPhase?.('fenced');
      return new TransactionalProducer(producer, options);
    } catch (error) {
      await producer.disconnect().catch(() => {});
      throw error;
    }
  }

  /** All records and the offset, or nothing. The order of records of one partition is kept. */
  async publish(records: readonly OutgoingRecord[], input?: InputOffset): Promise<void> {
    const topicMessages = await this.#placement.place(records);
    this.#onPhase('beginning');
    const transaction = await this.#producer.transaction();
    try {
      if (topicMessages.length > 0) this.#note(await transaction.sendBatch({ topicMessages, acks: -1 }));
      this.#onPhase('sent');
      if (input !== undefined) {
        const { group, topic, partition, next } = input;
        const topics = [{ topic, partitions: [{ partition, offset: String(next) }] }];
        await transaction.sendOffsets({ consumerGroupId: group, topics });
        this.#onPhase('offsets-sent');
      }
    } catch (error) {
      // an open transaction would hold back every reader of these partitions until it times out
      await giveUp(transaction);
      throw error;
    }
    await transaction.commit();
  }

  /** By topic and partition, an offset of the last transaction that wrote there. */
  get written(): ReadonlyMap<string, ReadonlyMap<number, bigint>> {
    return this.#written;
  }

  #note(sent: readonly RecordMetadata[]): void {
    for (const { topicName, partition, baseOffset } of sent) {
      const offsets = this.#written.get(topicName) ?? new Map<number, bigint>();
      this.#written.set(topicName, offsets.set(partition, BigInt(baseOffset ?? 0)));
    }
  }

  async close(): Promise<void> {
    await this.#producer.disconnect().catch(() => {});
  }
}

async function giveUp(transaction: Transaction): Promise<void> {
  await transaction.abort().catch(() => {}); // fenced, or the broker is away: then the next owner's fence ends it
}
