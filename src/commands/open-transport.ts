/** The transport that the configuration names, its codecs, and the topics that a role needs on it. */
import type { Config } from '../config.ts';
import { confluentCodecs, type EventCodecs, singleObjectCodecs } from '../events/codecs.ts';
import { valueSubject } from '../events/confluent.ts';
import { ENTITIES_SCHEMA, ESCALATION_SCHEMA, REVIEW_SCHEMA } from '../events/schemas.ts';
import { EmbeddedTransport } from '../streams/embedded/embedded-transport.ts';
import type { Retention, Transport } from '../streams/transport.ts';
import { kafkaSettings } from './kafka-settings.ts';
import { openRegistry } from './registry-settings.ts';

const KEEP_FOREVER: Retention = { ms: null, bytes: null };
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
 * @param toEscalate asks for those of escalations and reviews.
 * @throws RegistryError SCHEMA_NOT_REGISTERED and its like, when `toTag` or `toEscalate`.
 */
export async function openCodecs(
  config: Config,
  now: () => number,
  { toTag = false, toEscalate = false }: { toTag?: boolean; toEscalate?: boolean } = {},
): Promise<EventCodecs> {
  const { noteBytes } = config.limits;
  if (config.transport === 'embedded') return singleObjectCodecs({ noteBytes });
  const registry = openRegistry(config, now);
  if (toTag) await registry.idOf(valueSubject(config.topics.entities), ENTITIES_SCHEMA);
  if (toEscalate) {
    await registry.idOf(valueSubject(config.topics.escalations), ESCALATION_SCHEMA);
    await registry.idOf(valueSubject(config.topics.review), REVIEW_SCHEMA);
  }
  return confluentCodecs({ registry, noteBytes });
}

/** Makes those of the configured topics that are not there. @returns the names of those made. */
export async function ensureTopics(
  transport: Transport,
  config: Config,
  retention: Retention = KEEP_FOREVER,
): Promise<string[]> {
  const known = new Set((await transport.topics()).map(each => each.topic));
  const { notes, entities, deadLetters, escalations, review } = config.topics;
  const missing = [notes, entities, deadLetters, escalations, review].filter(topic => !known.has(topic));
  for (const topic of missing) await makeTopic(transport, config, topic, retention);
  return missing;
}

/** With the configured partitions, and room for what a dead letter has more than its record. @throws StreamError TOPIC_EXISTS */
export async function makeTopic(
  transport: Transport,
  { topics: { deadLetters, partitions } }: Config,
  topic: string,
  retention: Retention,
): Promise<void> {
  const spareBytes = topic === deadLetters ? DEAD_LETTER_BYTES : 0;
  await transport.createTopic(topic, { partitions, retention, spareBytes });
}
