/**
 * What kafkajs threw, as a code that a person and a supervisor can act on. kafkajs wraps causes, sometimes several times over, so
 * the first error of the chain that says something is the one to tell. Messages name brokers, topics and groups, never content.
 */
import { StreamError } from '../stream-error.ts';

type Code = StreamError['code'];

const FENCED =
  'another worker owns the partition by now, or the transaction outlasted kafka.transactionMs; nothing of this batch was written';

/** Errors of the protocol by name, https://kafka.apache.org/protocol#protocol_error_codes. */
const BY_TYPE: Readonly<Record<string, readonly [code: Code, advice: string]>> = {
  TOPIC_AUTHORIZATION_FAILED: ['TOPIC_DENIED', 'an ACL on the topic is missing (Read, Write or Describe)'],
  GROUP_AUTHORIZATION_FAILED: ['GROUP_DENIED', 'an ACL on the group is missing (Read)'],
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: [
    'TRANSACTIONAL_ID_DENIED',
    "an ACL on the transactional id is missing (Write and Describe, prefixed with the group's name and a colon)",
  ],
  CLUSTER_AUTHORIZATION_FAILED: ['CLUSTER_DENIED', 'an ACL on the cluster is missing'],
  SASL_AUTHENTICATION_FAILED: ['AUTHENTICATION_FAILED', 'check kafka.sasl: user name, password or token'],
  ILLEGAL_SASL_STATE: ['AUTHENTICATION_FAILED', 'the broker expects another kafka.sasl.mechanism'],
  UNSUPPORTED_SASL_MECHANISM: ['AUTHENTICATION_FAILED', 'the broker does not know this kafka.sasl.mechanism'],
  UNKNOWN_TOPIC_OR_PARTITION: ['TOPIC_UNKNOWN', "'clinstream topics create' makes topics"],
  INVALID_TOPIC_EXCEPTION: [
    'TOPIC_INVALID',
    'a topic name has 1 to 249 letters, digits, dots, hyphens and underscores',
  ],
  INVALID_PARTITIONS: ['TOPIC_INVALID', 'the number of partitions is not possible here'],
  INVALID_REPLICATION_FACTOR: ['TOPIC_INVALID', 'kafka.replicationFactor needs as many brokers'],
  TOPIC_ALREADY_EXISTS: ['TOPIC_EXISTS', 'choose another name'],
  MESSAGE_TOO_LARGE: [
    'RECORD_TOO_LARGE',
    "raise the topic's max.message.bytes to that of the topic it came from and 64 kB more; to that of its largest record where producers compress, since clinstream does not",
  ],
  RECORD_LIST_TOO_LARGE: ['RECORD_TOO_LARGE', "raise the topic's segment.bytes, or lower stream.transactionBytes"],
  INVALID_TRANSACTION_TIMEOUT: [
    'SETTING_REFUSED',
    "lower kafka.transactionMs to at most the brokers' transaction.max.timeout.ms",
  ],
  INVALID_SESSION_TIMEOUT: [
    'SETTING_REFUSED',
    "set kafka.sessionMs between the brokers' group.min.session.timeout.ms and group.max.session.timeout.ms",
  ],
  INCONSISTENT_GROUP_PROTOCOL: [
    'GROUP_FOREIGN',
    'another kind of program is a member of the group; stop it, or give it another group',
  ],
  // the broker says the same of a transaction that it ended because it had taken longer than kafka.transactionMs
  INVALID_PRODUCER_EPOCH: ['GROUP_FENCED', FENCED],
  PRODUCER_FENCED: ['GROUP_FENCED', FENCED],
};

const UNTRUSTED = /SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)|CERT_|ERR_TLS|ERR_SSL|certificate/i;
const INTERRUPTED =
  /closed connection|timed out|timeout|connection (error|closed|timeout)|ECONN|EPIPE|gave no token|fetch failed/i;

/** These say that nothing will change until a person changes something; the process must not go on as if. */
const FATAL: ReadonlySet<string> = new Set<Code>([
  'TOPIC_DENIED',
  'GROUP_DENIED',
  'TRANSACTIONAL_ID_DENIED',
  'CLUSTER_DENIED',
  'AUTHENTICATION_FAILED',
  'BROKER_UNTRUSTED',
  'TOPIC_UNKNOWN',
  'PARTITION_UNKNOWN',
  'TOPIC_INVALID',
  'RECORD_TOO_LARGE',
  'OFFSET_OUT_OF_RANGE',
  'COMPRESSION_UNSUPPORTED',
  'SETTING_REFUSED',
  'GROUP_FOREIGN',
]);

