/** The commands that touch no stream: models, routes and measurements. */
import { type Command, Option } from 'commander';
import { unobserved } from '../core/facts.ts';
import { benchBatching } from './bench/batching.ts';
import { benchFallback } from './bench/fallback.ts';
import { benchKafka } from './bench/kafka.ts';
import { benchPipeline } from './bench/pipeline.ts';
import type { Io } from './io.ts';
import { listAllModels, verifyModel } from './models.ts';
import { type CommonOptions, configOf, share, wholeNumber, withConfig, withLog, withModel } from './options.ts';
import { explainRoute } from './route.ts';
import { serveModel } from './serve-model.ts';
import type { InputFormat } from './tag-input.ts';

export function registerModels(program: Command, io: Io): void {
  const models = program.command('models').description('Models that come with this installation.');
  withModel(withConfig(models.command('list')))
    .description('Name, version, manifest hash and tasks.')
    .action((options: CommonOptions) => listAllModels(configOf(options, io), io));
  withModel(withConfig(models.command('verify')))
    .description("Every file's hash, and the model's own check on this machine.")
    .action((options: CommonOptions) => verifyModel(configOf(options, io), io));
}

export function registerRoute(program: Command, io: Io, finish: (exitCode: number) => void): void {
  const route = program.command('route').description('Which tasks of which notes the tagger is unsure of.');
  withModel(withConfig(route.command('explain')))
    .description('For each task of a note: its doubt, the threshold, and the words that the doubt comes from.')
    .argument('[NOTE...]', "notes: plain text, or JSON Lines {id, text} in *.jsonl; '-' is standard input", ['-'])
    .option(
      '--rate <SHARE>',
      'escalate so large a share of notes for each task, 0 for none (default: by escalation.tasks; 0.1 where there are none)',
      share,
    )
    .option('--spans <N>', 'places shown a task', wholeNumber, 5)
    .option('--json', 'one JSON row a note')
    .addOption(new Option('--input <FORMAT>', 'what the files hold').choices(['auto', 'text', 'jsonl']).default('auto'))
    .action(async (paths: string[], options: CommonOptions & ExplainFlags) => {
      const config = configOf(options, io);
      const serving = await serveModel(config, unobserved);
      try {
        const configured = config.escalation.tasks;
        const byConfiguration = options.rate === undefined && Object.keys(configured).length > 0;
        const rate = options.rate ?? 0.1;
        const rules = byConfiguration
          ? configured
          : Object.fromEntries(serving.tasks.map(task => [task, { rate, teachers: [] }]));
        const { spans, input } = options;
        finish(await explainRoute(serving, { paths, input, rules, spans, json: options.json === true }, io));
      } finally {
        await serving.stop();
      }
    });
}

interface ExplainFlags {
  readonly rate?: number;
  readonly spans: number;
  readonly json?: boolean;
  readonly input: InputFormat;
}

export function registerBench(program: Command, io: Io): void {
  const bench = program.command('bench').description('Measurements, each a ratio within one run.');
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
  withModel(withConfig(bench.command('batching')))
    .description('What sharing a batch is worth on this machine, and how many entities it changes.')
    .option('--notes <N>', 'demo notes, and ten lines for each', wholeNumber, 264)
    .option('--write', 'write benchmarks/results/batching.json')
    .action((options: CommonOptions & { notes: number; write?: boolean }) =>
      benchBatching(configOf(options, io), { notes: options.notes, write: options.write === true }, io),
    );
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
