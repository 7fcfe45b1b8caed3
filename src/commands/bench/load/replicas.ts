/**
 * `bench replicas`: what a second process is worth on a core of its own: one process on one core, two on a core each, and one with two
 * sessions on both cores, in turns, on one cluster. Broker and client have the same machine, and their share of it is in the ratio.
 */

import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { turnOrder } from '../../../benchmark/turn-order.ts';
import { sourceOf } from '../../../benchmark/workloads.ts';
import { type Config, ConfigError } from '../../../config.ts';
import type { Note } from '../../../core/note.ts';
import { median } from '../../../evaluation/median.ts';
import { partitionOf } from '../../../streams/partitioner.ts';
import { type Io, report, write } from '../../io.ts';
import { onKafka } from '../place.ts';
import { originOf, writeResults } from '../results.ts';
import { whileLive } from './live.ts';
import { notesToOffer } from './measure.ts';
import { lastOf } from './watch.ts';

type Turn = 'one' | 'two' | 'wide';
type Turns = Readonly<Record<Turn, { readonly cores: readonly string[]; readonly workers: number }>>;

const QUIET_MS = 60_000;
const WARM_UP = 40;
/** A group with a new member settles within this time. */
const SETTLE_MS = 10_000;

export async function benchReplicas(
  config: Config,
  options: { rounds: number; notes: number; write: boolean },
  io: Io,
): Promise<void> {
  const origin = originOf(
    config,
    `replicas --rounds ${options.rounds} --notes ${options.notes} --kafka HOST:PORT`,
    'broker and client on the same cores',
  );
  const [first, second] = cores();
  const turns: Turns = {
    one: { cores: [first], workers: 1 },
    two: { cores: [first, second], workers: 1 },
    wide: { cores: [`${first},${second}`], workers: 2 },
  };
  const rounds: Record<Turn, number>[] = [];
  const names = Object.keys(turns) as Turn[];
  for (const order of turnOrder(names, options.rounds)) {
    const rates: Partial<Record<Turn, number>> = {};
    for (const turn of order) rates[turn] = await rateOf(turns[turn], config, options.notes, io);
    rounds.push(rates as Record<Turn, number>);
    const told = names.map(turn => `${turn} ${rates[turn]?.toFixed(1)} notes/s`);
    await report(io, `round ${rounds.length}: ${told.join(', ')}`);
  }
  const ratio = (of: Turn): number => median(rounds.map(each => each[of] / each.one));
  const result = {
    ...origin,
    turns,
    rounds,
    twoProcessesOverOne: ratio('two'),
    twoSessionsOverOne: ratio('wide'),
  };
  await write(
    io.stdout,
    `on twice the cores: two processes ${result.twoProcessesOverOne.toFixed(2)} times one, one process with two sessions ${result.twoSessionsOverOne.toFixed(2)} times (medians)\n`,
  );
  if (options.write) await writeResults('replicas', config, { json: result }, io);
}

/** Notes a second, from when they are appended to the last event, after others have warmed every process. */
async function rateOf({ cores, workers }: Turns[Turn], config: Config, count: number, io: Io): Promise<number> {
  const { partitions } = config.topics;
  const all = evenly(
    Array.from({ length: WARM_UP + count }, sourceOf('notes', await notesToOffer(), Math.random)),
    partitions,
  );
  const [warm, notes] = [all.slice(0, WARM_UP), all.slice(WARM_UP)];
  const own = { ...config, inference: { ...config.inference, workers, threadsPerWorker: 1 } };
  return onKafka(own, io, place =>
    whileLive({ place, backlog: [], escalated: 0, tasks: [], cores, now: io.now }, async ({ watch, append }) => {
      await sleep(SETTLE_MS);
      await append(warm);
      await lastOf(watch, warm, QUIET_MS);
      const began = performance.now();
      await append(notes);
      const last = await lastOf(watch, notes, QUIET_MS);
      return (1000 * count) / (last - began);
    }),
  );
}

/** Each note with a patient in the partition that has least to read: what many patients make of themselves. */
export function evenly(notes: readonly Note[], partitions: number): Note[] {
  const characters = Array<number>(partitions).fill(0);
  let patient = 0;
  return notes.map(note => {
    const partition = characters.indexOf(Math.min(...characters));
    characters[partition] = (characters[partition] as number) + note.text.length;
    while (partitionOf(Buffer.from(`patient-${patient}`), partitions) !== partition) patient++;
    return { ...note, patientId: `patient-${patient++}` };
  });
}

/** Two that this process may run on. @throws ConfigError */
function cores(): [string, string] {
  const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : '';
  const allowed = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? '';
  const all = allowed.split(',').flatMap(range => {
    const [from = Number.NaN, to = from] = range.split('-').map(Number);
    return Array.from({ length: to - from + 1 || 0 }, (_, i) => String(from + i));
  });
  const [first, second] = all;
  if (first === undefined || second === undefined)
    throw new ConfigError(
      'CONFIG_INVALID',
      'bench replicas pins processes to two cores by taskset: it needs Linux and two cores',
    );
  return [first, second];
}
