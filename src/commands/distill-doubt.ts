/** `distill doubt`: a page of tables on standard output, the figures in benchmarks/results, the thresholds beside the model. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Config } from '../config.ts';
import { measureDoubt, renderRouting } from '../distill/doubt.ts';
import { renderDoubt } from '../distill/doubt-table.ts';
import { rounded } from '../distill/rounded.ts';
import { ROUTING_FILE } from '../model/routing.ts';
import { loadServing } from '../model/store.ts';
import { RESULTS, resultName } from './bench/results.ts';
import { type Io, write } from './io.ts';
import { currentCommit, thisMachine } from './provenance.ts';

export async function distillDoubt(
  config: Config,
  options: { readonly corpus: string; readonly write: boolean },
  io: Io,
): Promise<void> {
  const model = loadServing(config.model);
  const { report, tasks } = await measureDoubt(model, {
    corpusDirectory: resolve(options.corpus),
    workers: config.inference.workers,
    progress: line => void io.stderr.write(`${line}\n`),
  });
  const command = `npm run -s clinstream -- distill doubt --corpus CORPUS --model models/${model.identity.name} --write`;
  const commit = currentCommit();
  const page = renderDoubt(report, { command, commit });
  await write(io.stdout, page);
  if (!options.write) return;
  const machine = thisMachine();
  mkdirSync(RESULTS, { recursive: true });
  const figures = { command, commit, machine, ...report };
  const name = resultName('risk-coverage', config);
  writeFileSync(join(RESULTS, `${name}.json`), `${JSON.stringify(figures, rounded, 1)}\n`);
  writeFileSync(join(RESULTS, `${name}.md`), page);
  const measured = { command, commit, data: report.data };
  writeFileSync(
    join(model.directory, ROUTING_FILE),
    renderRouting({ format: 1, model: { ...model.identity }, tasks, measured }),
  );
  io.stderr.write(`written: benchmarks/results/${name}.json and .md, ${join(model.directory, ROUTING_FILE)}\n`);
}
