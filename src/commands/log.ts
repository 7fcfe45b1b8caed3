/** The embedded log that the configuration names, and the topics that a role needs on it. */
import type { Config } from '../config.ts';
import { EmbeddedTransport } from '../streams/embedded/embedded-transport.ts';
import type { Retention, Transport } from '../streams/transport.ts';

export const KEEP_FOREVER: Retention = { ms: null, bytes: null };

/** @throws StreamError LOG_MISSING unless `create`. */
export function openLog(config: Config, options: { create: boolean; now: () => number }): EmbeddedTransport {
  return new EmbeddedTransport({ directory: config.data, ...options });
}

/** Makes those of the configured topics that are not there. @returns the names of those made. */
export async function ensureTopics(transport: Transport, { topics }: Config): Promise<string[]> {
  const known = new Set((await transport.topics()).map(each => each.topic));
  const missing = [topics.notes, topics.entities, topics.deadLetters].filter(topic => !known.has(topic));
  for (const topic of missing)
    await transport.createTopic(topic, { partitions: topics.partitions, retention: KEEP_FOREVER });
  return missing;
}
