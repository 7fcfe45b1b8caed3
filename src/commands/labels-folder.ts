/** A folder that `distill annotate` wrote: its teachers, their labels, and what they cost. */
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { ConfigError } from '../config.ts';
import { type Asked, askedSchema } from '../distill/asked.ts';
import { readJson } from '../distill/json-file.ts';

export interface LabelsFolder {
  /** Labels files by teacher. */
  readonly files: ReadonlyMap<string, string>;
  /** US dollars a labelled document and task, by teacher: each task is chosen by itself, and not all teachers were asked for all. */
  readonly costs: ReadonlyMap<string, number>;
  /** Of a file that was named by itself nothing is known. */
  readonly asked: ReadonlyMap<string, Asked>;
}

const RUN = '.run.json';
const runSchema = askedSchema.extend({ teacher: z.string(), usdInAll: z.number(), labelled: z.number() });

/** @throws ConfigError for a folder without labels. */
export function readLabelsFolder(directory: string): LabelsFolder {
  const files = new Map<string, string>();
  const costs = new Map<string, number>();
  const asked = new Map<string, Asked>();
  const names = existsSync(directory)
    ? readdirSync(directory)
        .filter(name => name.endsWith(RUN))
        .sort()
    : [];
  for (const name of names) {
    const run = runSchema.safeParse(readJson(join(directory, name)));
    const labels = resolve(directory, `${name.slice(0, -RUN.length)}.jsonl`);
    if (!run.success || !existsSync(labels)) throw refused(`${join(directory, name)} is no run of 'distill annotate'`);
    const { teacher, usdInAll, labelled, ...about } = run.data;
    files.set(teacher, labels);
    costs.set(teacher, usdInAll / Math.max(1, labelled) / Math.max(1, about.tasks.length));
    asked.set(teacher, about);
  }
  if (files.size === 0) throw refused(`${directory} holds no labels of 'distill annotate'`);
  return { files, costs, asked };
}

/** Those of the folder, where one is given, and those named one by one. @throws ConfigError where there is neither. */
export function annotatorsOf({
  labels,
  annotator,
  cost,
}: {
  readonly labels?: string;
  readonly annotator?: ReadonlyMap<string, string>;
  readonly cost?: ReadonlyMap<string, number>;
}): LabelsFolder {
  if (labels === undefined && annotator === undefined)
    throw refused('--labels: say which labels: a folder of annotate, or --annotator NAME=FILE');
  const folder = labels === undefined ? { files: [], costs: [], asked: [] } : readLabelsFolder(labels);
  return {
    files: new Map([...folder.files, ...(annotator ?? [])]),
    costs: new Map([...folder.costs, ...(cost ?? [])]),
    asked: new Map([...folder.asked].filter(([name]) => annotator?.has(name) !== true)),
  };
}

function refused(what: string): ConfigError {
  return new ConfigError('CONFIG_INVALID', what);
}
