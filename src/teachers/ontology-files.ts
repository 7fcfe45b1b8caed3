/** The dictionaries that are shipped, and what their short source keys stand for. Origins and licences: ontologies/README.md. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Task } from '../core/span.ts';
import { TermIndex } from './term-index.ts';

export const ONTOLOGIES: Readonly<Record<string, string>> = {
  medication: 'drugs',
  disease: 'diseases',
  symptom: 'symptoms',
} satisfies Record<Task, string>;

/** Coding systems by source key; null where the source gives names and no codes. */
export const SYSTEMS: Readonly<Record<string, string | null>> = {
  R: null,
  B: 'DrugBank',
  D: 'DOID',
  M: 'MONDO',
  H: 'HP',
  S: 'SYMP',
  T: 'MeSH',
};

const DIRECTORY = join(import.meta.dirname, 'ontologies');

export interface Ontology {
  /** Of the file as shipped, lower-case hexadecimal. */
  readonly sha256: string;
  readonly terms: TermIndex;
}

/** Some 100 ms and 5 to 15 MB each, outside the heap: for whoever asks, not for every start. */
export function readOntology(name: string): Ontology {
  const { compressed, sha256 } = readCompressed(name);
  return { sha256, terms: new TermIndex(gunzipSync(compressed)) };
}

/** The file's hash without its terms. */
export function ontologySha256(name: string): string {
  return readCompressed(name).sha256;
}

function readCompressed(name: string): { compressed: Buffer; sha256: string } {
  const compressed = readFileSync(join(DIRECTORY, `${name}.tsv.gz`));
  return { compressed, sha256: createHash('sha256').update(compressed).digest('hex') };
}
