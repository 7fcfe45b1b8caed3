/** The commands that touch no stream: models, their training, their doubts and measurements. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { unobserved } from '../core/facts.ts';
import { benchBatching } from './bench/batching.ts';
import { benchFallback } from './bench/fallback.ts';
import { benchKafka } from './bench/kafka.ts';
import { benchPipeline } from './bench/pipeline.ts';
import { distillEvaluate, distillTrain, type TrainOptions } from './distill.ts';
import { type AnnotateFlags, distillAnnotate } from './distill-annotate.ts';
import { distillDoubt } from './distill-doubt.ts';
import { distillPrompts, type PromptsFlags } from './distill-prompts.ts';
import { distillSelect, type SelectOptions } from './distill-select.ts';
import { distillShadow, type ShadowFlags } from './distill-shadow.ts';
import type { Io } from './io.ts';
import { listAllModels, verifyModel } from './models.ts';
import { type CommonOptions, configOf, wholeNumber, withConfig, withLog, withModel, withQuiet } from './options.ts';
import { BUILT_IN } from './prompt-run.ts';
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

export function registerDistill(program: Command, io: Io, finish: (exitCode: number) => void): void {
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
  withConfig(distill.command('annotate'))
    .description(
      "Teachers' labels on a corpus: DIR/NAME.jsonl for each. Replies are kept in DIR/state, so that nothing is paid for twice.",
    )
    .requiredOption('--corpus <DIR>', 'documents')
    .requiredOption('--file <FILE>', 'of the corpus directory, such as gold/maccrobat.jsonl')
    .addOption(new Option('--split <SPLIT>', 'which documents').choices(['train', 'dev', 'test']).default('dev'))
    .requiredOption('--teacher <NAME...>', 'of escalation.teachers, or `dictionary`')
    .option('--task <TASK...>', 'what to ask about', ['medication', 'disease', 'symptom'])
    .requiredOption('--out <DIR>', 'labels, kept replies, audit trail')
    .option(
      '--max-usd <USD>',
      'what each teacher may cost in DIR, over all runs; no document is begun that may cost more than is left',
      amount,
      0,
    )
    .option('--deidentified <HOW>', 'how the documents were de-identified: needed where they are sent somewhere')
    .option('--guidelines <FILE>', "a text with guidelines for language models, instead of the teacher's own")
    .option('--quiet', 'no progress')
    .action(async (options: CommonOptions & AnnotateFlags) =>
      finish(await distillAnnotate(configOf(options, io), options, io)),
    );
  withModel(withConfig(distill.command('evaluate')))
    .description(
      "Measures a model on the corpus directory's dev and test splits; writes metrics.json and MODEL_CARD.md beside it.",
    )
    .requiredOption('--corpus <DIR>', 'annotated documents')
    .action((options: CommonOptions & { corpus: string }) => distillEvaluate(configOf(options, io), options, io));
  withModel(withConfig(distill.command('doubt')))
    .description(
      'Which score tells best, on dev notes, where the tagger is wrong, and what F1 remains at each escalation rate.',
    )
    .requiredOption('--corpus <DIR>', 'annotated documents')
    .option(
      '--write',
      "write benchmarks/results/risk-coverage.json and .md, and routing.json beside the model's manifest",
    )
    .action((options: CommonOptions & { corpus: string; write?: boolean }) =>
      distillDoubt(configOf(options, io), { corpus: options.corpus, write: options.write === true }, io),
    );
  withModel(withConfig(distill.command('select')))
    .description(
      "Which teachers' labels, taken together and how, are best for each task on gold notes, and which do for less.",
    )
    .requiredOption('--corpus <DIR>', 'annotated documents')
    .requiredOption('--file <FILE>', 'the gold file in it, such as gold/maccrobat.jsonl')
    .addOption(new Option('--split <SPLIT>', 'of the gold file').choices(['train', 'dev', 'test']).default('dev'))
    .requiredOption('--task <TASK=TYPES>', 'a task and its gold types, separated by commas; repeatable', named(types))
    .requiredOption('--annotator <NAME=FILE>', 'a teacher and its labels, typed by task; repeatable', named(String))
    .option('--cost <NAME=NUMBER>', 'what a teacher costs a note, in one unit for all; repeatable', named(amount))
    .option('--covered', 'score only the documents that all teachers have')
    .option('--json <FILE>', 'write every candidate and where the figures come from')
    .action((options: CommonOptions & SelectOptions) => distillSelect(configOf(options, io), options, io));
  withModel(withConfig(distill.command('prompts')))
    .description(
      "Versions of a teacher's prompt on gold notes: what each is worth and costs, a run folder each. Replies are kept in DIR/state, so that nothing is paid for twice.",
    )
    .requiredOption('--corpus <DIR>', 'annotated documents')
    .requiredOption('--file <FILE>', 'the gold file in it, such as gold/maccrobat.jsonl')
    .addOption(new Option('--split <SPLIT>', 'of the gold file').choices(['train', 'dev', 'test']).default('dev'))
    .requiredOption('--task <TASK=TYPES>', 'a task and its gold types, separated by commas; repeatable', named(types))
    .requiredOption('--teacher <NAME>', 'a language model of escalation.teachers')
    .requiredOption(
      '--prompt <NAME=FILE>',
      'a version and its guidelines; `built-in` is the built-in one; repeatable',
      prompt,
    )
    .requiredOption('--out <DIR>', 'a folder a version, the comparison, kept replies, audit trail')
    .option(
      '--max-usd <USD>',
      'what all versions may cost in DIR, over all runs; no document is begun that may cost more than is left',
      amount,
      0,
    )
    .option('--deidentified <HOW>', 'how the documents were de-identified: needed, since they are sent somewhere')
    .option('--quiet', 'no progress')
    .action(async (options: CommonOptions & PromptsFlags) =>
      finish(await distillPrompts(configOf(options, io), options, io)),
    );
  withQuiet(withModel(withLog(withConfig(distill.command('shadow')))))
    .description(
      'A candidate model reads live notes beside the serving one, in a group of its own, and publishes nothing: where the two differ. Ends on SIGTERM; run again, it goes on in the same report.',
    )
    .requiredOption('--candidate <DIR>', 'folder of the model that may be promoted')
    .option('--report <FILE>', 'where the report stands (default: .clinstream/shadow/SERVING-CANDIDATE.json)')
    .option('--for <SECONDS>', 'end after so long', positive)
    .option('--max-notes <N>', 'end once the report has so many notes, refused ones included', positive)
    .option('--until-drained', 'end when everything that stands in the topic is read')
    .option('--from-beginning', 'begin at the oldest note instead of with the next one')
    .option('--every <N>', 'notes between two tables on standard error', positive, 500)
    .option('--listed <N>', 'how many of the most different notes are listed, by id', wholeNumber, 20)
    .option('--metrics-port <PORT>', 'serve /healthz, /readyz and /metrics (0: any free port)', wholeNumber)
    .action((options: CommonOptions & ShadowFlags & { metricsPort?: number }) =>
      distillShadow(configOf(options, io, { 'telemetry.port': options.metricsPort }), options, io),
    );
}

/** NAME=FILE, or `built-in`, which has none. */
function prompt(text: string, before: ReadonlyMap<string, string | undefined> = new Map()) {
  if (text.startsWith(`${BUILT_IN}=`)) throw new InvalidArgumentError('built-in has no file');
  if (text !== BUILT_IN) return named<string | undefined>(String)(text, before);
  if (before.has(text)) throw new InvalidArgumentError(`${text} stands there twice`);
  return new Map([...before, [text, undefined]]);
}

function positive(text: string): number {
  const value = wholeNumber(text);
  if (value === 0) throw new InvalidArgumentError('at least 1 is needed');
  return value;
}

/** NAME=VALUE, once for each name, in the order given. */
function named<T>(read: (text: string) => T): (text: string, before?: ReadonlyMap<string, T>) => Map<string, T> {
  return (text, before = new Map()) => {
    const [, name, value] = /^([\w.-]+)=(.+)$/s.exec(text) ?? [];
    if (name === undefined || value === undefined)
      throw new InvalidArgumentError('NAME=VALUE is needed, the name of letters, digits, dots, _ and -');
    if (before.has(name)) throw new InvalidArgumentError(`${name} stands there twice`);
    return new Map([...before, [name, read(value)]]);
  };
}

function types(text: string): string[] {
  const all = text.split(',');
  if (all.includes('')) throw new InvalidArgumentError('a type is empty');
  return all;
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

function amount(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && Number.isFinite(value)))
    throw new InvalidArgumentError('a number from 0 is needed');
  return value;
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value < 1)) throw new InvalidArgumentError('a share from 0 to 1 is needed');
  return value;
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
