/** `consume`: any topic as JSON Lines. It belongs to no group and moves no offset. */
import type { Config } from '../config.ts';
import type { StreamRecord } from '../core/record.ts';
import { headersToJson, type ValueToJson } from '../events/to-json.ts';
import { type Io, write } from './io.ts';
import { openCodecs, openTransport } from './open-transport.ts';
import { onInterrupt } from './signals.ts';

export async function consume(
  config: Config,
  options: { topic: string; from: 'beginning' | 'end'; untilEnd: boolean },
  io: Io,
): Promise<void> {
  const transport = await openTransport(config, { create: false, now: io.now });
  const interrupt = onInterrupt();
  try {
    const { toJson } = await openCodecs(config, io.now);
    const { topic, from, untilEnd } = options;
    for await (const record of transport.read(topic, { from, untilEnd, signal: interrupt.signal })) {
      await write(io.stdout, `${JSON.stringify(await rowOf(record, toJson))}\n`);
    }
  } finally {
    interrupt.dispose();
    await transport.close();
  }
}

async function rowOf(record: StreamRecord, toJson: ValueToJson): Promise<unknown> {
  return {
    partition: record.partition,
    offset: Number(record.offset),
    timestamp: new Date(record.timestamp).toISOString(),
    key: record.key?.toString('utf8') ?? null,
    headers: headersToJson(record.headers),
    value: await toJson(record.value),
  };
}
