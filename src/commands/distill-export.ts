/** `distill export`: a training run to graphs, each compared with what was trained and timed beside the others. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ConfigError } from '../config.ts';
import { type ExportReport, parseExport } from '../distill/export-report.ts';
import { runTrainer, trainerEnvironment } from '../distill/trainer.ts';
import { cacheDirectory } from './cache.ts';
import { type Io, write } from './io.ts';

export interface ExportFlags {
  readonly run: string;
  readonly out: string;
  readonly corpus: string;
  readonly precision: readonly string[];
  readonly documents: number;
  readonly start?: string;
  /** Share of the start in every weight, in [0, 1). */
  readonly keepStart?: number;
}

/** @throws DistillError PYTHON_MISSING, ENVIRONMENT_FAILED, TRAINING_FAILED */
export async function distillExport(flags: ExportFlags, io: Io): Promise<void> {
  if (flags.keepStart !== undefined && flags.start === undefined)
    throw new ConfigError('CONFIG_INVALID', '--keep-start: needs --start');
  const progress = (line: string): void => void io.stderr.write(`${line}\n`);
  const python = await trainerEnvironment(cacheDirectory(io.env), progress);
  const out = resolve(flags.out);
  const args = ['--run', resolve(flags.run), '--out', out, '--corpus', resolve(flags.corpus)];
  const more = ['--precision', flags.precision.join(','), '--documents', String(flags.documents)];
  const kept = [
    ...(flags.start === undefined ? [] : ['--start', resolve(flags.start)]),
    ...(flags.keepStart === undefined ? [] : ['--keep-start', String(flags.keepStart)]),
  ];
  await runTrainer(python, 'export.py', [...args, ...more, ...kept], progress);
  const path = join(out, 'export.json');
  await write(io.stdout, tableOf(parseExport(readFileSync(path, 'utf8'), path)));
}

export function tableOf({ graphs, onnxruntime, threads, rounds }: ExportReport): string {
  const rows = Object.entries(graphs).map(([precision, { bytes, parity, speed }]) => {
    const agreement = Object.values(parity.decisionAgreement).map(share => `${(100 * share).toFixed(2)} %`);
    const { meanAbsoluteLogitDifference: mean, maxAbsoluteLogitDifference: most } = parity;
    const cells = [precision, (bytes / 1e6).toFixed(1), mean, most, agreement.join(', ')];
    return `| ${[...cells, speed.tokensPerSecond, speed.ratioToFp32.toFixed(2)].join(' | ')} |`;
  });
  const [first] = Object.values(graphs);
  const tasks = Object.keys(first?.parity.decisionAgreement ?? {}).join(', ');
  return [
    `Against the trained model on ${first?.parity.windows} windows of dev notes (${first?.parity.pieces} word pieces); tokens/s of ONNX Runtime ${onnxruntime}`,
    `on ${threads} thread of this machine's CPU, on the same windows in turns, medians of ${rounds} rounds.`,
    '',
    `| graph | MB | mean logit difference | largest | same decision at 0.5 (${tasks}) | tokens/s | over fp32 |`,
    '|---|---|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
