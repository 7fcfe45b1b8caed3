/** `distill doubt`: the table on the terminal, the figures in benchmarks/results, the thresholds beside the model. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import type { Config } from '../config.ts';
import { measureDoubt, renderRouting, type TaskResult } from '../distill/doubt.ts';
import { loadModel } from '../model/manifest.ts';
import { ROUTING_FILE } from '../model/routing.ts';
import { currentCommit } from './commit.ts';
import { type Io, write } from './io.ts';

const RESULTS = resolve(import.meta.dirname, '../../benchmarks/results');

export async function distillDoubt(
  config: Config,
  options: { readonly corpus: string; readonly write: boolean },
  io: Io,
): Promise<void> {
  const model = loadModel(config.model);
  const { report, tasks } = await measureDoubt(model, {
    corpusDirectory: resolve(options.corpus),
    workers: config.inference.workers,
    progress: line => void io.stderr.write(`${line}\n`),
  });
  for (const result of report.results) await write(io.stdout, table(result));
  if (!options.write) return;
  const command = `npm run -s clinstream -- distill doubt --corpus CORPUS --model models/${model.identity.name} --write`;
  const commit = currentCommit();
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.version}`;
  mkdirSync(RESULTS, { recursive: true });
  const figures = { command, commit, machine, ...report };
  writeFileSync(join(RESULTS, 'risk-coverage.json'), `${JSON.stringify(figures, rounded, 1)}\n`);
  const measured = { command, commit, data: report.data };
  writeFileSync(
    join(model.directory, ROUTING_FILE),
    renderRouting({ format: 1, model: { ...model.identity }, tasks, measured }),
  );
  await write(
    io.stdout,
    `written to benchmarks/results/risk-coverage.json and ${join(model.directory, ROUTING_FILE)}\n`,
  );
}

/** One set and task: scores by area, then what remains at each rate. */
function table({ set, split, task, notes, risk, best, chosen, scores, rates }: TaskResult): string {
  const byArea = [...scores].sort((a, b) => a.areas.f1Half - b.areas.f1Half);
  return [
    `\n${set} ${split}, ${task}: ${notes} notes, 1 − F1 ${risk.toFixed(4)}; best possible area ${best.f1Half.toFixed(4)} (all coverages ${best.f1.toFixed(4)})`,
    ...byArea.map(
      ({ score, areas, beyondChosen: { low, high } }) =>
        `  ${score === chosen ? '*' : ' '} ${score.padEnd(26)} area ${areas.f1Half.toFixed(4)}  beyond chosen [${low.toFixed(4)}, ${high.toFixed(4)}]` +
        `  all coverages ${areas.f1.toFixed(4)}  half of the words ${areas.f1HalfOfWords.toFixed(4)}  errors ${areas.errorsHalf.toFixed(3)}`,
    ),
    ...rates.map(
      each =>
        `    ${percent(each.rate)} of notes (${percent(each.shareOfWords)} of words) escalated: F1 kept ${each.f1Kept.toFixed(3)} ` +
        `[${each.f1KeptInterval.low.toFixed(3)}, ${each.f1KeptInterval.high.toFixed(3)}], ${percent(each.shareOfErrors)} of errors escalated`,
    ),
    '',
  ].join('\n');
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0).padStart(2)} %`;
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toFixed(5)) : value;
}
