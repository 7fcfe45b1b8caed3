/** `distill train`: the configuration's part and the terminal's. */
import { resolve } from 'node:path';
import type { Config } from '../config.ts';
import { train } from '../distill/distill.ts';
import type { Io } from './io.ts';
import { currentCommit } from './provenance.ts';

const CACHE = '.clinstream';

export interface TrainOptions {
  readonly corpus: string;
  readonly run: string;
  readonly out: string;
  readonly name: string;
  readonly modelVersion: string;
  readonly maxSteps?: number;
}

export function distillTrain(config: Config, options: TrainOptions, io: Io): Promise<void> {
  return train({
    corpusDirectory: resolve(options.corpus),
    runDirectory: resolve(options.run),
    outDirectory: resolve(options.out),
    name: options.name,
    version: options.modelVersion,
    cacheDirectory: resolve(CACHE),
    workers: config.inference.workers,
    commit: currentCommit(),
    ...(options.maxSteps === undefined ? {} : { maxSteps: options.maxSteps }),
    progress: line => void io.stderr.write(`${line}\n`),
  });
}
