/** The measurements that offer a load to the program as it runs. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { ConfigError } from '../../../config.ts';
import type { Io } from '../../io.ts';
import {
  amount,
  type CommonOptions,
  configOf,
  positive,
  wholeNumber,
  withConfig,
  withKafka,
  withModel,
} from '../../options.ts';
import { benchScenarios, type ScenariosOptions } from './all-scenarios.ts';
import { benchLoad, type LoadOptions } from './load.ts';
import { benchReplicas } from './replicas.ts';
import { benchScaling } from './scaling.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';

export function registerLoads(bench: Command, io: Io): void {
  registerLoad(bench, io);
  registerScenarios(bench, io);
  registerScaling(bench, io);
  registerReplicas(bench, io);
}

function registerLoad(bench: Command, io: Io): void {
  withModel(withKafka(withConfig(bench.command('load'))))
    .description('Latency against load of the program as it runs, open loop, until more arrives than it can carry.')
    .addOption(
      new Option('--scenario <NAME>', 'what arrives').choices(SCENARIOS.map(each => each.name)).default('notes'),
    )
    .option('--shares <LIST>', 'loads, as shares of the most that it carries', shares, SWEEP)
    .option('--seconds <N>', 'of one load', positive, 30)
    .option('--backlog-scale <X>', 'fewer notes, or more, to find the most that it carries', amount, 1)
    .option('--seed <N>', 'of arrivals', wholeNumber, 1)
    .option(
      '--write',
      'write benchmarks/results/load.{json,md,svg}, and of one load alone held.{json,md,svg}; load-kafka of what is on Kafka',
    )
    .action((options: CommonOptions & Omit<LoadOptions, 'write'> & { scenario: string; write?: boolean }) => {
      const config = configOf(options, io);
      const { transport } = config;
      const scenario = { ...scenarioOf(options.scenario, options), transport };
      return benchLoad(config, scenario, { ...options, write: options.write === true }, io);
    });
}

function registerScenarios(bench: Command, io: Io): void {
  withModel(withKafka(withConfig(bench.command('scenarios'))))
    .description(`${SCENARIOS.length} scenarios, each at its most and at a share of it; the one on Kafka with --kafka.`)
    .argument('[NAME...]', `some of ${SCENARIOS.map(each => each.name).join(', ')}`)
    .option('--share <X>', 'of the most that a scenario carries', load, 0.5)
    .option('--seconds <N>', 'of each load', positive, 30)
    .option('--away <SECONDS>', 'of the catch-up; 0 leaves it out (default: 120 where notes is measured)', wholeNumber)
    .option('--away-share <X>', 'of the most that the program carries, arrives in the catch-up', load, 0.5)
    .option('--backlog-scale <X>', 'fewer notes, or more, to find the most that it carries', amount, 1)
    .option('--seed <N>', 'of arrivals', wholeNumber, 1)
    .option('--write', 'write benchmarks/results/scenarios.{json,md}')
    .action((names: string[], options: CommonOptions & ScenarioFlags) => {
      const wanted = names.length === 0 ? reachable(options) : names.map(name => scenarioOf(name, options));
      const { away, write } = options;
      const more = { ...(away === undefined ? {} : { awaySeconds: away }), write: write === true };
      return benchScenarios(configOf(options, io), wanted, { ...options, ...more }, io);
    });
}

interface ScenarioFlags extends Omit<ScenariosOptions, 'awaySeconds' | 'write'> {
  readonly away?: number;
  readonly write?: boolean;
}

const SWEEP = [0.1, 0.25, 0.5, 0.7, 0.8, 0.9, 1, 1.1];

function load(text: string): number {
  const value = amount(text);
  if (value === 0) throw new InvalidArgumentError('a load of 0 measures nothing');
  return value;
}

const shares = (text: string): number[] => text.split(',').map(load);

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
    .option('--rounds <N>', 'how often each is measured', positive, 3)
    .option('--most <CHARACTERS>', 'leave out what has more in all', wholeNumber, 10_000_000)
    .option('--write', 'write benchmarks/results/scaling.json')
    .action((options: CommonOptions & { rounds: number; most: number; write?: boolean }) =>
      benchScaling(configOf(options, io), { ...options, write: options.write === true }, io),
    );
}

function registerReplicas(bench: Command, io: Io): void {
  withModel(withKafka(withConfig(bench.command('replicas'))))
    .description('What a second process is worth, each on a core of its own; needs --kafka and taskset.')
    .option('--rounds <N>', 'how often they take turns', positive, 3)
    .option('--notes <N>', 'notes of one turn', positive, 300)
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
