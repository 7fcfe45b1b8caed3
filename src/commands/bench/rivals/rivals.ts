/**
 * `bench rivals`: the same model, the same notes, the same cores, as others would serve it. All contenders take turns in one run, in an
 * order that favours none; what each found is compared with what clinstream found.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { isBusy } from '../../../benchmark/provenance.ts';
import { turnOrder } from '../../../benchmark/turn-order.ts';
import { repeated } from '../../../benchmark/workloads.ts';
import type { Config } from '../../../config.ts';
import { loadServing } from '../../../model/store.ts';
import { cacheDirectory } from '../../cache.ts';
import { DEMO_NOTES } from '../../demo.ts';
import { type Io, report, write } from '../../io.ts';
import { onInterrupt, orInterrupted } from '../../signals.ts';
import { notesToOffer } from '../load/measure.ts';
import { tokenCounter } from '../load/token-count.ts';
import { originOf, writeResults } from '../results.ts';
import { type Contender, openField, type RivalName } from './contenders.ts';
import { comparisonOf, sentence } from './report.ts';
import { RivalError } from './rival-error.ts';
import type { Turn } from './script.ts';

export interface RivalsOptions {
  /** 0 only makes what the rivals need. */
  readonly rounds: number;
  readonly notes: number;
  readonly workload: 'notes' | 'reports';
  readonly rivals: readonly RivalName[];
  readonly write: boolean;
  /** Of the minute before the start; default: this machine's. */
  readonly loadAverage?: number;
}

type Round = Readonly<Record<string, Turn>>;

/** @throws Interrupted; RivalError, those of its environment and MACHINE_BUSY: what was measured beside others' work is not written. */
export async function benchRivals(given: Config, options: RivalsOptions, io: Io): Promise<void> {
  const { loadAverage = loadavg()[0] ?? 0 } = options;
  if (options.rounds > 0 && isBusy(loadAverage, availableParallelism())) {
    if (options.write)
      throw new RivalError('MACHINE_BUSY', `${busy(loadAverage)}: nothing was measured`, { retryable: true });
    await report(io, `bench rivals: ${busy(loadAverage)}`);
  }
  const config: Config = { ...given, inference: { ...given.inference, device: 'cpu' } };
  const { workers, threadsPerWorker } = config.inference;
  const threads = workers * threadsPerWorker;
  // the rivals have no privacy gate, and a refused note costs nothing
  const notes = repeated(await notesToOffer(), options.notes, options.workload);
  const model = loadServing(config.model);
  const origin = originOf(
    given,
    argumentsOf(options, config),
    config.transport === 'kafka' ? 'broker on the same machine' : undefined,
  );
  const tokens = await tokenCounter(model)(notes);
  const directory = mkdtempSync(join(tmpdir(), 'clinstream-rivals-'));
  const interrupt = onInterrupt();
  try {
    const file = join(directory, 'notes.jsonl');
    writeFileSync(file, notes.map(({ noteId, text }) => `${JSON.stringify({ id: noteId, text })}\n`).join(''));
    const field = await openField(
      { config, rivals: options.rivals, notes, file, threads, interrupted: interrupt.signal },
      {
        cache: cacheDirectory(io.env),
        model,
        notes: DEMO_NOTES,
        progress: line => void io.stderr.write(`${line}\n`),
      },
      io,
    );
    if (options.rounds === 0) return;
    const rounds = await takeRounds(field.contenders, options.rounds, notes.length, io);
    const comparisons = field.contenders.map(each => comparisonOf(each, rounds, notes.length));
    for (const each of comparisons) await write(io.stdout, sentence(each));
    if (!options.write) return;
    const result = {
      ...origin,
      loadAverage,
      threads,
      settings: config.inference,
      notesPerTurn: notes.length,
      meanTokens: tokens / notes.length,
      checkpointParity: field.parity,
      contenders: comparisons,
      rounds: rounds.map(round => speeds(round, notes.length)),
    };
    await writeResults('rivals', config, { json: result }, io);
  } catch (error) {
    throw orInterrupted(error, interrupt.signal);
  } finally {
    interrupt.dispose();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function takeRounds(contenders: readonly Contender[], count: number, notes: number, io: Io): Promise<Round[]> {
  const rounds: Round[] = [];
  for (const order of turnOrder(contenders, count)) {
    const turns: Record<string, Turn> = {};
    for (const { name, turn } of order) turns[name] = await turn();
    rounds.push(turns);
    const told = contenders.map(({ name }) => `${name} ${speeds(turns, notes)[name]?.toFixed(1)}`).join(', ');
    await write(io.stdout, `round ${rounds.length}, notes/s: ${told}\n`);
  }
  return rounds;
}

function speeds(round: Round, notes: number): Record<string, number> {
  return Object.fromEntries(Object.entries(round).map(([name, { seconds }]) => [name, notes / seconds]));
}

/** Threads that share an operator wait for each other, those of PyTorch spinning; sessions of their own do not. */
function busy(loadAverage: number): string {
  return `others work on this machine, or did a minute ago (load ${loadAverage.toFixed(1)}), which slows some rivals many times; measure on a quiet one`;
}

function argumentsOf({ rounds, notes, workload, rivals }: RivalsOptions, config: Config): string {
  const kafka = config.transport === 'kafka' ? ' --kafka HOST:PORT' : '';
  return `rivals --rounds ${rounds} --notes ${notes} --workload ${workload} --rivals ${rivals.join(',')}${kafka}`;
}
