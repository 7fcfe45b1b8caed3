/**
 * A producer with one transactional id: opening it fences whoever had the id before, and each `publish` is one transaction.
 * After any failure it is thrown away: kafkajs cannot leave the state in which a commit failed, and whether that commit
 * happened is found out by fencing again and reading the committed offset.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Kafka, Message, Producer, RecordMetadata, TopicMessages, Transaction } from 'kafkajs';
import type { OutgoingRecord, TopicPartition } from '../../core/record.ts';
import { StreamError } from '../stream-error.ts';
import { toNote, type Written } from './offsets.ts';
import { FRESH_MS, type Placement } from './placement.ts';

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
/**
 * Why offsets were not taken, that passes: markers on their way, and a coordinator that moves. kafkajs means to ask for the new one,
 * and waits for errors of other names (NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE, COORDINATOR_LOAD_IN_PROGRESS).
 */
const PASSING: ReadonlySet<unknown> = new Set([
  'CONCURRENT_TRANSACTIONS',
  'NOT_COORDINATOR_FOR_GROUP',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'GROUP_LOAD_IN_PROGRESS',
]);

export class TransactionalProducer {
  readonly #producer: Producer;
  readonly #placement: Placement;
  readonly #onPhase: (phase: Phase) => void;
  readonly #written = new Map<string, Map<number, bigint>>();
  readonly #sent = new Map<string, Map<number, bigint>>();
  /** Topics and partitions in which nothing that the id's former holders left open can be committed by this one. */
  readonly #cleared = new Set<string>();
  #mayClear = true;
  #offsetsTakenBy = '';

  private constructor(producer: Producer, options: ProducerOptions) {
    this.#producer = producer;
    this.#placement = options.placement;
    this.#onPhase = options.onPhase ?? (() => {});
    producer.on(producer.events.REQUEST, ({ payload: { apiName, broker } }) => {
      if (apiName === 'TxnOffsetCommit') this.#offsetsTakenBy = broker;
    });
  }

