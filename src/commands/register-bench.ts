/** `bench`: measurements. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { ConfigError } from '../config.ts';
import { benchBatching } from './bench/batching.ts';
import { benchCompare, type CompareOptions } from './bench/compare.ts';
import { benchFallback } from './bench/fallback.ts';
import { benchKafka } from './bench/kafka.ts';
import { benchScenarios, type ScenariosOptions } from './bench/load/all-scenarios.ts';
import { benchLoad, type LoadOptions } from './bench/load/load.ts';
import { benchReplicas } from './bench/load/replicas.ts';
import { benchScaling } from './bench/load/scaling.ts';
import { SCENARIOS, type Scenario } from './bench/load/scenarios.ts';
import { benchPipeline } from './bench/pipeline.ts';
import type { Io } from './io.ts';
import { amount, type CommonOptions, configOf, share, wholeNumber, withConfig, withLog, withModel } from './options.ts';

export function registerBench(program: Command, io: Io, finish: (exitCode: number) => void): void {
  const bench = program.command('bench').description('Measurements, each a ratio within one run.');
  registerLoad(bench, io);
  registerScenarios(bench, io);
  registerScaling(bench, io);
  registerReplicas(bench, io);
  registerPipeline(bench, io);
  registerBatching(bench, io);
  registerFallback(bench, io);
  registerKafka(bench, io);
  registerCompare(bench, io, finish);
}

function registerLoad(bench: Command, io: Io): void {
  withModel(withLog(withConfig(bench.command('load'))))
    .description('Latency against load of the program as it runs, open loop, until more arrives than it can carry.')
    .addOption(
      new Option('--scenario <NAME>', 'what arrives').choices(SCENARIOS.map(each => each.name)).default('notes'),
    )
    .option('--shares <LIST>', 'loads, as shares of the most that it carries', shares, SWEEP)
    .option('--seconds <N>', 'of one load', wholeNumber, 30)
    .option('--backlog-scale <X>', 'fewer notes, or more, to find the most that it carries', amount, 1)
    .option('--seed <N>', 'of arrivals', wholeNumber, 1)
    .option('--write', 'write benchmarks/results/load.{json,md,svg}')
    .action((options: CommonOptions & Omit<LoadOptions, 'write'> & { scenario: string; write?: boolean }) => {
      const config = configOf(options, io);
      const { transport } = config;
      const scenario = { ...scenarioOf(options.scenario, options), transport };
      return benchLoad(config, scenario, { ...options, write: options.write === true }, io);
    });
}

function registerScenarios(bench: Command, io: Io): void {
  withModel(withLog(withConfig(bench.command('scenarios'))))
    .description(`${SCENARIOS.length} scenarios, each at its most and at a share of it; the one on Kafka with --kafka.`)
    .argument('[NAME...]', `some of ${SCENARIOS.map(each => each.name).join(', ')}`)
    .option('--share <X>', 'of the most that a scenario carries', share, 0.5)
    .option('--seconds <N>', 'of each load', wholeNumber, 30)
    .option('--away <SECONDS>', 'of the catch-up; 0 leaves it out', wholeNumber, 120)
    .option('--backlog-scale <X>', 'fewer notes, or more, to find the most that it carries', amount, 1)
    .option('--seed <N>', 'of arrivals', wholeNumber, 1)
    .option('--write', 'write benchmarks/results/scenarios.{json,md}')
    .action((names: string[], options: CommonOptions & ScenarioFlags) => {
      const wanted = names.length === 0 ? reachable(options) : names.map(name => scenarioOf(name, options));
      const { away: awaySeconds, write } = options;
      return benchScenarios(configOf(options, io), wanted, { ...options, awaySeconds, write: write === true }, io);
    });
}

interface ScenarioFlags extends Omit<ScenariosOptions, 'awaySeconds' | 'write'> {
  readonly away: number;
  readonly write?: boolean;
}

const SWEEP = [0.1, 0.25, 0.5, 0.7, 0.8, 0.9, 1, 1.1];

function shares(text: string): number[] {
  const all = text.split(',').map(amount);
  if (all.some(each => each === 0)) throw new InvalidArgumentError('a load of 0 measures nothing');
  return all;
}

/** Those that need a cluster are left out where none is named. */
function reachable({ kafka }: CommonOptions): readonly Scenario[] {
  return SCENARIOS.filter(({ transport }) => transport === 'embedded' || kafka !== undefined);
}

/** @throws ConfigError */
function scenarioOf(name: string, { kafka }: CommonOptions): Scenario {
  const scenario = SCENARIOS.find(each => each.name === name);
  if (scenario === undefined) {
    const known = SCENARIOS.map(each => each.name).join(', ');
    throw new ConfigError('CONFIG_INVALID', `there is no scenario ${name}: name one of ${known}`);
  }
  if (scenario.transport === 'kafka' && kafka === undefined) {
    throw new ConfigError('CONFIG_INVALID', `scenario ${name} needs a cluster: name its brokers with --kafka`);
  }
  return scenario;
}

