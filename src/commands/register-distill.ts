/** The commands of `distill`, in the order of the way: teachers, training, judging, serving. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { LEAK } from '../distill/fitting-notes.ts';
import { DEVICES, ENCODERS, LABELS, PRESETS } from '../distill/training-choices.ts';
import { type AnnotateFlags, distillAnnotate } from './distill-annotate.ts';
import { type AttachFlags, distillAttach } from './distill-attach.ts';
import { distillDoubt } from './distill-doubt.ts';
import { distillExport, type ExportFlags } from './distill-export.ts';
import { distillFuse, type FuseFlags } from './distill-fuse.ts';
import { distillPromote, distillRollback, type PromoteFlags } from './distill-promote.ts';
import { distillPrompts, type PromptsFlags } from './distill-prompts.ts';
import { distillEvaluate, type EvaluateFlags } from './distill-report.ts';
import { distillReview, type ReviewFlags } from './distill-review.ts';
import { distillSelect, type SelectOptions } from './distill-select.ts';
import { distillShadow, type ShadowFlags } from './distill-shadow.ts';
import { distillEnvironment, distillTrain, type TrainOptions } from './distill-train.ts';
import type { Io } from './io.ts';
import {
  amount,
  type CommonOptions,
  configOf,
  share,
  wholeNumber,
  withConfig,
  withLog,
  withModel,
  withModelOnCpu,
  withQuiet,
} from './options.ts';
import { BUILT_IN } from './prompt-run.ts';
import { PUBLISHED } from './published-teachers.ts';

/** @param finish takes the exit code of commands that end otherwise than well without failing. */
export function registerDistill(program: Command, io: Io, finish: (exitCode: number) => void): void {
  const distill = program
    .command('distill')
    .description(
      'From teachers and a little gold to a tagger of your own: annotate, select, train, evaluate, promote.',
    );
  registerTeaching(distill, io, finish);
  registerTraining(distill, io);
  registerJudging(distill, io);
  registerServing(distill, io);
}

function registerTeaching(distill: Command, io: Io, finish: (exitCode: number) => void): void {
  withConfig(distill.command('annotate'))
    .description(
      "Teachers' labels on a corpus: DIR/NAME.jsonl for each. Replies are kept in DIR/state, so that nothing is paid for twice.",
    )
    .requiredOption('--corpus <DIR>', 'documents')
    .requiredOption('--file <FILE>', 'of the corpus directory, such as gold/maccrobat.jsonl')
    .addOption(new Option('--split <SPLIT>', 'which documents').choices(['train', 'dev', 'test']).default('dev'))
    .option(
      '--teacher <NAME...>',
      'of escalation.teachers, or of the published method: those below, and `dictionary`',
      [...PUBLISHED],
    )
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
  withModelOnCpu(withConfig(distill.command('select')))
    .description(
      "Which teachers' labels, taken together and how, are best for each task on gold notes, and which do for less.",
    )
    .requiredOption('--corpus <DIR>', 'annotated documents')
    .requiredOption('--file <FILE>', 'the gold file in it, such as gold/maccrobat.jsonl')
    .addOption(new Option('--split <SPLIT>', 'of the gold file').choices(['train', 'dev', 'test']).default('dev'))
    .requiredOption('--task <TASK=TYPES>', 'a task and its gold types, separated by commas; repeatable', named(types))
    .option('--labels <DIR>', 'a folder of annotate: every teacher in it, and what it cost a document and task')
    .option('--annotator <NAME=FILE>', 'a teacher and its labels, typed by task; repeatable', named(String))
    .option(
      '--cost <NAME=NUMBER>',
      'what a teacher costs a note and task, in one unit: for all of them or none; repeatable',
      named(amount),
    )
    .option('--covered', 'score only the documents that all teachers have')
    .option('--json <FILE>', 'write every candidate and where the figures come from')
    .action((options: CommonOptions & SelectOptions) => distillSelect(configOf(options, io), options, io));
  withModelOnCpu(withConfig(distill.command('fuse')))
    .description(
      "The labels of the teachers that `select` chose, made into one set to train on: DIR/teacher/notes.jsonl's rows of a split.",
    )
    .requiredOption('--corpus <DIR>', 'documents')
    .requiredOption('--file <FILE>', 'of the corpus directory: the notes that the teachers labelled')
    .addOption(new Option('--split <SPLIT>', 'which documents').choices(['train', 'dev', 'test']).default('train'))
    .requiredOption('--selection <FILE>', 'what `select --json` wrote')
    .option('--labels <DIR>', 'a folder of annotate: every teacher in it')
    .option('--annotator <NAME=FILE>', 'a teacher and its labels on these documents; repeatable', named(String))
    .option('--covered', 'fuse only the documents that all chosen teachers have')
    .requiredOption('--into <DIR>', 'corpus directory to train on')
    .action((options: CommonOptions & FuseFlags) => distillFuse(configOf(options, io), options, io));
  distill
    .command('attach')
    .description(
      'Labels that were published without their notes (stand-off), joined with the notes by id and hash: more rows of DIR/teacher/notes.jsonl.',
    )
    .requiredOption('--labels <FILE>', 'JSON lines {id, split, file, sha256 of the text, entities}, gzipped or not')
    .requiredOption('--corpus <DIR>', 'where those files of notes are: rows {id, text}')
    .requiredOption('--into <DIR>', 'corpus directory to train on')
    .action((options: AttachFlags) => distillAttach(options, io));
  withModelOnCpu(withConfig(distill.command('prompts')))
    .description(
      "Versions of a teacher's prompt on gold notes: what each is worth and costs, a run folder each. Replies are kept in DIR/state, so that nothing is paid for twice.",
    )
    .requiredOption('--corpus <DIR>', 'annotated documents')
    .requiredOption('--file <FILE>', 'the gold file in it, such as gold/maccrobat.jsonl')
    .addOption(new Option('--split <SPLIT>', 'of the gold file').choices(['train', 'dev', 'test']).default('dev'))
    .requiredOption('--task <TASK=TYPES>', 'a task and its gold types, separated by commas; repeatable', named(types))
    .requiredOption(
      '--teacher <NAME>',
      'a language model of escalation.teachers, or of the published method, as for annotate',
    )
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
}

