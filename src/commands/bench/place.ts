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
import type { Running } from '../../streams/runner.ts';
import type { Transport } from '../../streams/transport.ts';
import { type Io, report } from '../io.ts';
import { kafkaSettings } from '../kafka-settings.ts';
import { ensureTopics, openCodecs, openTransport } from '../open-transport.ts';
import { interruption, onInterrupt } from '../signals.ts';

export interface Place {
  readonly config: Config;
  readonly transport: Transport;
  readonly codecs: EventCodecs;
  /** A measurement looks at it: what it leaves behind holds text of notes, and is taken away once it has ended. */
  readonly interrupted: AbortSignal;
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

/**
 * Until the processor has read all that waits; then it is stopped.
 * @returns when it had, `performance.now()`. @throws what ended it before, Interrupted
 */
export async function readAll({ subscription, stop, done }: Running, interrupted: AbortSignal): Promise<number> {
  let at: number;
  try {
    await Promise.race([subscription.drained(), done, interruption(interrupted)]);
    at = performance.now();
  } finally {
    await stop().catch(() => {}); // the first failure is the one to report
  }
  await done;
  return at;
}

/** For a processor that is measured in this process: when it is stopped before it has read all, nobody wants the rest. */
export function stoppedSoon(config: Config): Config {
  return { ...config, stream: { ...config.stream, drainMs: STOP_MS } };
}

const STOP_MS = 500;

/** A fresh embedded log, taken away again. */
export async function embedded<T>(
  config: Config,
  io: Pick<Io, 'now'>,
  measure: (place: Place) => Promise<T>,
): Promise<T> {
  const interrupt = onInterrupt();
  const data = mkdtempSync(join(tmpdir(), 'clinstream-bench-'));
  try {
    return await at(
      { ...config, transport: 'embedded', data },
      { now: io.now, interrupted: interrupt.signal },
      measure,
    );
  } finally {
    rmSync(data, { recursive: true, force: true });
    interrupt.dispose();
  }
}

/** Fresh topics on the cluster that the configuration names, taken away again as well as can be: a line says where they stayed. */
export async function onKafka<T>(
  config: Config,
  io: Pick<Io, 'now' | 'stderr'>,
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
  const interrupt = onInterrupt();
  try {
    return await at(own, { now: io.now, interrupted: interrupt.signal }, measure);
  } finally {
    await deleteTopics(own, Object.values(scoped)).catch((error: unknown) =>
      report(io, `the topics ${scope}.* may still stand on the cluster: ${String(error)}`),
    );
    interrupt.dispose();
  }
}

async function deleteTopics(config: Config, topics: string[]): Promise<void> {
  const admin = createKafka(kafkaSettings(config)).admin();
  await admin.connect();
  try {
    await admin.deleteTopics({ topics });
  } finally {
    await admin.disconnect();
  }
}

async function at<T>(
  config: Config,
  { now, interrupted }: Pick<Io, 'now'> & Pick<Place, 'interrupted'>,
  measure: (place: Place) => Promise<T>,
): Promise<T> {
  const transport = await openTransport(config, { create: true, now });
  try {
    await ensureTopics(transport, config);
    return await measure({ config, transport, codecs: await openCodecs(config, now, { toTag: true }), interrupted });
  } finally {
    await transport.close();
  }
}
