/**
 * `bench fallback`: what escalating costs the tagger, and whether a provider that hangs costs it more than one that answers. All turns are
 * of one run, one after the other in an order that favours none; providers are emulated, and their program and the escalator have the same
 * cores as the tagger.
 */

import { turnOrder } from '../../benchmark/turn-order.ts';
import type { Config } from '../../config.ts';
import { median } from '../../evaluation/median.ts';
import { loadRouting } from '../../model/routing.ts';
import { loadServing } from '../../model/store.ts';
import { readDemoNotes } from '../demo.ts';
import { type Io, write } from '../io.ts';
import { onInterrupt, orInterrupted } from '../signals.ts';
import { BenchError } from './bench-error.ts';
import { MODES, type Mode, type Turn, type TurnOptions, takeTurn } from './fallback-turn.ts';
import { originOf, writeResults } from './results.ts';

type Round = Readonly<Record<Mode, Turn>>;

export async function benchFallback(
  config: Config,
  options: { rounds: number; notes: number; rate: number; requestMs: number; write: boolean },
  io: Io,
): Promise<void> {
  const notes = (await readDemoNotes()).slice(0, options.notes);
  const tasks = Object.keys(loadRouting(loadServing(config.model))?.tasks ?? {});
  const { rate, requestMs } = options;
  const origin = originOf(
    config,
    `fallback --rounds ${options.rounds} --notes ${options.notes} --rate ${rate} --request-ms ${requestMs}`,
    'emulated providers and escalator on the same machine',
  );
  const rounds = await takeRounds(options.rounds, { config, notes, rate, tasks, requestMs, now: io.now }, io);
  const ratio = (one: Mode, other: Mode): number =>
    median(rounds.map(each => each[one].notesPerSecond / each[other].notesPerSecond));
  const cpuRatio = (one: Mode, other: Mode): number =>
    median(rounds.map(each => each[one].taggerCpuSeconds / each[other].taggerCpuSeconds));
  const result = {
    ...origin,
    settings: config.inference,
    tasks,
    notesPerTurn: notes.length,
    escalatedShare: median(rounds.map(each => each.answering.escalated)) / notes.length,
    rounds,
    hangingOverAnswering: ratio('hanging', 'answering'),
    hangingOverAbsent: ratio('hanging', 'absent'),
    absentOverOff: ratio('absent', 'off'),
    answeringOverOff: ratio('answering', 'off'),
    hangingOverOff: ratio('hanging', 'off'),
    taggerCpu: {
      hangingOverAnswering: cpuRatio('hanging', 'answering'),
      absentOverOff: cpuRatio('absent', 'off'),
    },
  };
  await write(
    io.stdout,
    `tagger, notes/s, medians: hanging / answering ${result.hangingOverAnswering.toFixed(3)}, hanging / no escalator ${result.hangingOverAbsent.toFixed(3)}, ` +
      `no escalator / off ${result.absentOverOff.toFixed(3)}, answering / off ${result.answeringOverOff.toFixed(3)}; ` +
      `CPU of the tagger: hanging / answering ${result.taggerCpu.hangingOverAnswering.toFixed(3)}, no escalator / off ${result.taggerCpu.absentOverOff.toFixed(3)}; ` +
      `${(100 * result.escalatedShare).toFixed(0)} % of notes escalated\n`,
  );
  if (!options.write) return;
  await writeResults('fallback', config, { json: result }, io);
}

/** @throws BenchError NOTHING_ESCALATED; Interrupted: a part of the rounds says nothing. */
async function takeRounds(count: number, options: Omit<TurnOptions, 'interrupted'>, io: Io): Promise<Round[]> {
  const interrupt = onInterrupt();
  const rounds: Round[] = [];
  try {
    for (const order of turnOrder(MODES, count)) {
      const turns: Partial<Record<Mode, Turn>> = {};
      for (const mode of order) {
        const turn = await takeTurn(mode, { ...options, interrupted: interrupt.signal });
        if (mode !== 'off' && turn.escalated === 0)
          throw new BenchError(
            'NOTHING_ESCALATED',
            `none of ${options.notes.length} notes was escalated at --rate ${options.rate}: give more notes, or a higher rate`,
          );
        turns[mode] = turn;
      }
      rounds.push(turns as Round);
      const told = MODES.map(mode => sentence(mode, turns[mode] as Turn)).join('; ');
      await write(io.stdout, `round ${rounds.length}: ${told}\n`);
    }
    return rounds;
  } catch (error) {
    throw orInterrupted(error, interrupt.signal);
  } finally {
    interrupt.dispose();
  }
}

function sentence(mode: Mode, { notesPerSecond, escalated, revised, requests }: Turn): string {
  return `${mode} ${notesPerSecond.toFixed(1)} notes/s (${escalated} escalated, ${requests} requests, ${revised} revised)`;
}
