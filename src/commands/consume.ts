/** `consume`: any topic as JSON Lines. It belongs to no group and moves no offset. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Config } from '../config.ts';
import type { StreamRecord } from '../core/record.ts';
import { headersToJson, type ValueToJson } from '../events/to-json.ts';
import { type Io, write } from './io.ts';
import { openCodecs, openTransport } from './open-transport.ts';
import { Interrupted, onInterrupt } from './signals.ts';

/** A file takes every row at once, and a signal is heard between turns of the event loop only. */
const ROWS_A_TURN = 100;

/** @throws Interrupted when a signal came before the end that was to be reached. */
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
    let rows = 0;
    for await (const record of transport.read(topic, { from, untilEnd, signal: interrupt.signal })) {
      await write(io.stdout, `${JSON.stringify(await rowOf(record, toJson))}\n`);
      if (++rows % ROWS_A_TURN === 0) await nextTurn();
    }
    if (untilEnd && interrupt.signal.aborted) throw new Interrupted();
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
