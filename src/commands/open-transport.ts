/** The transport that the configuration names, and the topics that a role needs on it. */
import type { Config } from '../config.ts';
import { EmbeddedTransport } from '../streams/embedded/embedded-transport.ts';
import type { Retention, Transport } from '../streams/transport.ts';
import { kafkaSettings } from './kafka-settings.ts';

export const KEEP_FOREVER: Retention = { ms: null, bytes: null };

/** @throws StreamError LOG_MISSING unless `create`; BROKER_UNREACHABLE and its like. */
export async function openTransport(
  config: Config,
  { create, now }: { create: boolean; now: () => number },
): Promise<Transport> {
  if (config.transport === 'embedded') return new EmbeddedTransport({ directory: config.data, create, now });
  // loaded only where it is used: the embedded log needs none of it
  const { KafkaTransport } = await import('../streams/kafka/kafka-transport.ts');
  return KafkaTransport.open(kafkaSettings(config), now);
}

/** Makes those of the configured topics that are not there. @returns the names of those made. */
export async function ensureTopics(transport: Transport, { topics }: Config): Promise<string[]> {
  const known = new Set((await transport.topics()).map(each => each.topic));
  const missing = [topics.notes, topics.entities, topics.deadLetters].filter(topic => !known.has(topic));
  for (const topic of missing)
    await transport.createTopic(topic, { partitions: topics.partitions, retention: KEEP_FOREVER });
  return missing;
}
