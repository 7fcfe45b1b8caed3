/** The whole way from a corpus directory to a model folder: train, export, build, evaluate, card. */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { loadModel, type VerifiedModel } from '../model/manifest.ts';
import { buildModel } from './build-model.ts';
import { type Parity, renderCard } from './card.ts';
import { evaluate, type Metrics, type ScoredSets } from './evaluate.ts';
import { fittingNotes } from './fitting-notes.ts';
import { METRICS_FILE, parityOf } from './metrics-file.ts';
import { CARD_FILE } from './model-content.ts';
import { ownArguments } from './own-set.ts';
import { readCurves, renderCurves } from './report/curves.ts';
import { rounded } from './rounded.ts';
import type { Progress } from './score-documents.ts';
import type { TestSet } from './test-sets.ts';
import { runTrainer, trainerEnvironment } from './trainer.ts';
import { type TrainingChoices, trainerArguments } from './training-choices.ts';
import { writeWhole } from './write-whole.ts';

export interface DistillOptions {
  readonly corpusDirectory: string;
  /** Folder of the run: checkpoints and exports; an unfinished run in it is resumed. */
  readonly runDirectory: string;
  /** Folder of the finished model. */
  readonly outDirectory: string;
  readonly name: string;
  readonly version: string;
  readonly cacheDirectory: string;
  readonly workers: number;
  /** Graphs beside int8. */
  readonly precisions?: readonly ('fp16' | 'fp32')[];
  /** Of the code that measures, for the record. */
  readonly commit: string;
  /** That measures, for the record. */
  readonly machine: string;
  readonly training: TrainingChoices;
  readonly progress: Progress;
}

export async function train(options: DistillOptions): Promise<void> {
  const { corpusDirectory, runDirectory, progress } = options;
  // hours later it would be late to find that there are none, or that a start is no model
  fittingNotes(corpusDirectory);
  const command = commandOf(options);
  const python = await trainerEnvironment(options.cacheDirectory, progress);
  const { keepStart, ...training } = options.training;
  const { start } = training;
  const chosen = trainerArguments(training);
  await runTrainer(python, 'train.py', ['--corpus', corpusDirectory, '--out', runDirectory, ...chosen], progress);
  const curves = readCurves(readFileSync(join(runDirectory, 'metrics.jsonl'), 'utf8'));
  writeFileSync(
    join(runDirectory, 'curves.html'),
    renderCurves(curves, `${options.name} ${options.version}: training`),
  );
  const exportDirectory = join(runDirectory, 'export');
  await runTrainer(
    python,
    'export.py',
    [
      ...['--run', runDirectory, '--out', exportDirectory, '--corpus', corpusDirectory],
      ...['--precision', ['fp32', 'int8', ...(options.precisions ?? [])].join(',')],
      ...(keepStart === undefined || start === undefined ? [] : trainerArguments({ start, keepStart })),
    ],
    progress,
  );
  await buildModel({ ...options, exportDirectory, command });
  const parity = JSON.parse(readFileSync(join(exportDirectory, 'parity.json'), 'utf8')) as Parity;
  await report({ ...options, modelDirectory: options.outDirectory, parity });
}

/** The command line again, without the folders of this machine. */
function commandOf({ name, version, training, precisions = [] }: DistillOptions): string {
  const { softTeachers = [], unlabelled = [], base, start } = training;
  const precision = precisions.length === 0 ? [] : ['--precision', ...precisions];
  const shown = trainerArguments({
    ...training,
    ...(base === undefined ? {} : { base: base.startsWith('/') ? basename(base) : base }),
    ...(start === undefined ? {} : { start: versioned(start) }),
    softTeachers: softTeachers.map(versioned),
    unlabelled: unlabelled.map(file => join('CORPUS/text', basename(file))),
  });
  const named = ['--out', `models/${name}`, '--name', name, '--model-version', version];
  return ['npm run -s clinstream -- distill train --corpus CORPUS --run RUN', ...named, ...shown, ...precision].join(
    ' ',
  );
}

/** A folder called by name and version: under its plain name another version may stand by then. */
function versioned(directory: string): string {
  const { name, version } = loadModel(directory).identity;
  return `${name}-${version}`;
}

/** Measures a model folder anew and writes metrics.json and MODEL_CARD.md into it; gives back what was measured. */
export async function report(options: {
  readonly modelDirectory: string;
  readonly corpusDirectory: string;
  readonly workers: number;
  /** Of the code that measures, for the record. */
  readonly commit: string;
  /** That measures, for the record. */
  readonly machine: string;
  readonly progress: Progress;
  /** What the export measured; when absent, as metrics.json has it, if that is this model's. */
  readonly parity?: Parity;
  /** The user's gold, measured too. */
  readonly own?: TestSet | undefined;
}): Promise<{ readonly model: VerifiedModel; readonly metrics: Metrics; readonly scored: ScoredSets }> {
  const { modelDirectory, corpusDirectory, workers, commit, machine, progress, own } = options;
  const model = loadModel(modelDirectory);
  const what = `--corpus CORPUS --model models/${model.identity.name}`;
  const command = ['npm run -s clinstream -- distill evaluate', what, ...ownArguments(own)].join(' ');
  const parity = options.parity ?? parityOf(model);
  const asked = { corpusDirectory, own, workers, command, commit, machine, progress };
  const { metrics, scored } = await evaluate(model, asked);
  writeWhole(join(modelDirectory, METRICS_FILE), `${JSON.stringify({ ...metrics, parity }, rounded, 1)}\n`);
  writeWhole(join(modelDirectory, CARD_FILE), renderCard(model, metrics, parity));
  return { model, metrics, scored };
}
