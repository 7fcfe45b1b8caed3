/** The commands that touch no stream: models, their training and measurements. */
import type { Command } from 'commander';
import { benchBatching } from './bench/batching.ts';
import { benchKafka } from './bench/kafka.ts';
import { benchPipeline } from './bench/pipeline.ts';
import { distillEvaluate, distillTrain, type TrainOptions } from './distill.ts';
import type { Io } from './io.ts';
import { listAllModels, verifyModel } from './models.ts';
import { type CommonOptions, configOf, wholeNumber, withConfig, withLog, withModel } from './options.ts';

export function registerModels(program: Command, io: Io): void {
  const models = program.command('models').description('Models that come with this installation.');
  withModel(withConfig(models.command('list')))
    .description('Name, version, manifest hash and tasks.')
    .action((options: CommonOptions) => listAllModels(configOf(options, io), io));
  withModel(withConfig(models.command('verify')))
    .description("Every file's hash, and the model's own check on this machine.")
    .action((options: CommonOptions) => verifyModel(configOf(options, io), io));
}

export function registerDistill(program: Command, io: Io): void {
  const distill = program.command('distill').description('Train a tagger from annotated notes, and measure one.');
  withConfig(distill.command('train'))
    .description(
      'From a corpus directory (gold/*.jsonl, teacher/notes.jsonl) to a model folder with its card; needs python3.',
    )
    .requiredOption('--corpus <DIR>', 'annotated documents')
    .requiredOption('--run <DIR>', 'checkpoints and exports; an unfinished run in it is resumed')
    .requiredOption('--out <DIR>', 'folder of the finished model')
    .option('--name <NAME>', 'name of the model', 'notes-minilm')
    .option('--model-version <VERSION>', 'version of the model', '1.0.0')
    .option('--max-steps <N>', 'stop training early: for a smoke test', wholeNumber)
    .action((options: CommonOptions & TrainOptions) => distillTrain(configOf(options, io), options, io));
  withModel(withConfig(distill.command('evaluate')))
    .description(
      "Measures a model on the corpus directory's dev and test splits; writes metrics.json and MODEL_CARD.md beside it.",
    )
    .requiredOption('--corpus <DIR>', 'annotated documents')
    .action((options: CommonOptions & { corpus: string }) => distillEvaluate(configOf(options, io), options, io));
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
  withModel(withLog(withConfig(bench.command('kafka'))))
    .description(
      'What exactly-once on a broker costs: notes/s and records/s over those of the embedded log and of plain kafkajs.',
    )
    .option('--rounds <N>', 'how often they take turns', wholeNumber, 3)
    .option('--notes <N>', 'notes of one round with the real tagger', wholeNumber, 264)
    .option('--records <N>', 'records of one round that only copies', wholeNumber, 10_000)
    .option('--write', 'write benchmarks/results/kafka.json')
    .action((options: CommonOptions & { rounds: number; notes: number; records: number; write?: boolean }) =>
      benchKafka(configOf(options, io), { ...options, write: options.write === true }, io),
    );
}
