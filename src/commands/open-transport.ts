/** The transport that the configuration names, its codecs, and the topics that a role needs on it. */
import type { Config } from '../config.ts';
import { confluentCodecs, type EventCodecs, singleObjectCodecs } from '../events/codecs.ts';
import { valueSubject } from '../events/confluent.ts';
import { ENTITIES_SCHEMA } from '../events/schemas.ts';
import { EmbeddedTransport } from '../streams/embedded/embedded-transport.ts';
import type { Retention, Transport } from '../streams/transport.ts';
import { kafkaSettings } from './kafka-settings.ts';
import { openRegistry } from './registry-settings.ts';

export const KEEP_FOREVER: Retention = { ms: null, bytes: null };
/** What the headers of a dead letter may add to the record that it holds; generous. */
const DEAD_LETTER_BYTES = 64 * 1024;

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

/**
 * How events are written and read on that transport.
 * @param toTag asks at once whether the entities' schema is registered: better before the first note than at it.
 * @throws RegistryError SCHEMA_NOT_REGISTERED and its like, when `toTag`.
 */
export async function openCodecs(
  config: Config,
  now: () => number,
  { toTag = false }: { toTag?: boolean } = {},
): Promise<EventCodecs> {
  const { noteBytes } = config.limits;
  if (config.transport === 'embedded') return singleObjectCodecs({ noteBytes });
  const registry = openRegistry(config, now);
  if (toTag) await registry.idOf(valueSubject(config.topics.entities), ENTITIES_SCHEMA);
  return confluentCodecs({ registry, noteBytes });
}

/** Makes those of the configured topics that are not there. @returns the names of those made. */
export async function ensureTopics(transport: Transport, { topics }: Config): Promise<string[]> {
  const known = new Set((await transport.topics()).map(each => each.topic));
  const missing = [topics.notes, topics.entities, topics.deadLetters].filter(topic => !known.has(topic));
  for (const topic of missing) {
    const spareBytes = topic === topics.deadLetters ? DEAD_LETTER_BYTES : 0;
    await transport.createTopic(topic, { partitions: topics.partitions, retention: KEEP_FOREVER, spareBytes });
  }
  return missing;
}
