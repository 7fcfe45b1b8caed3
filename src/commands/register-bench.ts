/** `bench`: measurements. */
import { type Command, Option } from 'commander';
import { benchBatching } from './bench/batching.ts';
import { benchCapacity, type CapacityFlags } from './bench/capacity.ts';
import { benchCompare, type CompareOptions } from './bench/compare.ts';
import { benchFallback } from './bench/fallback.ts';
import { benchKafka } from './bench/kafka.ts';
import { benchLlm, type LlmFlags } from './bench/llm.ts';
import { registerLoads } from './bench/load/register.ts';
import { benchPipeline } from './bench/pipeline.ts';
import type { Io } from './io.ts';
import {
  amount,
  type CommonOptions,
  configOf,
  positive,
  share,
  wholeNumber,
  withConfig,
  withLog,
  withModel,
} from './options.ts';

export function registerBench(program: Command, io: Io, finish: (exitCode: number) => void): void {
  const bench = program.command('bench').description('Measurements, each a ratio within one run.');
  registerLoads(bench, io);
  registerPipeline(bench, io);
  registerBatching(bench, io);
  registerFallback(bench, io);
  registerKafka(bench, io);
  registerLlm(bench, io);
  registerCapacity(bench, io);
  registerCompare(bench, io, finish);
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
      'folder of pipeline.json, kafka.json, llm.json, chaos.json and, where there is one, load.json',
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
    .option('--rounds <N>', 'how often they take turns, after one turn of each that is not counted', wholeNumber, 6)
    .option('--notes <N>', 'notes of one turn, each line as often as needed (default: all)', wholeNumber)
    .option('--input <FILE>', "notes as JSON Lines, as 'produce' takes them (default: the demo notes)")
    .option('--write [DIR]', 'write compare-A-B.json and .md there (default: benchmarks/results)')
    .action(async (A: string, B: string, options: CompareOptions) => finish(await benchCompare({ A, B }, options, io)));
}

const COMPARED =
  'a commit by any name that git knows, FILE.json (this checkout so configured), COMMIT:FILE.json (with that file of this machine), or . (this checkout)';
