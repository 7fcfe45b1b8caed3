/** A transport for one measurement, with topics and a group of its own, gone afterwards. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../config.ts';
import type { Fact } from '../../core/facts.ts';
import type { StreamRecord } from '../../core/record.ts';
import type { EventCodecs } from '../../events/codecs.ts';
import { createKafka } from '../../streams/kafka/client.ts';
import type { Transport } from '../../streams/transport.ts';
import type { Io } from '../io.ts';
import { kafkaSettings } from '../kafka-settings.ts';
import { ensureTopics, openCodecs, openTransport } from '../open-transport.ts';

export interface Place {
  readonly config: Config;
  readonly transport: Transport;
  readonly codecs: EventCodecs;
}

/** The first such fact comes when a group is joined; on Kafka before anything is taken over, where plain consumers start their clocks. */
export function isJoined({ kind }: Fact): boolean {
  return kind === 'partition.phase' || kind === 'partition.assigned';
}

/** Everything that stands in a topic. */
export async function allOf(transport: Pick<Transport, 'read'>, topic: string): Promise<StreamRecord[]> {
  const records: StreamRecord[] = [];
  for await (const record of transport.read(topic, { from: 'beginning', untilEnd: true })) records.push(record);
  return records;
}

/** A fresh embedded log. */
export async function embedded<T>(
  config: Config,
  io: Pick<Io, 'now'>,
  measure: (place: Place) => Promise<T>,
): Promise<T> {
  const data = mkdtempSync(join(tmpdir(), 'clinstream-bench-'));
  try {
    return await at({ ...config, transport: 'embedded', data }, io, measure);
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
}

/** Fresh topics on the cluster that the configuration names. */
export async function onKafka<T>(
  config: Config,
  io: Pick<Io, 'now'>,
  measure: (place: Place) => Promise<T>,
): Promise<T> {
  const scope = `bench-${randomUUID()}`;
  const { partitions, ...names } = config.topics;
  const scoped = Object.fromEntries(Object.entries(names).map(([name, topic]) => [name, `${scope}.${topic}`]));
  const own: Config = {
    ...config,
    topics: { partitions, ...(scoped as typeof names) },
    stream: { ...config.stream, group: scope },
    registry: { ...config.registry, autoRegister: true },
  };
  const admin = createKafka(kafkaSettings(own)).admin();
  try {
    return await at(own, io, measure);
  } finally {
    await admin.connect();
    await admin.deleteTopics({ topics: Object.values(scoped) });
    await admin.disconnect();
  }
}

async function at<T>(config: Config, io: Pick<Io, 'now'>, measure: (place: Place) => Promise<T>): Promise<T> {
  const transport = await openTransport(config, { create: true, now: io.now });
  try {
    await ensureTopics(transport, config);
    return await measure({ config, transport, codecs: await openCodecs(config, io.now, { toTag: true }) });
  } finally {
    await transport.close();
  }
}
