/** A small corpus directory, and candidates made of the committed model, as promotions need them. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { corpusHash } from '../../src/distill/corpus.ts';
import { type Manifest, sha256Of } from '../../src/model/manifest.ts';
import { MODEL_DIRECTORY, ROOT } from './model.ts';

interface Row {
  readonly id: string;
  readonly split: string;
  readonly text: string;
  readonly entities: readonly { readonly start: number; readonly end: number; readonly type: string }[];
}

const FILE = 'teacher/notes.jsonl';

/** Short labelled dev notes as test split, the long ones as train split. @param more rows beside them. @returns the gate's documents. */
export function makeCorpus(directory: string, more: (gate: readonly Row[]) => readonly Row[] = () => []): Row[] {
  const rows = readFileSync(join(ROOT, 'test/data/quality/teacher-dev.jsonl'), 'utf8')
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Row)
    .filter(({ text }) => text.length > 400)
    .map(row => ({ ...row, split: row.text.length < 1_300 ? 'test' : 'train' }));
  const gate = rows.filter(({ split }) => split === 'test');
  mkdirSync(join(directory, 'teacher'), { recursive: true });
  writeFileSync(join(directory, FILE), [...rows, ...more(gate)].map(row => `${JSON.stringify(row)}\n`).join(''));
  return gate;
}

/**
 * A copy of the committed model that the corpus directory trained, by its manifest, with thresholds and figures of its own.
 * @param measured where those come from.
 */
export function makeCandidate(
  directory: string,
  corpus: string,
  change: (manifest: Manifest) => Partial<Manifest> = () => ({}),
  measured: object = {},
): string {
  cpSync(MODEL_DIRECTORY, directory, { recursive: true });
  const path = join(directory, 'manifest.json');
  const committed = JSON.parse(readFileSync(path, 'utf8')) as Manifest;
  const training = { data: [{ file: FILE, sha256: corpusHash(corpus, FILE) }] };
  const manifest = `${JSON.stringify({ ...committed, training, ...change(committed) })}\n`;
  writeFileSync(path, manifest);
  const read = (name: string) => JSON.parse(readFileSync(join(directory, name), 'utf8')) as { model: object };
  const [routing, metrics] = [read('routing.json'), read('metrics.json')];
  const model = { ...routing.model, sha256: sha256Of(manifest) };
  writeFileSync(join(directory, 'routing.json'), JSON.stringify({ ...routing, model, measured }));
  writeFileSync(join(directory, 'metrics.json'), JSON.stringify({ ...metrics, model }));
  return directory;
}