function registerScaling(bench: Command, io: Io): void {
  withModel(withConfig(bench.command('scaling')))
    .description('Whether cost is linear in tokens: 10 to 10,000 notes, and notes of 1,000 to 1,000,000 characters.')
    .option('--rounds <N>', 'how often each is measured', wholeNumber, 3)
    .option('--most <CHARACTERS>', 'leave out what has more in all', wholeNumber, 10_000_000)
    .option('--write', 'write benchmarks/results/scaling.json')
    .action((options: CommonOptions & { rounds: number; most: number; write?: boolean }) =>
      benchScaling(configOf(options, io), { ...options, write: options.write === true }, io),
    );
}

function registerReplicas(bench: Command, io: Io): void {
  withModel(withLog(withConfig(bench.command('replicas'))))
    .description('What a second process is worth, each on a core of its own; needs --kafka and taskset.')
    .option('--rounds <N>', 'how often they take turns', wholeNumber, 3)
    .option('--notes <N>', 'notes of one turn', wholeNumber, 300)
    .option('--write', 'write benchmarks/results/replicas.json')
    .action((options: CommonOptions & { rounds: number; notes: number; write?: boolean }) => {
      if (options.kafka === undefined)
        throw new ConfigError(
          'CONFIG_INVALID',
          'several processes share a group on a cluster only: name its brokers with --kafka',
        );
      return benchReplicas(configOf(options, io), { ...options, write: options.write === true }, io);
    });
}

function registerPipeline(bench: Command, io: Io): void {
  withModel(withConfig(bench.command('pipeline')))
    .description(
      'Tokens/s of the whole pipeline over those of the bare ONNX session on the same batches; memory over many notes.',
    )
    .option('--rounds <N>', 'how often the two take turns', wholeNumber, 3)
    .option('--notes <N>', 'notes of one round', wholeNumber, 264)
    .option('--memory-notes <N>', 'short notes of the memory run', wholeNumber, 20_000)
    .option('--write', 'write benchmarks/results/pipeline.json')
    .action((options: CommonOptions & { rounds: number; notes: number; memoryNotes: number; write?: boolean }) =>
      benchPipeline(configOf(options, io), { ...options, write: options.write === true }, io),
    );
}

function registerBatching(bench: Command, io: Io): void {
  withModel(withConfig(bench.command('batching')))
    .description('What sharing a batch is worth on this machine, and how many entities it changes.')
    .option('--notes <N>', 'demo notes, and ten lines for each', wholeNumber, 264)
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
    .option('--rounds <N>', 'how often the four take turns', wholeNumber, 5)
    .option('--notes <N>', 'demo notes of one turn', wholeNumber, 264)
    .option('--rate <SHARE>', 'escalate so large a share of notes for each task', share, 0.2)
    .option('--request-ms <MS>', 'when a request that hangs is ended', wholeNumber, 2_000)
    .option('--write', 'write benchmarks/results/fallback.json')
    .action(
      (options: CommonOptions & { rounds: number; notes: number; rate: number; requestMs: number; write?: boolean }) =>
        benchFallback(configOf(options, io), { ...options, write: options.write === true }, io),
    );
}

function registerKafka(bench: Command, io: Io): void {
  withModel(withLog(withConfig(bench.command('kafka'))))
    .description(
      'What exactly-once on a broker costs: notes/s and records/s over those of the embedded log and of plain kafkajs.',
    )
    .option('--rounds <N>', 'how often they take turns', wholeNumber, 3)
    .option('--notes <N>', 'notes of one round with the real tagger', wholeNumber, 528)
    .option('--records <N>', 'records of one round that only copies', wholeNumber, 10_000)
    .option('--write', 'write benchmarks/results/kafka.json')
    .action((options: CommonOptions & { rounds: number; notes: number; records: number; write?: boolean }) =>
      benchKafka(configOf(options, io), { ...options, write: options.write === true }, io),
    );
}

function registerCompare(bench: Command, io: Io, finish: (exitCode: number) => void): void {
  bench
    .command('compare')
    .description(
      'Two commits or two configurations in turns: speed, CPU, memory and start of B over A, and whether both find the same.',
    )
    .argument('<A>', COMPARED)
    .argument('<B>', 'the same')
    .option('--rounds <N>', 'how often they take turns, after one turn of each that is not counted', wholeNumber, 6)
    .option('--notes <N>', 'notes of one turn, each line as often as needed (default: all)', wholeNumber)
    .option('--input <FILE>', "notes as JSON Lines, as 'produce' takes them (default: the demo notes)")
    .option('--write [DIR]', 'write compare-A-B.json and .md there (default: benchmarks/results)')
    .action(async (A: string, B: string, options: CompareOptions) => finish(await benchCompare({ A, B }, options, io)));
}

const COMPARED =
  'a commit by any name that git knows, FILE.json (this checkout so configured), COMMIT:FILE.json (with that file of this machine), or . (this checkout)';
