/** One Kafka client a process: addresses, TLS, SASL, and the settings that every producer, consumer and admin of ours shares. */
import type { ConnectionOptions } from 'node:tls';
import { Kafka, type KafkaConfig, logLevel, type SASLOptions } from 'kafkajs';
import { hideAbortedRecords } from './aborted-transactions.ts';
import { learnCompression } from './compression.ts';
import { Connections } from './socket.ts';

export interface KafkaSettings {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly sessionMs: number;
  readonly heartbeatMs: number;
  readonly rebalanceMs: number;
  readonly transactionMs: number;
  readonly connectMs: number;
  readonly requestMs: number;
  /** -1 is the cluster's default. */
  readonly replicationFactor: number;
  /** max.message.bytes of topics that are made here. */
  readonly recordBytes: number;
  readonly tls: ConnectionOptions | undefined;
  readonly sasl: SASLOptions | undefined;
}

/** Waits between a client's own attempts; what lasts longer is for those who call it. */
const RETRY = { initialRetryTime: 50, maxRetryTime: 1000, retries: 5 };

/** A client whose connections can be closed, also those that kafkajs has forgotten. */
export class KafkaClient extends Kafka {
  readonly #connections: Connections;

  constructor(config: KafkaConfig, connections: Connections) {
    super({ ...config, socketFactory: connections.factory });
    this.#connections = connections;
  }

  /** After its producers, consumers and admins were. */
  closeConnections(): void {
    this.#connections.close();
  }
}

export function createKafka(
  settings: KafkaSettings,
  log: Pick<KafkaConfig, 'logLevel' | 'logCreator'> = {},
): KafkaClient {
  hideAbortedRecords();
  learnCompression();
  const { brokers, connectMs, requestMs, rebalanceMs } = settings;
  let asked = 0;
  const config: KafkaConfig = {
    // one at a time, and each time the next: else every new client would begin with the first of the list, though that one may hang
    brokers: () => [brokers[asked++ % brokers.length] as string],
    clientId: settings.clientId,
    connectionTimeout: connectMs,
    authenticationTimeout: connectMs,
    requestTimeout: requestMs,
    retry: RETRY,
    ...(settings.tls === undefined ? {} : { ssl: settings.tls }),
    ...(settings.sasl === undefined ? {} : { sasl: settings.sasl }),
    // what happens is told as facts; its own log would say it again, in other words
    logLevel: logLevel.NOTHING,
    ...log,
  };
  const patience = { firstMs: connectMs, answerMs: requestMs, joinMs: requestMs + rebalanceMs };
  return new KafkaClient(config, new Connections(patience));
}
