/** The measurements against something else: other versions, other programs, language models, other amounts of notes. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Io } from '../io.ts';
import {
  amount,
  type CommonOptions,
  configOf,
  positive,
  share,
  wholeNumber,
  withConfig,
  withModel,
} from '../options.ts';
import { benchCapacity, type CapacityFlags } from './capacity.ts';
import { benchCompare, type CompareOptions } from './compare.ts';
import { benchLlm, type LlmFlags } from './llm.ts';
import { RIVAL_NAMES, type RivalName } from './rivals/contenders.ts';
import { benchRivals, type RivalsOptions } from './rivals/rivals.ts';

export function registerComparisons(bench: Command, io: Io, finish: (exitCode: number) => void): void {
  registerCompare(bench, io, finish);
  registerRivals(bench, io);
  registerLlm(bench, io);
  registerCapacity(bench, io);
}

function registerLlm(bench: Command, io: Io): void {
  withModel(withConfig(bench.command('llm')))
    .description(
      'The same notes by clinstream and by language models: s/note, $/note, and F1 where there is gold; published figures beside them.',
    )
    .option(
      '--teacher <NAME>',
      'ask this teacher of the configuration, or a published one, live; may be repeated',
      listed,
      [],
    )
    .option('--simulated', 'ask an emulated provider too: its time is compared with nothing')
    .option('--rounds <N>', 'how often clinstream reads all notes, on a fresh log each', positive, 3)
    .option('--times <N>', 'how often each note stands in a round', positive, 12)
    .option(
      '--notes <N>',
      'at most so many different notes, for everybody (default: all)',
      positive,
      Number.POSITIVE_INFINITY,
    )
    .option(
      '--gold <FILE>',
      'notes of your own, {id, split, text, entities: [{start, end, type}]} (default: dev notes of this project)',
    )
    .addOption(new Option('--split <SPLIT>', 'of --gold').choices(['train', 'dev', 'test']).default('test'))
    .option('--labelled-by <WHO>', 'who made the labels of --gold')
    .option('--deidentified <HOW>', 'how the notes of --gold were de-identified')
    .option('--max-usd <USD>', 'ask a teacher nothing that may cost more in this run', amount, 1)
    .option('--machine-usd-per-hour <USD>', 'what your machine costs (default: a dated list price)', amount)
    .option('--write', 'write benchmarks/results/llm.json and llm.md')
    .action(
      (options: CommonOptions & Omit<LlmFlags, 'simulated' | 'write'> & { simulated?: boolean; write?: boolean }) =>
        benchLlm(
          configOf(options, io),
          { ...options, simulated: options.simulated === true, write: options.write === true },
          io,
        ),
    );
}

function registerCapacity(bench: Command, io: Io): void {
  withConfig(bench.command('capacity'))
    .description(
      'Processes, partitions, brokers and cost for so many notes a day, from committed results, and a simulation.',
    )
    .option(
      '--results <DIR>',
      'folder of pipeline.json, kafka.json, llm.json, chaos.json and, where there is one, load-kafka.json or load.json',
    )
    .option('--notes-per-day <N>', 'may be repeated (default: 1, 100 and 1000 million)', listedNumbers)
    .option('--utilisation <SHARE>', 'of saturation, in the busiest hour (default: 0.5)', share)
    .option('--profile <FILE>', "a JSON list of a day's 24 hours, of any scale")
    .option('--simulated-notes <N>', 'at most so many notes a scenario; of more, a slice', positive, 9_000_000)
    .option('--seed <N>', 'of the simulation', wholeNumber, 1)
    .option('--machine-usd-per-hour <USD>', 'what your machine costs (default: a dated list price)', amount)
    .option('--write', 'write benchmarks/CAPACITY.md and benchmarks/results/capacity.json')
    .action((options: CommonOptions & Omit<CapacityFlags, 'write'> & { write?: boolean }) =>
      benchCapacity(configOf(options, io), { ...options, write: options.write === true }, io),
    );
}

function listed(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

function listedNumbers(value: string, before: readonly number[] = []): number[] {
  return [...before, positive(value)];
}

function registerCompare(bench: Command, io: Io, finish: (exitCode: number) => void): void {
  bench
    .command('compare')
    .description(
      'Two commits or two configurations in turns: speed, CPU, memory and start of B over A, and whether both find the same.',
    )
    .argument('<A>', COMPARED)
    .argument('<B>', 'the same')
    .option('--rounds <N>', 'how often they take turns, after one turn of each that is not counted', positive, 6)
    .option('--notes <N>', 'notes of one turn, each line as often as needed (default: all)', positive)
    .option('--input <FILE>', "notes as JSON Lines, as 'produce' takes them (default: the demo notes)")
    .option('--write [DIR]', 'write compare-A-B.json and .md there (default: benchmarks/results)')
    .action(async (A: string, B: string, options: CompareOptions) => finish(await benchCompare({ A, B }, options, io)));
}

const COMPARED =
  'a commit by any name that git knows, FILE.json (this checkout so configured), COMMIT:FILE.json (with that file of this machine), or . (this checkout)';

function registerRivals(bench: Command, io: Io): void {
  withConfig(bench.command('rivals'))
    .description(
      'The same model as others would serve it, on the CPU: notes/s of clinstream over theirs, and whether all find the same. Makes a Python environment and a folder for transformers.js in the cache.',
    )
    .option('--model <DIR>', 'folder of the model that serves')
    .option(
      '--kafka <BROKERS>',
      'transformers.js in a plain kafkajs consumer, against clinstream on Kafka; brokers without TLS and SASL, and a registry',
    )
    .option('--rounds <N>', 'how often all take turns; 0 only makes what they need', wholeNumber, 7)
    .option('--notes <N>', 'notes of one turn', positive, 131)
    .addOption(
      new Option('--workload <NAME>', 'demo notes as they are, or joined to some 800 tokens')
        .choices(['notes', 'reports'])
        .default('reports'),
    )
    .option('--rivals <NAMES>', `of ${RIVAL_NAMES.join(',')}`, rivalNames, RIVAL_NAMES)
    .option('--write', 'write benchmarks/results/rivals.json')
    .action((options: CommonOptions & Omit<RivalsOptions, 'write'> & { write?: boolean }) =>
      benchRivals(configOf(options, io), { ...options, write: options.write === true }, io),
    );
}

function rivalNames(text: string): readonly RivalName[] {
  const names = text.split(',');
  const wrong = names.find(name => !RIVAL_NAMES.some(known => known === name));
  if (wrong !== undefined) throw new InvalidArgumentError(`${wrong} is none of ${RIVAL_NAMES.join(', ')}`);
  return RIVAL_NAMES.filter(name => names.includes(name));
}
