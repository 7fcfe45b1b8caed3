/** `distill evaluate`: metrics.json and the card beside the model, and with --report the page of pictures and its figures. */
import { basename, join, resolve } from 'node:path';
import { type Config, ConfigError } from '../config.ts';
import { readAnnotator } from '../distill/annotators.ts';
import { renderScores } from '../distill/card.ts';
import { fileHash, readCorpus, type Split } from '../distill/corpus.ts';
import { report } from '../distill/distill.ts';
import { goldFile } from '../distill/gold-file.ts';
import { ownArguments, ownSet } from '../distill/own-set.ts';
import { checkComparable, readCompared, unknownGold } from '../distill/report/compared.ts';
import { figuresOf } from '../distill/report/figures.ts';
import { readNoteTypes } from '../distill/report/groups.ts';
import { renderReport } from '../distill/report/page.ts';
import { rounded } from '../distill/rounded.ts';
import { TEST_SETS, type TestSet, testSetsIn } from '../distill/test-sets.ts';
import { writeWhole } from '../distill/write-whole.ts';
import { loadServing, servingDirectory } from '../model/store.ts';
import { measuresOf } from './distill-review.ts';
import { type Io, write } from './io.ts';
import { currentCommit, thisMachine } from './provenance.ts';

export interface EvaluateFlags {
  readonly corpus: string;
  /** The user's own gold, of the corpus directory: measured beside the known sets. */
  readonly file?: string;
  /** Gold types of it that stand for a task. */
  readonly task?: ReadonlyMap<string, readonly string[]>;
  /** Folder of report.html and report.json. */
  readonly report?: string;
  /** metrics.json or report.json of other models, by name. */
  readonly compare?: ReadonlyMap<string, string>;
  /** The same by percent of the labels that the model was trained on. */
  readonly curve?: ReadonlyMap<string, string>;
  /** Labels files of teachers, by name. */
  readonly teacher?: ReadonlyMap<string, string>;
}

export async function distillEvaluate(config: Config, options: EvaluateFlags, io: Io): Promise<void> {
  const corpusDirectory = resolve(options.corpus);
  const { compare = new Map<string, string>(), curve = new Map<string, string>(), teacher = new Map() } = options;
  check(options);
  // all that was given is read before the minutes of work
  const own = ownOf(config, corpusDirectory, options);
  const compared = Array.from(compare, ([name, path]) => readCompared(name, resolve(path)));
  const points = Array.from(curve, ([percent, path]) => ({
    percent: Number(percent),
    measured: readCompared(`${percent} %`, resolve(path)),
  }));
  const others = [...compared, ...points.map(each => each.measured)];
  const sets = testSetsIn(corpusDirectory, own);
  checkComparable(others, name => {
    const set = sets.find(each => each.name === name);
    if (set === undefined) return undefined;
    const documents = (split: Split): number => readCorpus(corpusDirectory, set.file, split).length;
    return { gold: goldFile(corpusDirectory, set), documents };
  });
  const teachers = Array.from(teacher, ([name, path]) => {
    const file = resolve(path);
    return { ...readAnnotator(name, file, 'test'), file: basename(file), sha256: fileHash(file) };
  });
  const noteTypes = options.report === undefined ? undefined : readNoteTypes(corpusDirectory);
  for (const each of others) {
    const unknown = unknownGold(
      each,
      sets.map(({ name }) => name),
    );
    if (unknown !== '') io.stderr.write(`evaluate: ${each.name} (${each.file}): ${unknown}\n`);
  }
  const { model, metrics, scored } = await report({
    modelDirectory: resolve(servingDirectory(config.model)),
    corpusDirectory,
    own,
    workers: config.inference.workers,
    commit: currentCommit(),
    machine: thisMachine(),
    progress: line => void io.stderr.write(`${line}\n`),
  });
  await write(io.stdout, `${renderScores(metrics)}\n`);
  if (options.report === undefined) return;
  io.stderr.write('evaluate: report\n');
  const figures = figuresOf(model, metrics, scored, {
    command: commandOf(options, own, model.identity.name),
    compared,
    curve: points,
    teachers,
    noteTypes,
  });
  const folder = resolve(options.report);
  writeWhole(join(folder, 'report.json'), `${JSON.stringify(figures, rounded)}\n`);
  writeWhole(join(folder, 'report.html'), renderReport(figures));
}

function check({ report: folder, compare, curve, teacher }: EvaluateFlags): void {
  for (const percent of curve?.keys() ?? [])
    if (!(Number(percent) > 0 && Number(percent) <= 100))
      throw refused(`--curve: ${percent} is no percentage of the labels, above 0 and up to 100`);
  if (folder !== undefined) return;
  const lone = Object.entries({ compare, curve, teacher }).find(([, value]) => value !== undefined);
  if (lone !== undefined) throw refused(`--${lone[0]} is drawn in the report: say with --report where it is to be`);
}

/** @throws ConfigError, DistillError as ownSet */
function ownOf(config: Config, corpusDirectory: string, { file, task }: EvaluateFlags): TestSet | undefined {
  if (file === undefined) {
    if (task !== undefined) throw refused('--task is of your own gold: say with --file which file of the corpus it is');
    return undefined;
  }
  const known = TEST_SETS.find(each => each.file === file);
  if (known !== undefined) throw refused(`--file: ${file} is measured unasked, as ${known.name}`);
  const heads = loadServing(config.model).heads.map(each => each.task);
  return ownSet(corpusDirectory, file, measuresOf({ file, ...(task === undefined ? {} : { task }) }, heads));
}

function refused(what: string): ConfigError {
  return new ConfigError('CONFIG_INVALID', what);
}

/** The command line again, without the folders of this machine. */
function commandOf({ compare, curve, teacher }: EvaluateFlags, own: TestSet | undefined, model: string): string {
  const each = (option: string, files: ReadonlyMap<string, string> | undefined): string[] =>
    Array.from(files ?? [], ([name, path]) => `--${option} ${name}=${basename(path)}`);
  return [
    `npm run -s clinstream -- distill evaluate --corpus CORPUS --model models/${model} --report FOLDER`,
    ...ownArguments(own),
    ...each('compare', compare),
    ...each('curve', curve),
    ...each('teacher', teacher),
  ].join(' ');
}
