/** `bench`: measurements. */
import { type Command, InvalidArgumentError } from 'commander';
import { ConfigError } from '../config.ts';
import { benchBatching } from './bench/batching.ts';
import { benchFallback } from './bench/fallback.ts';
import { benchKafka } from './bench/kafka.ts';
import { registerLoads } from './bench/load/register.ts';
import { benchPipeline } from './bench/pipeline.ts';
import { registerComparisons } from './bench/register-comparisons.ts';
import type { Io } from './io.ts';
import {
  type CommonOptions,
  configOf,
  positive,
  share,
  wholeNumber,
  withConfig,
  withKafka,
  withModel,
} from './options.ts';

export function registerBench(program: Command, io: Io, finish: (exitCode: number) => void): void {
  const bench = program.command('bench').description('Measurements; the menu when none is named.');
  bench.action(() => bench.outputHelp());
  registerLoads(bench, io);
  registerPipeline(bench, io);
  registerBatching(bench, io);
  registerFallback(bench, io);
  registerKafka(bench, io);
  registerComparisons(bench, io, finish);
}

function registerPipeline(bench: Command, io: Io): void {
  withModel(withConfig(bench.command('pipeline')))
    .description(
      'Tokens/s of the whole pipeline over those of the bare ONNX session on the same batches; memory over many notes.',
    )
    .option('--rounds <N>', 'how often the two take turns', positive, 3)
    .option('--notes <N>', 'notes of one round', positive, 264)
    .option('--memory-notes <N>', 'short notes of the memory run', positive, 20_000)
    .option('--write', 'write benchmarks/results/pipeline.json')
    .action((options: CommonOptions & { rounds: number; notes: number; memoryNotes: number; write?: boolean }) =>
      benchPipeline(configOf(options, io), { ...options, write: options.write === true }, io),
    );
}

function registerBatching(bench: Command, io: Io): void {
  withModel(withConfig(bench.command('batching')))
    .description('What sharing a batch is worth on this machine, and how many entities it changes.')
    .option('--notes <N>', 'demo notes, and ten lines for each', positive, 264)
    .option('--write', 'write benchmarks/results/batching.json')
    .action((options: CommonOptions & { notes: number; write?: boolean }) =>
      benchBatching(configOf(options, io), { notes: options.notes, write: options.write === true }, io),
    );
}

function registerFallback(bench: Command, io: Io): void {
  withModel(withConfig(bench.command('fallback')))
    .description(
      'What escalating costs the tagger, in notes/s: while providers answer, while they hang for ever, with no escalator, and without.',
    )
    .option('--rounds <N>', 'how often the four take turns', positive, 5)
    .option('--notes <N>', 'demo notes of one turn', positive, 264)
    .option('--rate <SHARE>', 'escalate so large a share of notes for each task', shareOfSome, 0.2)
    .option('--request-ms <MS>', 'when a request that hangs is ended', wholeNumber, 2_000)
    .option('--write', 'write benchmarks/results/fallback.json')
    .action(
      (options: CommonOptions & { rounds: number; notes: number; rate: number; requestMs: number; write?: boolean }) =>
        benchFallback(configOf(options, io), { ...options, write: options.write === true }, io),
    );
}

function shareOfSome(text: string): number {
  const value = share(text);
  if (value === 0) throw new InvalidArgumentError('a share above 0 is needed: escalating is what is measured');
  return value;
}

function registerKafka(bench: Command, io: Io): void {
  withModel(withKafka(withConfig(bench.command('kafka'))))
    .description(
      'What exactly-once on a broker costs: notes/s and records/s over those of the embedded log and of plain kafkajs.',
    )
    .option('--rounds <N>', 'how often they take turns', positive, 3)
    .option('--notes <N>', 'notes of one round with the real tagger', positive, 528)
    .option('--records <N>', 'records of one round that only copies', positive, 10_000)
    .option('--write', 'write benchmarks/results/kafka.json')
    .action((options: CommonOptions & { rounds: number; notes: number; records: number; write?: boolean }) => {
      if (options.kafka === undefined)
        throw new ConfigError('CONFIG_INVALID', 'bench kafka needs a cluster: name its brokers with --kafka');
      return benchKafka(configOf(options, io), { ...options, write: options.write === true }, io);
    });
}
