/**
 * `bench replicas`: what a second process is worth on a core of its own: one process on one core, two on a core each, and one with two
 * sessions on both cores, in turns, on one cluster. Broker and client have the same machine, and their share of it is in the ratio.
 */

import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { sourceOf } from '../../../benchmark/workloads.ts';
import { type Config, ConfigError } from '../../../config.ts';
import { median } from '../../../evaluation/median.ts';
import { type Io, write } from '../../io.ts';
import { currentCommit, thisMachine } from '../../provenance.ts';
import { onKafka } from '../place.ts';
import { writeResults } from '../results.ts';
import { whileLive } from './live.ts';
import { notesToOffer } from './measure.ts';
import { lastOf } from './watch.ts';

type Turn = 'one' | 'two' | 'wide';
type Turns = Readonly<Record<Turn, { readonly cores: readonly string[]; readonly workers: number }>>;

const QUIET_MS = 60_000;
/** A group with a new member settles within this time. */
const SETTLE_MS = 10_000;

export async function benchReplicas(
  config: Config,
  options: { rounds: number; notes: number; write: boolean },
  io: Io,
): Promise<void> {
  const [first, second] = cores();
  const turns: Turns = {
    one: { cores: [first], workers: 1 },
    two: { cores: [first, second], workers: 1 },
    wide: { cores: [`${first},${second}`], workers: 2 },
  };
  const rounds: Record<Turn, number>[] = [];
  for (let round = 1; round <= options.rounds; round++) {
    const rates: Partial<Record<Turn, number>> = {};
    for (const [turn, of] of Object.entries(turns)) rates[turn as Turn] = await rateOf(of, config, options.notes, io);
    rounds.push(rates as Record<Turn, number>);
    const told = Object.entries(rates).map(([turn, rate]) => `${turn} ${rate.toFixed(1)} notes/s`);
    await write(io.stderr, `round ${round}: ${told.join(', ')}\n`);
  }
  const ratio = (of: Turn): number => median(rounds.map(each => each[of] / each.one));
  const result = {
    command: `npm run bench -- replicas --rounds ${options.rounds} --notes ${options.notes}`,
    commit: currentCommit(),
    machine: `${thisMachine()}; broker and client on the same cores`,
    turns,
    rounds,
    twoProcessesOverOne: ratio('two'),
    twoSessionsOverOne: ratio('wide'),
  };
  await write(
    io.stdout,
    `on twice the cores: two processes ${result.twoProcessesOverOne.toFixed(2)} times one, one process with two sessions ${result.twoSessionsOverOne.toFixed(2)} times (medians)\n`,
  );
  if (options.write) await writeResults('replicas', { json: result }, io);
}

/** Notes a second, from when they are appended to the last event. */
async function rateOf({ cores, workers }: Turns[Turn], config: Config, count: number, io: Io): Promise<number> {
  const next = sourceOf('notes', await notesToOffer(), Math.random);
  const notes = Array.from({ length: count }, next);
  const own = { ...config, inference: { ...config.inference, workers, threadsPerWorker: 1 } };
  return onKafka(own, io, place =>
    whileLive({ place, backlog: [], escalated: 0, tasks: [], cores, now: io.now }, async ({ watch, append }) => {
      await sleep(SETTLE_MS);
      const began = performance.now();
      await append(notes);
      const last = await lastOf(watch, notes, QUIET_MS);
      return (1000 * count) / (last - began);
    }),
  );
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
