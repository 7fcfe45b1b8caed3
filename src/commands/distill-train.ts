/** `distill train`: the configuration's part and the terminal's. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Config, ConfigError } from '../config.ts';
import { train } from '../distill/distill.ts';
import { trainerEnvironment } from '../distill/trainer.ts';
import type { TrainingChoices } from '../distill/training-choices.ts';
import { cacheDirectory } from './cache.ts';
import { type Io, write } from './io.ts';
import { currentCommit, thisMachine } from './provenance.ts';

export interface TrainOptions extends TrainingChoices {
  readonly corpus: string;
  readonly run: string;
  readonly out: string;
  readonly name: string;
  readonly modelVersion: string;
  readonly precision?: readonly ('fp16' | 'fp32')[];
}

export function distillTrain(config: Config, options: TrainOptions, io: Io): Promise<void> {
  return train({
    corpusDirectory: resolve(options.corpus),
    runDirectory: resolve(options.run),
    outDirectory: resolve(options.out),
    name: options.name,
    version: options.modelVersion,
    cacheDirectory: cacheDirectory(io.env),
    workers: config.inference.workers,
    commit: currentCommit(),
    machine: thisMachine(),
    training: choicesOf(options),
    ...(options.precision === undefined ? {} : { precisions: options.precision }),
    progress: line => void io.stderr.write(`${line}\n`),
  });
}

/** What `train` does first by itself: for machines that shall be ready before they are needed. */
export async function distillEnvironment(io: Io): Promise<void> {
  const python = await trainerEnvironment(cacheDirectory(io.env), line => void io.stderr.write(`${line}\n`));
  await write(io.stdout, `${python}\n`);
}

/** With paths made absolute. @throws ConfigError */
function choicesOf(options: TrainOptions): TrainingChoices {
  const { softTeachers = [], unlabelled = [], base, start } = options;
  if (unlabelled.length > 0 && softTeachers.length === 0)
    throw new ConfigError('CONFIG_INVALID', '--unlabelled: needs --soft-teachers, since nothing else labels the text');
  if (options.keepStart !== undefined && (start === undefined || options.layers !== undefined))
    throw new ConfigError('CONFIG_INVALID', '--keep-start: needs --start, and all of its layers');
  const read = [...softTeachers, ...(start === undefined ? [] : [start])].map(directory => resolve(directory));
  if (read.includes(resolve(options.out)))
    throw new ConfigError('CONFIG_INVALID', '--out: is read by --start or --soft-teachers, and would be written over');
  const { keepStart, layers, preset, encoders, labels, labelShare, softLabels, stepsScale, maxSteps, seed, device } =
    options;
  const plain = {
    keepStart,
    layers,
    preset,
    encoders,
    labels,
    labelShare,
    softLabels,
    stepsScale,
    maxSteps,
    seed,
    device,
  };
  return {
    ...(Object.fromEntries(Object.entries(plain).filter(([, value]) => value !== undefined)) as TrainingChoices),
    ...(base === undefined ? {} : { base: existsSync(base) ? resolve(base) : base }),
    ...(start === undefined ? {} : { start: resolve(start) }),
    softTeachers: softTeachers.map(directory => resolve(directory)),
    unlabelled: unlabelled.map(file => resolve(file)),
  };
}