function registerTraining(distill: Command, io: Io): void {
  distill
    .command('environment')
    .description(
      "The trainer's Python environment, made once a machine in ~/.cache/clinstream, a few GB; `train` makes it too.",
    )
    .action(() => distillEnvironment(io));
  withConfig(distill.command('train'))
    .description(
      'From a corpus directory to a model folder with its card; needs python3. Labels are those of teacher/notes.jsonl and of the human corpora that heads are made for: gold/ncbi_disease, bc5cdr, biored, phee, chia and maccrobat.jsonl; other gold is for select, evaluate and promote.',
    )
    .requiredOption('--corpus <DIR>', 'annotated documents')
    .requiredOption('--run <DIR>', 'checkpoints and exports; an unfinished run in it is resumed')
    .requiredOption('--out <DIR>', 'folder of the finished model')
    .option('--name <NAME>', 'name of the model', 'notes-minilm')
    .option('--model-version <VERSION>', 'version of the model', '1.0.0')
    .option('--base <MODEL>', "minilm, a directory, or a model on Hugging Face's hub: bert-base, biobert, OWNER/NAME")
    .option('--start <DIR>', "a finished model's folder, of the base's shape, whose weights to begin with")
    .option('--keep-start <SHARE>', 'share of the start in every exported weight', share)
    .option('--layers <N>', "so many of the base's layers, evenly spread: a faster model", positive)
    .addOption(new Option('--preset <NAME>', 'learning rate, batches, epochs').choices(PRESETS))
    .addOption(new Option('--encoders <HOW>', 'one for all tasks, or one a task').choices(ENCODERS))
    .addOption(new Option('--labels <WHOSE>', 'those human corpora, teacher/notes.jsonl, or both').choices(LABELS))
    .option('--label-share <SHARE>', 'share of the labelled documents to train on', amount)
    .option('--soft-labels', "an entity's confidence is its label, not 1")
    .option('--soft-teachers <DIR...>', 'models whose mean probabilities label what nobody has labelled')
    .option('--unlabelled <FILE...>', 'documents {id, text} for the soft teachers, .jsonl or .jsonl.gz')
    .option('--steps-scale <X>', "length of the training as a multiple of the preset's", amount)
    .option('--max-steps <N>', 'stop training early: for a smoke test', wholeNumber)
    .option('--seed <N>', 'of the order of batches and of new weights', wholeNumber)
    .addOption(new Option('--device <NAME>', 'where to train').choices(DEVICES))
    .addOption(new Option('--precision <PRECISION...>', 'graphs beside int8, for a GPU').choices(['fp16', 'fp32']))
    .action((options: CommonOptions & TrainOptions) => distillTrain(configOf(options, io), options, io));
  distill
    .command('export')
    .description(
      'From a training run (checkpoint.pt) to ONNX graphs, each compared with the trained model and timed on this machine; needs python3.',
    )
    .requiredOption('--run <DIR>', 'the run, as distill train left it')
    .requiredOption('--out <DIR>', 'graphs, tokenizer and export.json')
    .requiredOption('--corpus <DIR>', 'annotated documents: graphs are compared and timed on dev notes')
    .option('--precision <LIST>', 'of fp32, fp16 and int8, separated by commas', precisions, ['fp32', 'fp16', 'int8'])
    .option('--documents <N>', 'dev notes to compare and time on', wholeNumber, 40)
    .option('--start <DIR>', 'the model that the run began with, for --keep-start')
    .option('--keep-start <SHARE>', 'share of the start in every exported weight', share)
    .action((options: ExportFlags) => distillExport(options, io));
}

