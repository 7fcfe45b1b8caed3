/** `distill select`: tables on standard output, and with --json every candidate and what was read. */
import { basename, join, resolve } from 'node:path';
import { type Config, ConfigError } from '../config.ts';
import { SEED } from '../distill/ahead.ts';
import { readAnnotator, requireEnough, scorable, speaking, votesOn } from '../distill/annotators.ts';
import { corpusHash, fileHash, readCorpus, type Split } from '../distill/corpus.ts';
import { rounded } from '../distill/rounded.ts';
import { MAX_ANNOTATORS, select } from '../distill/select.ts';
import { renderSelections, type SelectionOfTask } from '../distill/select-table.ts';
import { writeWhole } from '../distill/write-whole.ts';
import { RESAMPLES } from '../evaluation/bootstrap.ts';
import { loadServing } from '../model/store.ts';
import { TextTokenizer } from '../model/tokenizer.ts';
import { INSIDE } from '../text/words.ts';
import { type Io, write } from './io.ts';
import { annotatorsOf } from './labels-folder.ts';
import { currentCommit, thisMachine } from './provenance.ts';

export interface SelectOptions {
  readonly corpus: string;
  readonly file: string;
  readonly split: Split;
  /** Gold types that stand for each. */
  readonly task: ReadonlyMap<string, readonly string[]>;
  /** Folder of annotate. */
  readonly labels?: string;
  readonly annotator?: ReadonlyMap<string, string>;
  readonly cost?: ReadonlyMap<string, number>;
  readonly covered?: boolean;
  readonly json?: string;
}

type Given = SelectOptions & Required<Pick<SelectOptions, 'annotator' | 'cost'>>;

export async function distillSelect(config: Config, flags: SelectOptions, io: Io): Promise<void> {
  const { file, split, task: tasks } = flags;
  const { files, costs, asked } = annotatorsOf(flags);
  const options: Given = { ...flags, annotator: files, cost: costs };
  check(options);
  const model = loadServing(config.model);
  const corpus = resolve(options.corpus);
  const gold = readCorpus(corpus, file, split);
  const annotators = Array.from(files, ([name, path]) => readAnnotator(name, resolve(path), split));
  const documents = scorable(gold, annotators, options.covered === true);
  requireEnough(documents, tasks);
  const tokenizer = new TextTokenizer(join(model.directory, model.manifest.tokenizer));
  const priced = annotators.map(({ name }) => ({ name, cost: costs.get(name) ?? 0 }));
  const selections = new Map<string, SelectionOfTask>();
  for (const [task, voted] of await votesOn(tokenizer, documents, annotators, tasks)) {
    if (!voted.some(each => each.gold.includes(INSIDE)))
      throw refused(`--task ${task}: no document scored has a word of type ${tasks.get(task)?.join(' or ')}`);
    const spoken = speaking(voted, priced);
    if (spoken.annotators.length === 0)
      throw refused(`--annotator: none marks any ${task}: the types in their files must be tasks`);
    const silent = spoken.silent.map(each => each.name);
    selections.set(task, { ...select(spoken.documents, spoken.annotators), silent });
  }
  const on = { file, split, documents: documents.length, of: gold.length };
  await write(io.stdout, renderSelections(selections, on));
  if (options.json === undefined) return;
  const figures = {
    command: commandOf(options),
    commit: currentCommit(),
    machine: thisMachine(),
    model: model.identity,
    seed: SEED,
    resamples: RESAMPLES,
    gold: { ...on, sha256: corpusHash(corpus, file) },
    annotators: priced.map(each => {
      const path = resolve(files.get(each.name) as string);
      return { ...each, file: basename(path), sha256: fileHash(path), asked: asked.get(each.name) };
    }),
    tasks: Array.from(selections, ([task, selection]) => ({ task, types: tasks.get(task), ...selection })),
  };
  writeWhole(resolve(options.json), `${JSON.stringify(figures, roundedButCosts, 1)}\n`);
}

function check({ annotator, cost, corpus, file, json }: Given): void {
  const inputs = [join(resolve(corpus), file), ...Array.from(annotator.values(), path => resolve(path))];
  if (json !== undefined && inputs.includes(resolve(json)))
    throw refused(`--json: ${json} is read, and would be replaced`);
  if (annotator.size > MAX_ANNOTATORS)
    throw refused(
      `--annotator: ${annotator.size} are given, and at most ${MAX_ANNOTATORS} can be: all subsets are tried`,
    );
  const unknown = [...cost.keys()].find(name => !annotator.has(name));
  if (unknown !== undefined)
    throw refused(`--cost: ${unknown} is no --annotator (${[...annotator.keys()].join(', ')})`);
  // one of unknown cost would pass for one that costs nothing, and be preferred
  const unpriced = [...annotator.keys()].filter(name => !cost.has(name));
  if (cost.size > 0 && unpriced.length > 0)
    throw refused(
      `--cost: known for ${[...cost.keys()].join(', ')} and not for ${unpriced.join(', ')}: say what each costs a note in the same unit, 0 where it is nothing`,
    );
}

function refused(what: string): ConfigError {
  return new ConfigError('CONFIG_INVALID', what);
}

/** The command line again, without the folders of this machine. */
function commandOf({ file, split, task, annotator, cost, covered }: Given): string {
  const each = <T>(option: string, values: ReadonlyMap<string, T> | undefined, text: (value: T) => string): string[] =>
    Array.from(values ?? [], ([name, value]) => `--${option} ${name}=${text(value)}`);
  return [
    `npm run -s clinstream -- distill select --corpus CORPUS --file ${file} --split ${split}`,
    ...each('task', task, types => types.join(',')),
    ...each('annotator', annotator, path => basename(path)),
    ...each('cost', cost, String),
    ...(covered === true ? ['--covered'] : []),
  ].join(' ');
}

/** Costs may be far below a hundred-thousandth of anything. */
function roundedButCosts(key: string, value: unknown): unknown {
  return key === 'cost' && typeof value === 'number' ? Number(value.toPrecision(6)) : rounded(key, value);
}
