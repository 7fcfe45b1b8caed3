/**
 * `bench pipeline`: how much of the bare session's speed the whole pipeline keeps, in one run, in turns; and whether memory stays
 * flat while 20,000 notes pass.
 */
import type { Origin } from '../../benchmark/provenance.ts';
import { repeated } from '../../benchmark/workloads.ts';
import { type Config, ConfigError } from '../../config.ts';
import { median } from '../../evaluation/median.ts';
import { readDemoNotes } from '../demo.ts';
import { type Io, write } from '../io.ts';
import { runBare } from './bare-session.ts';
import { type EmbeddedRun, runEmbedded } from './embedded-run.ts';
import { type MemoryResult, measureMemory } from './memory.ts';
import { originOf, writeResults } from './results.ts';

interface Round {
  readonly pipelineTokensPerSecond: number;
  readonly bareTokensPerSecond: number;
  readonly ratio: number;
}

export interface PipelineResult extends Origin {
  readonly settings: Config['inference'];
  readonly notesPerRound: number;
  readonly paddedTokensPerRound: number;
  readonly paddedShare: number;
  readonly rounds: readonly Round[];
  readonly medianRatio: number;
  readonly memory: MemoryResult;
}

/** @throws ConfigError where a device is asked for: the bare session runs on the processor. */
export async function benchPipeline(
  given: Config,
  options: { rounds: number; notes: number; memoryNotes: number; write: boolean },
  io: Io,
): Promise<void> {
  const { device } = given.inference;
  if (device !== 'auto' && device !== 'cpu') {
    const why = 'the bare session to compare with runs on the processor';
    throw new ConfigError(
      'CONFIG_INVALID',
      `bench pipeline: inference.device (--device) is ${device}, and ${why}: say cpu`,
    );
  }
  const config: Config = { ...given, inference: { ...given.inference, device: 'cpu' } };
  const origin = originOf(
    given,
    `pipeline --rounds ${options.rounds} --notes ${options.notes} --memory-notes ${options.memoryNotes}`,
  );
  const notes = repeated(await readDemoNotes(), options.notes);
  const rounds: Round[] = [];
  let last: EmbeddedRun | undefined;
  for (let round = 1; round <= options.rounds; round++) {
    last = await runEmbedded(config, notes, io);
    const bare = await runBare(last.session, last.workers, last.batches);
    const pipelineTokensPerSecond = last.paddedTokens / last.seconds;
    const bareTokensPerSecond = last.paddedTokens / bare;
    const ratio = pipelineTokensPerSecond / bareTokensPerSecond;
    rounds.push({ pipelineTokensPerSecond, bareTokensPerSecond, ratio });
    await write(
      io.stdout,
      `round ${round}: pipeline ${Math.round(pipelineTokensPerSecond)} tokens/s, bare session ${Math.round(bareTokensPerSecond)} tokens/s, ratio ${ratio.toFixed(3)}\n`,
    );
  }
  const memory = await measureMemory(config, await readDemoNotes(), options.memoryNotes, io);
  const result: PipelineResult = {
    ...origin,
    settings: config.inference,
    notesPerRound: options.notes,
    paddedTokensPerRound: last?.paddedTokens ?? 0,
    paddedShare: 1 - (last?.tokens ?? 0) / (last?.paddedTokens ?? 1),
    rounds,
    medianRatio: median(rounds.map(each => each.ratio)),
    memory,
  };
  await write(io.stdout, summary(result));
  if (!options.write) return;
  await writeResults('pipeline', config, { json: result }, io);
}

function summary({ medianRatio, memory, paddedShare, machine }: PipelineResult): string {
  const mb = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;
  return [
    `pipeline / bare session: ${medianRatio.toFixed(3)} (median), ${(100 * paddedShare).toFixed(1)} % padding`,
    `memory over ${memory.notes} notes, by tenths: ${memory.tenthsBytes.map(mb).join(', ')}; peak ${mb(memory.peakBytes)}`,
    `on ${machine}`,
    '',
  ].join('\n');
}