  /** Connects and fences: from its return on, no other holder of the id can commit; what they left open has ended, but see `clear`. */
  static async open(options: ProducerOptions): Promise<TransactionalProducer> {
    const producer = options.kafka.producer({
      transactionalId: options.transactionalId,
      // transactions are idempotent all the same; this one would ask for a second producer id, and for one more permission
      idempotent: false,
      maxInFlightRequests: 1,
      metadataMaxAge: FRESH_MS,
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

  /**
   * Makes the group's coordinator write, in a transaction that is given up. Only who still is the coordinator can: it has then all that
   * was committed before. @returns who that is, host:port.
   */
  async findCoordinator(group: string, { topic, partition }: TopicPartition): Promise<string> {
    const transaction = await this.#producer.transaction();
    try {
      await sendOffset(transaction, { group, topic, partition, next: NOWHERE });
    } catch (error) {
      await giveUp(transaction);
      throw error;
    }
    await transaction.abort();
    return this.#offsetsTakenBy;
  }

  /**
   * What the id's former holder wrote last, so that the next offset says so too.
   * @param written undefined when nobody knows: then nothing is cleared.
   * @param open what of it readers have not come to. It is left alone: it may lack only the marker of its commit, and whoever gave a
   * transaction up there would take it back.
   */
  inherit(written: Written | undefined, open: Written = new Map()): void {
    this.#mayClear = written !== undefined;
    for (const [topic, offsets] of written ?? []) this.#written.set(topic, new Map(offsets));
    for (const [topic, offsets] of open)
      for (const partition of offsets.keys()) this.#cleared.add(`${topic}/${partition}`);
  }

  /** To where they go, for `clear` and `publish`. @throws StreamError TOPIC_UNKNOWN, PARTITION_UNKNOWN */
  place(records: readonly OutgoingRecord[]): Promise<TopicMessages[]> {
    return this.#placement.place(records);
  }

  /**
   * Ends what former holders of the id left open where these records go: their first record is written there once, in a transaction
   * that is given up. The fence should have ended it all. But a coordinator that sees no leader of a partition passes over its marker
   * and calls the transaction ended (Kafka 4.3.0 and 4.3.1, KAFKA-20734), and the next commit of the same id would commit that as well.
   * @returns where it wrote: what was open has ended when readers have come so far. Empty for all but the first records of a partition.
   */
  async clear(placed: readonly TopicMessages[]): Promise<Written> {
    if (!this.#mayClear) return new Map();
    const firsts = new Map<string, TopicMessages>();
    for (const { topic, messages } of placed) {
      for (const message of messages) {
        const place = `${topic}/${message.partition}`;
        if (!this.#cleared.has(place) && !firsts.has(place)) firsts.set(place, { topic, messages: [message] });
      }
    }
    if (firsts.size === 0) return new Map();
    const transaction = await this.#producer.transaction();
    try {
      const sending = [...firsts.values()].map(each => sendAll(transaction, each));
      const written = byPlace((await everySent(sending)).flat());
      await transaction.abort();
      for (const place of firsts.keys()) this.#cleared.add(place);
      return written;
    } catch (error) {
      await giveUp(transaction);
      throw error;
    }
  }

  /** All records and the offset, or nothing. The order of records of one partition is kept. */
  async publish(placed: readonly TopicMessages[], input?: InputOffset): Promise<void> {
    this.#onPhase('beginning');
    const transaction = await this.#producer.transaction();
    try {
      await everySent(inRequests(placed).map(requests => this.#send(transaction, requests)));
      this.#onPhase('sent');
      if (input !== undefined) {
        await sendOffset(transaction, input, toNote(this.#written));
        this.#onPhase('offsets-sent');
      }
    } catch (error) {
      // an open transaction would hold back every reader of these partitions until it times out
      await giveUp(transaction);
      throw error;
    }
    await transaction.commit();
  }

  /** What one partition gets, in order. */
  async #send(transaction: Transaction, requests: readonly TopicMessages[]): Promise<void> {
    for (const request of requests) {
      const sent = await sendAll(transaction, request);
      for (const places of [this.#sent, this.#written]) byPlace(sent, places);
    }
  }

  /** By topic and partition, an offset of its last transaction that wrote there: not of a former holder's. */
  get sent(): Written {
    return this.#sent;
  }

  async close(): Promise<void> {
    await this.#producer.disconnect().catch(() => {});
  }
}

/**
 * For each partition its requests, one after the other. kafkajs sends a request for several partitions in parts, one a leader, and
 * when a part fails it decides anew by leader what is left to send: where leaders move meanwhile, some records are written twice and
 * others never, and the send succeeds. So a request is for one partition. max.message.bytes bounds what it writes there, not the
 * record: requests stay well below a broker's default of 1 MiB, and a larger record goes alone.
 */
export function inRequests(all: readonly TopicMessages[], maxBytes = REQUEST_BYTES): TopicMessages[][] {
  const partitions = new Map<string, { bytes: number; readonly requests: { topic: string; messages: Message[] }[] }>();
  for (const { topic, messages } of all) {
    for (const message of messages) {
      const place = `${topic}/${message.partition}`;
      const of = partitions.get(place) ?? { bytes: 0, requests: [] };
      partitions.set(place, of);
      const last = of.requests.at(-1);
      if (last === undefined || of.bytes + sizeOf(message) > maxBytes) {
        of.requests.push({ topic, messages: [message] });
        of.bytes = sizeOf(message);
      } else {
        last.messages.push(message);
        of.bytes += sizeOf(message);
      }
    }
  }
  return [...partitions.values()].map(({ requests }) => requests);
}

/** Never committed; if it were, the next take-over would refuse it. */
const NOWHERE = 2n ** 62n;

const REQUEST_BYTES = 512 * 1024;
/** Of a record beside key, value and headers; generous. */
const RECORD_BYTES = 100;

function sizeOf({ key, value, headers }: Message): number {
  const names = Object.entries(headers ?? {}).reduce(
    (sum, [name, each]) => sum + name.length + (each?.length ?? 0) + 10,
    0,
  );
  return RECORD_BYTES + (key?.length ?? 0) + (value?.length ?? 0) + names;
}

/** @param into what is noted already; it is added to. */
function byPlace(
  sent: readonly RecordMetadata[],
  into = new Map<string, Map<number, bigint>>(),
): Map<string, Map<number, bigint>> {
  for (const { topicName, partition, baseOffset } of sent) {
    const offsets = into.get(topicName) ?? new Map<number, bigint>();
    into.set(topicName, offsets.set(partition, BigInt(baseOffset ?? 0)));
  }
  return into;
}

/** Nothing of the transaction is taken; a producer opened after it knows the partition. */
export class PartitionUnheardOf extends StreamError {
  constructor(topic: string, partition: number | undefined) {
    const place = `${topic}/${partition}`;
    super('BROKER_FAILED', `${place} is new, and the producer does not know it yet`, { retryable: true });
  }
}

/** What goes to one partition. kafkajs passes over one that it has not heard of yet, and says that all was sent. @throws PartitionUnheardOf then. */
async function sendAll(transaction: Transaction, request: TopicMessages): Promise<RecordMetadata[]> {
  const sent = await transaction.sendBatch({ topicMessages: [request], acks: -1 });
  if (sent.length === 0) throw new PartitionUnheardOf(request.topic, request.messages[0]?.partition);
  return sent;
}

/** An abort must not overtake what is still on its way. */
async function everySent<T>(sending: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(sending);
  return Promise.all(sending);
}

/**
 * kafkajs waits for the markers of the last transaction when it sends records, and not when it sends offsets.
 * @param metadata what brokers keep with the offset.
 * @throws what the brokers said; of what passes, what they still said after some 8 s. Nothing was taken then.
 */
export async function sendOffset(
  transaction: Pick<Transaction, 'sendOffsets'>,
  { group, topic, partition, next }: InputOffset,
  metadata: string | null = null,
): Promise<void> {
  // kafkajs sends metadata, and its types forget it
  const partitions = [{ partition, offset: String(next), metadata }];
  const topics = [{ topic, partitions }];
  for (let [attempt, wait] = [0, RETRY.initialRetryTime]; ; attempt++, wait = Math.min(2 * wait, RETRY.maxRetryTime)) {
    try {
      await transaction.sendOffsets({ consumerGroupId: group, topics });
      return;
    } catch (error) {
      const { type } = error as { readonly type?: unknown };
      if (!PASSING.has(type) || attempt === RETRY.retries) throw error;
      await sleep(wait);
    }
  }
}

async function giveUp(transaction: Transaction): Promise<void> {
  await transaction.abort().catch(() => {}); // fenced, or the broker is away: then the next owner's fence ends it
}
