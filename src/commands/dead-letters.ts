/** `dead-letters list` and `dead-letters replay`: what was refused and why, and back to where it came from. */
import type { Config } from '../config.ts';
import type { StreamRecord } from '../core/record.ts';
import { type DeadLetterReason, deadLetterReason, replay } from '../events/dead-letter.ts';
import type { Transport } from '../streams/transport.ts';
import { type Io, write } from './io.ts';
import { openTransport } from './open-transport.ts';

export interface DeadLetterFilter {
  readonly code?: string;
  /** `partition:offset` on the dead-letter topic. */
  readonly at?: string;
}

/** Where each one stands, why, and where it came from; never its content. */
export async function listDeadLetters(config: Config, filter: DeadLetterFilter, io: Io): Promise<void> {
  const transport = await openTransport(config, { create: false, now: io.now });
  try {
    for await (const { record, reason } of deadLetters(transport, config, filter)) {
      const row = {
        at: placeOf(record),
        timestamp: new Date(record.timestamp).toISOString(),
        ...reason,
        offset: Number(reason.offset),
        bytes: record.value?.length ?? 0,
      };
      await write(io.stdout, `${JSON.stringify(row)}\n`);
    }
  } finally {
    await transport.close();
  }
}

/**
 * Appends the chosen ones to the topics they came from, all or none; they stay in the dead-letter topic as history, so a second
 * replay sends them a second time. @returns how many were sent.
 */
export async function replayDeadLetters(config: Config, filter: DeadLetterFilter, io: Io): Promise<number> {
  const transport = await openTransport(config, { create: false, now: io.now });
  try {
    const outgoing = [];
    for await (const { record } of deadLetters(transport, config, filter)) {
      const back = replay(record);
      if (back !== undefined) outgoing.push(back);
    }
    await transport.append(outgoing);
    await write(io.stdout, `${outgoing.length} replayed\n`);
    return outgoing.length;
  } finally {
    await transport.close();
  }
}

async function* deadLetters(
  transport: Transport,
  config: Config,
  filter: DeadLetterFilter,
): AsyncIterable<{ record: StreamRecord; reason: DeadLetterReason }> {
  for await (const record of transport.read(config.topics.deadLetters, { from: 'beginning', untilEnd: true })) {
    const reason = deadLetterReason(record);
    if (reason === undefined) continue;
    if (filter.code !== undefined && reason.code !== filter.code) continue;
    if (filter.at !== undefined && placeOf(record) !== filter.at) continue;
    yield { record, reason };
  }
}

function placeOf({ partition, offset }: StreamRecord): string {
  return `${partition}:${offset}`;
}