export function isFatal(error: StreamError): boolean {
  return FATAL.has(error.code);
}

/** The brokers know nothing of this producer any more (transactional.id.expiration.ms, producer.id.expiration.ms). */
export function isForgotten(error: unknown): boolean {
  return causes(error).some(({ type }) => type === 'INVALID_PRODUCER_ID_MAPPING' || type === 'UNKNOWN_PRODUCER_ID');
}

/** A partition has no leader at this moment, or another than was asked. */
export function isLeaderless(error: unknown): boolean {
  return causes(error).some(({ type }) => type === 'NOT_LEADER_FOR_PARTITION' || type === 'LEADER_NOT_AVAILABLE');
}

/** kafkajs's word for every reason why a coordinator is not known; see coordinator.ts. */
export function isCoordinatorMissing(error: unknown): boolean {
  return causes(error).some(({ name }) => name === 'KafkaJSGroupCoordinatorNotFound');
}

interface Thrown {
  readonly name?: string;
  readonly message?: string;
  readonly type?: string;
  readonly code?: string | number;
  readonly retriable?: boolean;
  readonly errors?: readonly unknown[];
  readonly cause?: unknown;
}

/** @param doing what was tried, such as `cannot read clinical.notes`. */
export function toStreamError(error: unknown, doing: string): StreamError {
  if (error instanceof StreamError) return error;
  const chain = causes(error);
  for (const { type } of chain) {
    const known = type === undefined ? undefined : BY_TYPE[type];
    if (known !== undefined) return make(known[0], `${doing}: ${known[1]} (${type})`, false);
  }
  const compression = compressionOf(chain);
  if (compression !== undefined) {
    return make(
      'COMPRESSION_UNSUPPORTED',
      `${doing}: records are compressed with ${compression}, which clinstream cannot read; let their producer, or the topic, have compression.type gzip or zstd, and write these records anew`,
      false,
    );
  }
  const names = chain.map(each => each.name ?? '');
  const texts = chain.map(each => `${each.code ?? ''} ${each.message ?? ''}`).join(' ');
  if (names.includes('KafkaJSConnectionError') && UNTRUSTED.test(texts)) {
    return make('BROKER_UNTRUSTED', `${doing}: the broker's certificate is not trusted; check kafka.tls.caFile`, false);
  }
  // kafkajs calls everything that goes wrong during SASL an authentication error, and drops what caused it
  const sasl = names.some(name => name.startsWith('KafkaJSSASL'));
  if (sasl && INTERRUPTED.test(texts)) {
    return make('BROKER_UNREACHABLE', `${doing}: the connection ended while authenticating`, true);
  }
  if (sasl) {
    return make('AUTHENTICATION_FAILED', `${doing}: the broker refused to authenticate; check kafka.sasl`, false);
  }
  const UNREACHABLE = /^KafkaJS(Connection|RequestTimeout|BrokerNotFound|NoBrokerAvailable|ConnectionClosed)/;
  if (names.some(name => UNREACHABLE.test(name))) {
    return make('BROKER_UNREACHABLE', `${doing}: no broker answers; check kafka.brokers and kafka.tls.enabled`, true);
  }
  const what = chain.map(each => each.type ?? each.name).find(each => each !== undefined) ?? 'unknown';
  return make('BROKER_FAILED', `${doing}: the broker answered ${what}`, true);

  function make(code: Code, message: string, retryable: boolean): StreamError {
    return new StreamError(code, message, { retryable, cause: error });
  }
}

/** The compression that kafkajs has no codec for, if that is what it says. */
function compressionOf(chain: readonly Thrown[]): string | undefined {
  const missing = chain.find(({ name }) => name === 'KafkaJSNotImplemented');
  return missing?.message?.match(/^(\w+) compression/)?.[1];
}

/** The error, what it gathers and what it says caused it, outermost first. */
function causes(error: unknown): Thrown[] {
  const found: Thrown[] = [];
  const look = (each: unknown): void => {
    if (typeof each !== 'object' || each === null || found.includes(each) || found.length > 20) return;
    const thrown = each as Thrown;
    found.push(thrown);
    for (const inner of thrown.errors ?? []) look(inner);
    look(thrown.cause);
  };
  look(error);
  return found;
}
