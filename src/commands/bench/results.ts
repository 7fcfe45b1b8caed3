/** Where results are kept: raw as JSON, for people as Markdown, pictures as SVG. */
import { mkdirSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { type Config, DEFAULT_MODEL } from '../../config.ts';
import { type Io, write } from '../io.ts';
import { provenanceOf } from '../provenance.ts';
import { writeWhole } from '../write-whole.ts';
import { ROOT } from './program.ts';

const RESULTS = join(ROOT, 'benchmarks/results');

/** What a recorded command says of the model: nothing of the default one. */
export function modelFlag({ model }: Config): string {
  const inside = relative(ROOT, resolve(model));
  return isDefault(model) ? '' : ` --model ${inside.startsWith('..') ? basename(model) : inside}`;
}

function isDefault(model: string): boolean {
  return resolve(model) === DEFAULT_MODEL;
}

/** What another model than the default did goes into files of its own, called after it. @returns the name of the files, without extension. */
export function resultName(name: string, { model }: Config): string {
  return isDefault(model) ? name : `${name}-${basename(resolve(model))}`;
}

/** @param name as `resultName` gives it. @param files by extension; `json` is an object, and gets what it was measured on and with; all others are text. */
export async function writeResults(
  name: string,
  { json, ...texts }: { readonly json: object; readonly md?: string; readonly svg?: string },
  io: Io,
): Promise<void> {
  mkdirSync(RESULTS, { recursive: true });
  writeWhole(join(RESULTS, `${name}.json`), `${JSON.stringify({ ...json, on: measuredOn() }, null, 2)}\n`);
  for (const [extension, text] of Object.entries(texts)) writeWhole(join(RESULTS, `${name}.${extension}`), text);
  const written = ['json', ...Object.keys(texts)].map(extension => `${name}.${extension}`);
  await write(io.stdout, `written to benchmarks/results: ${written.join(', ')}\n`);
}

function measuredOn(): object {
  const { machine, versions } = provenanceOf('', Date.now());
  const { loadAverage: _, ...same } = machine; // by now it is our own
  return { ...same, versions };
}
