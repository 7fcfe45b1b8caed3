/** How the chaos run waits: for commits of the group, for appends while a broker is away, and never for ever. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Transport } from '../../src/streams/transport.ts';

export const PATIENCE_MS = 120_000;

/** Offsets that the group has not committed, markers included; unknown counts as much. */
export async function lag(transport: Transport, group: string): Promise<number> {
  const lags = await transport.lags().catch(() => undefined);
  const mine = lags?.filter(each => each.group === group) ?? [];
  return mine.length === 0 ? Number.MAX_SAFE_INTEGER : mine.reduce((sum, each) => sum + Number(each.lag), 0);
}

/** Whether the group commits something within a moment. */
export async function progress(transport: Transport, group: string): Promise<boolean> {
  const before = await committed(transport, group);
  for (let i = 0; i < 20; i++) {
    await sleep(50);
    if ((await committed(transport, group)) > before) return true;
  }
  return false;
}

/** Offsets that the group has committed, over all partitions. */
async function committed(transport: Transport, group: string): Promise<number> {
  const [topics, open] = [await transport.topics().catch(() => []), await lag(transport, group)];
  const ends = topics.flatMap(each => (each.topic === 'clinical.notes' ? each.partitions : []));
  return ends.reduce((sum, { high }) => sum + Number(high), 0) - open;
}

export async function until(what: string, holds: () => Promise<boolean>, patienceMs = PATIENCE_MS): Promise<void> {
  for (const deadline = Date.now() + patienceMs; !(await holds()); await sleep(100)) {
    if (Date.now() > deadline) throw new Error(`waited ${patienceMs} ms in vain until ${what}`);
  }
}

/** The broker may be away for a moment; all of a call is appended or none. */
export async function again(what: string, act: () => Promise<void>): Promise<void> {
  let done = false;
  await until(what, async () => {
    if (!done)
      await act()
        .then(() => (done = true))
        .catch(() => {});
    return done;
  });
}