function registerJudging(distill: Command, io: Io): void {
  withModelOnCpu(withConfig(distill.command('evaluate')))
    .description(
      "Measures a model on the corpus directory's dev and test splits; writes metrics.json and MODEL_CARD.md beside it.",
    )
    .requiredOption('--corpus <DIR>', 'annotated documents')
    .option('--file <FILE>', 'your own gold in it, such as gold/mine.jsonl, measured too; its types by --task')
    .option('--task <TASK=TYPES>', 'a task and its gold types in --file, separated by commas; repeatable', named(types))
    .option('--report <FOLDER>', 'write report.html, with pictures, and report.json there')
    .option('--compare <NAME=FILE>', "another model's metrics.json or report.json; repeatable", named(String))
    .option('--curve <PERCENT=FILE>', 'the same of a model trained on so much of the labels; repeatable', named(String))
    .option('--teacher <NAME=FILE>', "a teacher's own labels, scored on the test documents; repeatable", named(String))
    .action((options: CommonOptions & EvaluateFlags) => distillEvaluate(configOf(options, io), options, io));
  withModelOnCpu(withConfig(distill.command('review')))
    .description(
      "A page, for this machine only, on which reviewers judge the model's errors on a gold file; --summary says what that makes of its scores.",
    )
    .requiredOption('--corpus <DIR>', 'annotated documents')
    .requiredOption('--file <FILE>', 'the gold file in it, such as gold/maccrobat.jsonl')
    .addOption(new Option('--split <SPLIT>', 'of the gold file').choices(['train', 'dev', 'test']).default('test'))
    .requiredOption('--verdicts <FILE>', 'JSON Lines of ids, offsets and verdicts; added to, never replaced')
    .option('--port <N>', 'of the page; 0 takes a free one', wholeNumber, 0)
    .option('--reviewer <NAME>', 'proposed on the page')
    .option('--task <TASK=TYPES>', 'a task and its gold types, for other files than evaluate knows', named(types))
    .option('--summary', 'print raw and adjusted scores instead of serving the page')
    .option('--json <FILE>', 'with --summary: write its figures too')
    .action((options: CommonOptions & ReviewFlags) => distillReview(configOf(options, io), options, io));
  withModelOnCpu(withConfig(distill.command('doubt')))
    .description(
      'Which score tells best, on dev notes, where the tagger is wrong, and what F1 remains at each escalation rate.',
    )
    .requiredOption('--corpus <DIR>', 'annotated documents: dev notes of teacher/notes.jsonl, and what else there is')
    .option(
      '--write',
      "write benchmarks/results/risk-coverage.json and .md, and routing.json beside the model's manifest",
    )
    .action((options: CommonOptions & { corpus: string; write?: boolean }) =>
      distillDoubt(configOf(options, io), { corpus: options.corpus, write: options.write === true }, io),
    );
}

function registerServing(distill: Command, io: Io): void {
  distill
    .command('promote')
    .description(
      'Measures a model folder beside the one that serves in a store, and lets it serve if every gate passes; else the exit code is 6.',
    )
    .requiredOption('--candidate <DIR>', 'folder of the model')
    .requiredOption(
      '--store <DIR>',
      'folder of model folders, of which serving.json names one; made where there is none',
    )
    .requiredOption('--corpus <DIR>', 'annotated documents: the gold file, and what trained the candidate')
    .option('--file <FILE>', 'the gold file in it that judges', 'teacher/notes.jsonl')
    .addOption(new Option('--split <SPLIT>', 'of the gold file').choices(['dev', 'test']).default('test'))
    .option(
      '--task <TASK=TYPES>',
      'judge such tasks, by these gold types; repeatable (default: all, by their names)',
      named(types),
    )
    .option('--allow-unjudged', 'tasks of the candidate that no --task names may serve as they are')
    .option('--rounds <N>', 'in how many parts the two models take turns', wholeNumber, 9)
    .option('--min-f1 <NUMBER>', 'least token F1 of a task that no serving model has', share, 0.3)
    .option('--max-ece <NUMBER>', 'largest expected calibration error of a task', amount, 0.03)
    .option('--min-speed <RATIO>', 'least tokens/s, over those of the serving model', amount, 0.9)
    .option('--max-mb <MB>', 'largest size of the model, in millions of bytes', amount, 30)
    .option(
      '--max-shared <SHARE>',
      "of a gold document in training documents or the teacher's dev notes that were fitted on, from which on it is a leak",
      share,
      LEAK,
    )
    .option('--allow-other-data', 'the corpus may lack or differ from what trained the candidate')
    .option('--dry-run', 'only measure')
    .option('--force <REASON>', 'promote in spite of failed gates, and record why')
    .option('--json <FILE>', 'write the gates with all their figures')
    .action((options: PromoteFlags) => distillPromote(options, io));
  distill
    .command('rollback')
    .description('Lets the model serve again that did before, once it is verified.')
    .requiredOption('--store <DIR>', 'the store')
    .option('--to <FOLDER>', 'a folder of it that served at any time (default: the one before)')
    .action((options: { store: string; to?: string }) => distillRollback(options, io));
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

function precisions(text: string): string[] {
  const all = text.split(',');
  if (!all.every(each => ['fp32', 'fp16', 'int8'].includes(each)))
    throw new InvalidArgumentError('some of fp32, fp16 and int8 are needed, separated by commas');
  return all;
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
