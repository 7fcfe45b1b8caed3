/** `distill doubt`: a page of tables on standard output, the figures in benchmarks/results, the thresholds beside the model. */
import { join, resolve } from 'node:path';
import type { Origin } from '../benchmark/provenance.ts';
import type { Config } from '../config.ts';
import { type DoubtReport, measureDoubt, renderRouting } from '../distill/doubt.ts';
import { renderDoubt } from '../distill/doubt-table.ts';
import { rounded } from '../distill/rounded.ts';
import { writeWhole } from '../distill/write-whole.ts';
import { ROUTING_FILE } from '../model/routing.ts';
import { loadServing } from '../model/store.ts';
import { storeResults } from './bench/results.ts';
import { type Io, report, write } from './io.ts';
import { currentCommit, thisMachine } from './provenance.ts';

export async function distillDoubt(
  config: Config,
  options: { readonly corpus: string; readonly write: boolean },
  io: Io,
): Promise<void> {
  const model = loadServing(config.model);
  const command = `npm run -s clinstream -- distill doubt --corpus CORPUS --model models/${model.identity.name} --write`;
  const origin: Origin = { command, commit: currentCommit(), machine: thisMachine(), model: model.identity };
  const { report: measures, tasks } = await measureDoubt(model, {
    corpusDirectory: resolve(options.corpus),
    workers: config.inference.workers,
    progress: line => void io.stderr.write(`${line}\n`),
  });
  const page = renderDoubt(measures, origin);
  await write(io.stdout, page);
  if (!options.write) return;
  const figures = JSON.parse(JSON.stringify({ ...origin, ...measures }, rounded)) as Origin & DoubtReport;
  await report(io, storeResults('risk-coverage', config, { json: figures, md: page }));
  const measured = { command, commit: origin.commit, data: measures.data, fitted: measures.fitted };
  const path = join(model.directory, ROUTING_FILE);
  writeWhole(path, renderRouting({ format: 1, model: { ...model.identity }, tasks, measured }));
  io.stderr.write(`written: ${path}\n`);
}
