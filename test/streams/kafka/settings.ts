/** Settings under which a test's groups settle, and forget the dead, within seconds. */
import type { KafkaSettings } from '../../../src/streams/kafka/client.ts';

export function settingsFor(bootstrap: string, more: Partial<KafkaSettings> = {}): KafkaSettings {
  return {
    brokers: bootstrap.split(','),
    clientId: 'clinstream',
    sessionMs: 6_000,
    heartbeatMs: 1_000,
    rebalanceMs: 15_000,
    transactionMs: 15_000,
    connectMs: 10_000,
    requestMs: 15_000,
    replicationFactor: -1,
    recordBytes: 16 * 1024 * 1024,
    tls: undefined,
    sasl: undefined,
    ...more,
  };
}
