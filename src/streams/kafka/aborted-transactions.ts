/**
 * Records of aborted transactions, kept from every reader. kafkajs takes the broker's list of them for sorted by where they begin, and
 * enters one a record; brokers sort it by where they end. Where transactions of several producers overlap, it hands out records that
 * were never committed. So answers are marked before kafkajs looks at them: an aborted record as a control record, which nobody is
 * given and which counts for offsets all the same.
 */
import { createRequire } from 'node:module';

export interface FetchedPartition {
  /** In any order. */
  abortedTransactions: readonly { readonly producerId: string; readonly firstOffset: string }[] | null;
  /** By offset. */
  readonly messages: readonly FetchedMessage[];
}

export interface FetchedMessage {
  readonly offset: string;
  readonly key: Buffer | null;
  isControlRecord: boolean;
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean };
}

interface FetchResponse {
  decode(payload: unknown): Promise<{ readonly responses: readonly { readonly partitions: FetchedPartition[] }[] }>;
}

/** Those of the protocol's versions that kafkajs speaks and that know of transactions; some share one decoder. */
const VERSIONS = [4, 5, 6, 7, 8, 9, 10, 11];
/** A control record's key: version and type, two bytes each; https://kafka.apache.org/documentation/#controlbatch. */
const ABORT = 0;

let mended = false;

/** For all clients of this process, once. @throws TypeError on a kafkajs that is built otherwise. */
export function hideAbortedRecords(): void {
  if (mended) return;
  mended = true;
  const require = createRequire(import.meta.url);
  for (const version of VERSIONS) {
    const response: FetchResponse = require(`kafkajs/src/protocol/requests/fetch/v${version}/response`);
    const { decode } = response;
    if (typeof decode !== 'function') throw new TypeError(`kafkajs has no decoder of fetches, version ${version}`);
    response.decode = async payload => {
      const decoded = await decode(payload);
      for (const { partitions } of decoded.responses) for (const partition of partitions) hideAborted(partition);
      return decoded;
    };
  }
}

/** As Kafka's own consumer does it: a transaction is entered at its first offset and left at its producer's abort marker. */
export function hideAborted(partition: FetchedPartition): void {
  const coming = [...(partition.abortedTransactions ?? [])].sort((a, b) => compare(a.firstOffset, b.firstOffset));
  const aborted = new Set<string>();
  for (const message of partition.messages) {
    const { producerId, inTransaction } = message.batchContext;
    for (let next = coming[0]; next !== undefined && compare(next.firstOffset, message.offset) <= 0; next = coming[0]) {
      aborted.add(next.producerId);
      coming.shift();
    }
    if (message.isControlRecord) {
      if (message.key?.readInt16BE(2) === ABORT) aborted.delete(producerId);
    } else if (inTransaction && aborted.has(producerId)) {
      message.isControlRecord = true;
    }
  }
  partition.abortedTransactions = [];
}

function compare(a: string, b: string): number {
  const [left, right] = [BigInt(a), BigInt(b)];
  return left < right ? -1 : Number(left > right);
}
