/** An export of the trainer to a model folder: verified files, calibrated heads, a self-check, and where it all comes from. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { loadModel, type Manifest, parseManifest, sha256Of } from '../model/manifest.ts';
import { openSession, toFeeds } from '../model/session-worker.ts';
import { TextTokenizer } from '../model/tokenizer.ts';
import { calibrate } from './calibrate.ts';
import { corpusHash, readCorpus } from './corpus.ts';
import { DistillError } from './distill-error.ts';
import { type Progress, Scorer } from './score-documents.ts';
import { TEACHER_NOTES, TEST_SETS, TRAINING_ONLY } from './test-sets.ts';

export interface BuildOptions {
  /** Folder with model.int8.onnx, tokenizer.json, heads.json, parity.json and run.json. */
  readonly exportDirectory: string;
  readonly corpusDirectory: string;
  readonly outDirectory: string;
  readonly name: string;
  readonly version: string;
  /** What a person would type to make this model again. */
  readonly command: string;
  readonly workers: number;
  readonly progress: Progress;
}

const GRAPH = 'model.int8.onnx';
const TOKENIZER = 'tokenizer.json';
/** Chosen on dev: see DECISIONS.md. */
const WINDOW = { tokens: 256, overlap: 64 };
const SPECIAL = { cls: 101, sep: 102, pad: 0 };
/** Answers differ a little between processors; a broken graph or kernel differs a lot. */
const TOLERANCE = 0.5;
const KNOWN_SENTENCE = 'The patient denies chest pain and takes metformin for type 2 diabetes.';

const headsSchema = z.object({
  served: z.array(z.string()).min(1),
  corpus: z.array(z.strictObject({ corpus: z.string(), type: z.string() })),
});

/** @throws DistillError EXPORT_INVALID */
export async function buildModel(options: BuildOptions): Promise<void> {
  const { exportDirectory, outDirectory, progress } = options;
  const heads = readExport(exportDirectory);
  mkdirSync(outDirectory, { recursive: true });
  for (const file of [GRAPH, TOKENIZER]) copyFileSync(join(exportDirectory, file), join(outDirectory, file));

  progress('build: self-check');
  const uncalibrated: Manifest['heads'] = heads.served.map(task => ({
    task,
    labels: ['O', 'I'],
    threshold: 0.5,
    temperature: 1,
    ece: 0,
  }));
  const manifest: Manifest = {
    format: 1,
    name: options.name,
    version: options.version,
    files: Object.fromEntries([GRAPH, TOKENIZER].map(file => [file, describe(join(outDirectory, file))])),
    graphs: { int8: GRAPH },
    tokenizer: TOKENIZER,
    window: WINDOW,
    specialTokens: SPECIAL,
    heads: uncalibrated,
    corpusHeads: heads.corpus,
    selfCheck: await askKnownSentence(outDirectory),
    training: provenance(options),
  };
  write(outDirectory, manifest);

  progress('build: calibrating on dev');
  const scorer = await Scorer.open(loadModel(outDirectory), 'logits', options.workers);
  try {
    const documents = await scorer.score(readCorpus(options.corpusDirectory, TEACHER_NOTES.file, 'dev'));
    write(outDirectory, { ...manifest, heads: calibrate(documents, heads.served) });
  } finally {
    await scorer.stop();
  }
}

function readExport(directory: string): z.output<typeof headsSchema> {
  const path = join(directory, 'heads.json');
  for (const file of [GRAPH, TOKENIZER, 'heads.json', 'run.json']) {
    if (!existsSync(join(directory, file)))
      throw new DistillError('EXPORT_INVALID', `${directory} is no export of the trainer: ${file} is missing`);
  }
  const heads = headsSchema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (!heads.success) throw new DistillError('EXPORT_INVALID', `${path} does not name served and corpus heads`);
  return heads.data;
}

async function askKnownSentence(directory: string): Promise<Manifest['selfCheck']> {
  const tokens = await new TextTokenizer(join(directory, TOKENIZER)).encode(KNOWN_SENTENCE);
  const inputIds = [SPECIAL.cls, ...tokens.ids, SPECIAL.sep];
  const session = await openSession({ graph: join(directory, GRAPH), provider: 'cpu', threads: 1, output: 'logits' });
  const ids = Int32Array.from(inputIds);
  const { logits } = await session.run(toFeeds({ ids, lengths: Int32Array.of(ids.length), columns: ids.length }), [
    'logits',
  ]);
  await session.release();
  return {
    inputIds,
    logits: Array.from(logits?.data as Float32Array, value => Number(value.toFixed(4))),
    tolerance: TOLERANCE,
  };
}

function provenance(options: BuildOptions): Record<string, unknown> {
  const run: unknown = JSON.parse(readFileSync(join(options.exportDirectory, 'run.json'), 'utf8'));
  const files = [...TEST_SETS, ...TRAINING_ONLY].map(({ file }) => ({
    file,
    sha256: corpusHash(options.corpusDirectory, file),
  }));
  return { command: options.command, data: files, run };
}

function describe(path: string): { sha256: string; bytes: number } {
  const bytes = readFileSync(path);
  return { sha256: sha256Of(bytes), bytes: bytes.length };
}

function write(directory: string, manifest: Manifest): void {
  const path = join(directory, 'manifest.json');
  const bytes = Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`);
  parseManifest(bytes, path);
  writeFileSync(path, bytes);
}
