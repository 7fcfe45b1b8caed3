/** `distill fuse`: the teachers that `select` chose, on the notes to train on, as the corpus directory's teacher/notes.jsonl. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Config, ConfigError } from '../config.ts';
import { readAnnotator, scorable } from '../distill/annotators.ts';
import { type Asked, unlikeSelected } from '../distill/asked.ts';
import { readAllRows, readCorpus, type Split } from '../distill/corpus.ts';
import { DistillError } from '../distill/distill-error.ts';
import { type ChosenFusion, chosenFusions, fuseLabels, selectionSchema } from '../distill/fuse-labels.ts';
import { writeWhole } from '../distill/write-whole.ts';
import { loadServing } from '../model/store.ts';
import { TextTokenizer } from '../model/tokenizer.ts';
import { type Io, write } from './io.ts';
import { annotatorsOf, type LabelsFolder } from './labels-folder.ts';

export interface FuseFlags {
  readonly corpus: string;
  readonly file: string;
  readonly split: Split;
  readonly selection: string;
  /** Folder of annotate. */
  readonly labels?: string;
  readonly annotator?: ReadonlyMap<string, string>;
  /** Only the documents that all chosen annotators have. */
  readonly covered?: boolean;
  readonly into: string;
}

/** Notes stand in it. */
const OWNER = 0o600;

/** @throws ConfigError, DistillError */
export async function distillFuse(config: Config, flags: FuseFlags, io: Io): Promise<void> {
  const { file, split } = flags;
  const { files, asked } = annotatorsOf(flags);
  const { chosen, selected } = readSelection(resolve(flags.selection));
  const needed = new Set(chosen.flatMap(each => each.annotators));
  const missing = [...needed].filter(name => !files.has(name));
  if (missing.length > 0)
    throw new ConfigError('CONFIG_INVALID', `--annotator: the selection needs ${missing.join(', ')} too`);
  requireAsSelected(chosen, asked, selected);
  const annotators = Array.from(files, ([name, path]) => readAnnotator(name, resolve(path), split)).filter(each =>
    needed.has(each.name),
  );
  const all = readCorpus(resolve(flags.corpus), file, split);
  const documents = scorable(all, annotators, flags.covered === true);
  const model = loadServing(config.model);
  const tokenizer = new TextTokenizer(join(model.directory, model.manifest.tokenizer));
  const fused = await fuseLabels(tokenizer, documents, annotators, chosen);
  const notes = resolve(flags.into, 'teacher/notes.jsonl');
  // rows of this split are replaced, so that a second run changes nothing
  const there = existsSync(notes) ? readAllRows(notes) : [];
  const others = there.filter(each => each.split !== split);
  const ids = new Set(fused.map(each => each.id));
  const gone = there.filter(each => each.split === split && !ids.has(each.id)).length;
  const instead = gone === 0 ? '' : `; ${gone} other ${split} notes that stood there are gone`;
  const taken = new Set(others.map(each => each.id));
  const twice = fused.find(each => taken.has(each.id));
  if (twice !== undefined)
    throw new DistillError('CORPUS_ROW_INVALID', `${notes}: ${twice.id} stands there in another split already`);
  writeWhole(notes, [...others, ...fused].map(row => `${JSON.stringify(row)}\n`).join(''), OWNER);
  const mentions = fused.reduce((sum, each) => sum + each.entities.length, 0);
  const how = chosen.map(({ task, annotators: names, fusion }) => `${task} by ${names.join(' + ')}, ${fusion}`);
  const left = all.length - documents.length;
  const without = left === 0 ? '' : `; left out ${left} of ${all.length}, which not all chosen teachers labelled`;
  await write(
    io.stdout,
    `${notes}: ${fused.length} ${split} notes, ${mentions} mentions; ${how.join('; ')}${without}${instead}\n`,
  );
}

/** @throws ConfigError for labels of a folder that would be fused as something else than what was selected. */
function requireAsSelected(
  chosen: readonly ChosenFusion[],
  asked: LabelsFolder['asked'],
  selected: ReadonlyMap<string, Asked | undefined>,
): void {
  for (const { task, annotators } of chosen) {
    for (const name of annotators) {
      const run = asked.get(name);
      const why = run === undefined ? undefined : unlikeSelected(task, run, selected.get(name));
      if (why !== undefined) throw new ConfigError('CONFIG_INVALID', `--labels: by its run there ${name} ${why}`);
    }
  }
}

function readSelection(path: string): { chosen: ChosenFusion[]; selected: Map<string, Asked | undefined> } {
  try {
    const selection = selectionSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    const selected = new Map(selection.annotators.map(each => [each.name, each.asked]));
    return { chosen: chosenFusions(selection), selected };
  } catch (cause) {
    throw new ConfigError('CONFIG_INVALID', `--selection: ${path} is no result of 'distill select --json'`, { cause });
  }
}
