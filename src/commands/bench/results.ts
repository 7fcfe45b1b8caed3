/** Where results are kept: raw as JSON, for people as Markdown, pictures as SVG. */
import { mkdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Origin } from '../../benchmark/provenance.ts';
import { type Config, DEFAULT_MODEL, defaults, environmentName } from '../../config.ts';
import { writeWhole } from '../../distill/write-whole.ts';
import { loadServing } from '../../model/store.ts';
import { type Io, write } from '../io.ts';
import { currentCommit, provenanceOf, thisMachine } from '../provenance.ts';
import { ROOT } from './program.ts';

export const RESULTS = join(ROOT, 'benchmarks/results');

/** Take it before anything is measured. @param args of `bench`, without the model. @param beside what else ran on the machine, such as "broker on the same machine". */
export function originOf(config: Config, args: string, beside?: string): Origin {
  return {
    command: benchCommand(config, args),
    commit: currentCommit(),
    machine: [thisMachine(), ...(beside === undefined ? [] : [beside])].join('; '),
    model: loadServing(config.model).identity,
  };
}

/** Such as "notes-minilm 1.2.0". */
export function nameOf({ name, version }: Origin['model']): string {
  return `${name} ${version}`;
}

/**
 * A command as results record it, after whatever else of the configuration decides what is measured and is not as by default, however it was
 * given. It says nothing of the default model, and no folder of this machine. @param args of `bench`, without the model.
 */
export function benchCommand(config: Config, args: string): string {
  const model = otherModel(config);
  const command = `npm run bench -- ${args}${model === undefined ? '' : ` --model models/${model}`}`;
  return [...settingsOf(config), command].join(' ');
}

/** Of these parts, none of which holds a secret or a place. */
const PARTS = ['inference', 'stream', 'limits', 'topics'] as const;

/** As the environment gives them, such as CLINSTREAM_INFERENCE_WORKERS=1. */
function settingsOf(config: Config): string[] {
  const usual = defaults();
  return PARTS.flatMap(part =>
    Object.entries(config[part]).flatMap(([key, value]) => {
      if (value === (usual[part] as Record<string, unknown>)[key]) return [];
      const text = String(value);
      const quoted = /^[\w.:-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
      return [`${environmentName(`${part}.${key}`)}=${quoted}`];
    }),
  );
}

/** What another model than the default did goes into files of its own, called after it too. @returns the name of the files, without extension. */
export function resultName(name: string, config: Config): string {
  const model = otherModel(config);
  return model === undefined ? name : `${name}@${model}`;
}

/** By the name in its manifest, as its card calls it; one of the default's name is told from it by its hash. */
function otherModel({ model }: Config): string | undefined {
  if (resolve(model) === DEFAULT_MODEL) return undefined;
  const { name, sha256 } = loadServing(model).identity;
  const plain = name.replaceAll(/[^\w.-]+/g, '-');
  return plain === basename(DEFAULT_MODEL) ? `${plain}-${sha256.slice(0, 8)}` : plain;
}

/** By extension; `json` gets what it was measured on and with, all others are text. */
interface Results<Record extends object> {
  readonly json: Record;
  readonly md?: string;
  readonly svg?: string;
}

/** Of what was measured with a model. */
export async function writeResults(what: string, config: Config, results: Results<Origin>, io: Io): Promise<void> {
  await write(io.stdout, `${storeResults(what, config, results)}\n`);
}

/** @returns the line that says so, for a command whose standard output is something else. */
export function storeResults(what: string, config: Config, results: Results<Origin>): string {
  return storeFiles(resultName(what, config), results);
}

/** @param name of the files, without extension. */
export async function writeFiles(name: string, results: Results<object>, io: Io): Promise<void> {
  await write(io.stdout, `${storeFiles(name, results)}\n`);
}

function storeFiles(name: string, { json, ...texts }: Results<object>): string {
  mkdirSync(RESULTS, { recursive: true });
  writeWhole(join(RESULTS, `${name}.json`), `${JSON.stringify({ ...json, on: measuredOn() }, null, 2)}\n`);
  for (const [extension, text] of Object.entries(texts)) writeWhole(join(RESULTS, `${name}.${extension}`), text);
  const written = ['json', ...Object.keys(texts)].map(extension => `${name}.${extension}`);
  return `written to benchmarks/results: ${written.join(', ')}`;
}

function measuredOn(): object {
  const { machine, versions } = provenanceOf('', Date.now());
  const { loadAverage: _, ...same } = machine; // by now it is our own
  return { ...same, versions };
}
