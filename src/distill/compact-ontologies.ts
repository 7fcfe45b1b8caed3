/**
 * Makes the shipped dictionaries from the ontology files of a corpus directory: `node src/distill/compact-ontologies.ts CORPUS`. Dropped is
 * what a note would never say, and what it says in another sense: names that on the training splits were right less than two times in five
 * become the stop-list, which is committed beside the dictionaries so that anyone can read what they do not know. Same input, same bytes.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { isAbbreviation, TermIndex } from '../teachers/term-index.ts';
import { type NormalWords, toNormalWords } from '../text/normal-words.ts';
import { type Pieces, toPieces } from '../text/pieces.ts';
import { type CorpusDocument, readCorpus } from './corpus.ts';

const OUT = resolve(import.meta.dirname, '../teachers/ontologies');
const TRAINING = ['teacher/notes.jsonl', 'gold/maccrobat.jsonl'];
/** Nobody writes longer names into a note; in words, with punctuation. */
const MOST_WORDS = 8;
const MOST_CHARACTERS = 80;
const FEWEST_LETTERS = 3;
/** A name is stopped when it was wrong this often or more, and right in less than this share. */
const WRONG = 3;
const RIGHT_SHARE = 0.4;
/** Each round uncovers shorter names inside those that the last one stopped. */
const ROUNDS = 3;

interface Row {
  readonly name: string;
  readonly code: string;
  readonly source: string;
  /** The normal form, by which names are the same. */
  readonly key: string;
}

interface Plan {
  readonly ontology: string;
  readonly types: readonly string[];
  /** Source keys by the file's own names, the most wanted code first; what is not here is left out. */
  readonly sources: Readonly<Record<string, string>>;
}

const PLANS: readonly Plan[] = [
  {
    ontology: 'drugs',
    types: ['medication', 'Medication'],
    sources: { 'DrugBank-open': 'B', 'RxNorm-derived': 'R' },
  },
  {
    // NCIt's names are of anatomy, findings and genes too: with them F1 falls on human labels
    ontology: 'diseases',
    types: ['disease', 'Disease_disorder'],
    sources: { 'DOID-2026': 'D', MONDO: 'M', 'DOID-2018': 'D' },
  },
  {
    ontology: 'symptoms',
    types: ['symptom', 'Sign_symptom'],
    sources: { HPO: 'H', SYMP: 'S', 'MeSH-signs-and-symptoms': 'T' },
  },
];

interface Training {
  readonly document: CorpusDocument;
  readonly pieces: Pieces;
  readonly normal: NormalWords;
}

export function compactOntologies(corpusDirectory: string, log: (line: string) => void): void {
  const training = TRAINING.flatMap(file => readCorpus(corpusDirectory, file, 'train')).map(document => {
    const pieces = toPieces(document.text);
    return { document, pieces, normal: toNormalWords(pieces) };
  });
  const stopped: string[] = [];
  const diseases = new Set<string>();
  for (const plan of PLANS) {
    let rows = distinct(readRows(corpusDirectory, plan));
    if (plan.ontology === 'diseases') for (const row of rows) diseases.add(row.key);
    // the phenotype ontology names diseases too: as phenotypes of others
    if (plan.ontology === 'symptoms') rows = rows.filter(row => row.source !== 'H' || !diseases.has(row.key));
    for (let round = 0; round < ROUNDS; round++) {
      const stops = wrongNames(rows, plan.types, training);
      stopped.push(...[...stops].map(key => `${plan.ontology}\t${key}`));
      rows = rows.filter(row => !stops.has(row.key));
    }
    const compressed = gzipSync(toLines(rows), { level: 9 });
    writeFileSync(join(OUT, `${plan.ontology}.tsv.gz`), compressed);
    log(`${plan.ontology}: ${rows.length} names, ${compressed.length} bytes`);
  }
  writeFileSync(join(OUT, 'stopped.tsv'), `${stopped.sort().join('\n')}\n`);
  log(`stopped: ${stopped.length} names`);
}

function readRows(corpusDirectory: string, { ontology, sources }: Plan): Row[] {
  const text = gunzipSync(readFileSync(join(corpusDirectory, 'ontology', `${ontology}.tsv.gz`))).toString('utf8');
  const order = Object.keys(sources);
  return text
    .split('\n')
    .slice(1)
    .map(line => line.split('\t'))
    .filter(([, , source]) => source !== undefined && order.includes(source))
    .sort((a, b) => order.indexOf(a[2] as string) - order.indexOf(b[2] as string))
    .map(([name = '', code = '', source = '']) => ({
      name,
      code,
      source: sources[source] as string,
      key: toNormalWords(toPieces(name)).words.join(' '),
    }))
    .filter(({ name, key }) => {
      const letters = name.match(/\p{L}/gu)?.length ?? 0;
      return letters >= FEWEST_LETTERS && key.length <= MOST_CHARACTERS && key.split(' ').length <= MOST_WORDS;
    });
}

/** One row a name: the first source's code, in the first spelling that is not bound to capitals. */
function distinct(rows: readonly Row[]): Row[] {
  const byKey = new Map<string, Row>();
  for (const row of rows) {
    const known = byKey.get(row.key);
    if (known === undefined) byKey.set(row.key, row);
    else if (isAbbreviation(known.name) && !isAbbreviation(row.name)) byKey.set(row.key, { ...known, name: row.name });
  }
  return [...byKey.values()];
}

function wrongNames(rows: readonly Row[], types: readonly string[], training: readonly Training[]): Set<string> {
  const terms = new TermIndex(toLines(rows));
  const tally = new Map<string, { right: number; wrong: number }>();
  for (const { document, pieces, normal } of training) {
    const inside = new Uint8Array((pieces.points[pieces.count] as number) + 1);
    for (const { start, end, type } of document.entities) if (types.includes(type)) inside.fill(1, start, end);
    for (const { term, first, last } of terms.match(pieces, normal)) {
      const words = Array.from(normal.pieces.subarray(first, last), piece => pieces.points[piece] as number);
      const hits = words.filter(point => inside[point] === 1).length;
      const key = toNormalWords(toPieces(term.name)).words.join(' ');
      const entry = tally.get(key) ?? { right: 0, wrong: 0 };
      tally.set(key, entry);
      if (2 * hits >= words.length) entry.right++;
      else entry.wrong++;
    }
  }
  const isWrong = ({ right, wrong }: { right: number; wrong: number }): boolean =>
    wrong >= WRONG && right < RIGHT_SHARE * (right + wrong);
  return new Set([...tally].filter(([, entry]) => isWrong(entry)).map(([key]) => key));
}

/** Sorted, which also packs best. */
function toLines(rows: readonly Row[]): Buffer {
  const lines = rows.map(({ name, code, source }) => `${name}\t${code}\t${source}\n`);
  return Buffer.from(lines.sort().join(''));
}

if (import.meta.main) {
  const directory = process.argv[2];
  if (directory === undefined) throw new Error('node src/distill/compact-ontologies.ts CORPUS_DIRECTORY');
  compactOntologies(resolve(directory), line => void process.stderr.write(`${line}\n`));
}
