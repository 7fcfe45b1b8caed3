/** An export of the trainer to a model folder: verified files, calibrated heads, a self-check, and where it all comes from. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Precision } from '../model/device.ts';
import { loadModel, type Manifest, parseManifest, sha256Of } from '../model/manifest.ts';
import { openSession, toFeeds } from '../model/session-worker.ts';
import { TextTokenizer } from '../model/tokenizer.ts';
import { calibrate } from './calibrate.ts';
import { DistillError } from './distill-error.ts';
import { parseExport } from './export-report.ts';
import { fittingNotes } from './fitting-notes.ts';
import { readJson } from './json-file.ts';
import { COMPANIONS } from './model-content.ts';
import { type Progress, Scorer } from './score-documents.ts';

export interface BuildOptions {
  /** Folder with model.int8.onnx, tokenizer.json, heads.json, run.json, and for other precisions export.json. */
  readonly exportDirectory: string;
  readonly corpusDirectory: string;
  readonly outDirectory: string;
  readonly name: string;
  readonly version: string;
  /** What a person would type to make this model again. */
  readonly command: string;
  readonly workers: number;
  /** Graphs beside int8, which every model has: for a GPU. */
  readonly precisions?: readonly Exclude<Precision, 'int8'>[];
  readonly progress: Progress;
}

const GRAPH = 'model.int8.onnx';
const TOKENIZER = 'tokenizer.json';
const MANIFEST = 'manifest.json';
/** Chosen on dev: see DECISIONS.md. */
const WINDOW = { tokens: 256, overlap: 64 };
/** Answers differ a little between processors; a broken graph or kernel differs a lot. */
const TOLERANCE = 0.5;
/** Where a model has graphs of several precisions, which share one check: what int8 rounds comes on top. */
const TOLERANCE_OF_SEVERAL = 1;
/** Share of word pieces that a graph beside int8 must decide as the trained model does: no gate of a promotion runs it. */
const AGREEMENT = 0.99;
const KNOWN_SENTENCE = 'The patient denies chest pain and takes metformin for type 2 diabetes.';

const headsSchema = z.object({
  served: z.array(z.string()).min(1),
  corpus: z.array(z.strictObject({ corpus: z.string(), type: z.string() })),
  specialTokens: z.strictObject({ cls: z.int(), sep: z.int(), pad: z.int() }),
});

const runSchema = z.looseObject({ data: z.array(z.object({ file: z.string(), sha256: z.string() })).min(1) });

/** Built aside and moved into place, so that a folder is never taken for a model before its heads are calibrated. @throws DistillError EXPORT_INVALID */
export async function buildModel(options: BuildOptions): Promise<void> {
  const { outDirectory } = options;
  // where there is a folder already it may be a disk of its own
  const building = existsSync(outDirectory) ? join(outDirectory, '.building') : `${outDirectory}.building`;
  rmSync(building, { recursive: true, force: true });
  try {
    const files = await buildIn(building, options);
    put(building, outDirectory, files);
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
}

/**
 * A folder without a manifest is no model, so that goes first where another model stands there, and comes last. What was measured of the
 * other one goes with it: whoever looks before this one is measured shall not find it.
 */
function put(building: string, outDirectory: string, files: readonly string[]): void {
  if (!existsSync(outDirectory)) {
    renameSync(building, outDirectory);
    return;
  }
  for (const file of [MANIFEST, ...COMPANIONS]) rmSync(join(outDirectory, file), { force: true });
  for (const file of [...files, MANIFEST]) renameSync(join(building, file), join(outDirectory, file));
}

/** @returns the names of its files, without the manifest. */
async function buildIn(directory: string, options: BuildOptions): Promise<string[]> {
  const { exportDirectory, progress } = options;
  const heads = readExport(exportDirectory);
  const others = otherGraphs(exportDirectory, options.precisions ?? []);
  const files = [GRAPH, ...Object.values(others), TOKENIZER];
  mkdirSync(directory, { recursive: true });
  for (const file of files) copyFileSync(join(exportDirectory, file), join(directory, file));

  progress('build: self-check');
  const tolerance = Object.keys(others).length === 0 ? TOLERANCE : TOLERANCE_OF_SEVERAL;
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
    files: Object.fromEntries(files.map(file => [file, describe(join(directory, file))])),
    graphs: { int8: GRAPH, ...others },
    tokenizer: TOKENIZER,
    window: WINDOW,
    specialTokens: heads.specialTokens,
    heads: uncalibrated,
    corpusHeads: heads.corpus,
    selfCheck: await askKnownSentence(directory, heads.specialTokens, tolerance),
    training: provenance(options),
  };
  for (const file of Object.values(others)) await checkAgainstInt8(join(directory, file), manifest);
  write(directory, manifest);

  progress('build: calibrating on dev');
  const { notes, fitted } = fittingNotes(options.corpusDirectory);
  const scorer = await Scorer.open(loadModel(directory), 'logits', options.workers);
  try {
    const scored = await scorer.score(notes);
    const training = { ...manifest.training, fitted };
    write(directory, { ...manifest, heads: calibrate(scored, heads.served), training });
  } finally {
    await scorer.stop();
  }
  return files;
}

function readExport(directory: string): z.output<typeof headsSchema> {
  const path = join(directory, 'heads.json');
  for (const file of [GRAPH, TOKENIZER, 'heads.json', 'run.json']) {
    if (!existsSync(join(directory, file)))
      throw new DistillError('EXPORT_INVALID', `${directory} is no export of the trainer: ${file} is missing`);
  }
  const heads = headsSchema.safeParse(readJson(path));
  if (!heads.success) throw new DistillError('EXPORT_INVALID', `${path} does not name served and corpus heads`);
  return heads.data;
}

/** Files by precision: the ones that were exported together with int8. */
function otherGraphs(directory: string, precisions: readonly Precision[]): Partial<Record<Precision, string>> {
  if (precisions.length === 0) return {};
  const path = join(directory, 'export.json');
  const { graphs } = parseExport(existsSync(path) ? readFileSync(path, 'utf8') : '{}', path);
  const files: Partial<Record<Precision, string>> = {};
  for (const precision of new Set<Precision>(['int8', ...precisions])) {
    const graph = graphs[precision];
    if (graph === undefined) throw new DistillError('EXPORT_INVALID', `${path} has no ${precision}: export it as well`);
    const file = join(directory, graph.file);
    if (!existsSync(file) || describe(file).sha256 !== graph.sha256)
      throw new DistillError('EXPORT_INVALID', `${file} is not the graph that ${path} describes: export anew`);
    if (precision === 'int8') continue;
    requireAgreement(graph.parity.decisionAgreement, `${path}: ${precision}`);
    files[precision] = graph.file;
  }
  return files;
}

function requireAgreement(byTask: Readonly<Record<string, number>>, graph: string): void {
  const [task, share] = Object.entries(byTask).find(([, each]) => each < AGREEMENT) ?? [];
  if (share === undefined) return;
  const why = `decides as the trained model does for ${(100 * share).toFixed(3)} % of word pieces (${task}), at least ${100 * AGREEMENT} % are needed`;
  throw new DistillError('EXPORT_INVALID', `${graph} ${why}: build without it, or export anew`);
}

async function askKnownSentence(
  directory: string,
  { cls, sep }: Manifest['specialTokens'],
  tolerance: number,
): Promise<Manifest['selfCheck']> {
  const tokens = await new TextTokenizer(join(directory, TOKENIZER)).encode(KNOWN_SENTENCE);
  const inputIds = [cls, ...tokens.ids, sep];
  const logits = await answer(join(directory, GRAPH), inputIds);
  return { inputIds, logits: Array.from(logits, value => Number(value.toFixed(4))), tolerance };
}

/** A model has one self-check for all of its graphs: one that fails it would never serve. @throws DistillError EXPORT_INVALID */
async function checkAgainstInt8(graph: string, { selfCheck }: Manifest): Promise<void> {
  const logits = await answer(graph, selfCheck.inputIds);
  const worst = selfCheck.logits.reduce(
    (most, each, i) => Math.max(most, Math.abs(each - (logits[i] ?? Number.NaN))),
    0,
  );
  if (logits.length === selfCheck.logits.length && worst <= selfCheck.tolerance) return;
  const why = `${graph} is off int8 by ${worst.toFixed(3)} on the self-check, allowed ${selfCheck.tolerance}`;
  throw new DistillError('EXPORT_INVALID', why);
}

async function answer(graph: string, inputIds: readonly number[]): Promise<Float32Array> {
  const session = await openSession({ graph, provider: 'cpu', threads: 1, output: 'logits' });
  const ids = Int32Array.from(inputIds);
  const batch = { ids, lengths: Int32Array.of(ids.length), columns: ids.length };
  const { logits } = await session.run(toFeeds(batch), ['logits']);
  await session.release();
  return logits?.data as Float32Array;
}

/** `data`: what the trainer read labels from. */
function provenance({ exportDirectory, command }: BuildOptions): Record<string, unknown> {
  const path = join(exportDirectory, 'run.json');
  const run = runSchema.safeParse(readJson(path));
  if (!run.success) throw new DistillError('EXPORT_INVALID', `${path} does not name the data that trained the model`);
  return { command, data: run.data.data.filter(({ file }) => /^(gold|teacher)\//.test(file)), run: run.data };
}

function describe(path: string): { sha256: string; bytes: number } {
  const bytes = readFileSync(path);
  return { sha256: sha256Of(bytes), bytes: bytes.length };
}

function write(directory: string, manifest: Manifest): void {
  const path = join(directory, MANIFEST);
  const bytes = Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`);
  parseManifest(bytes, path);
  writeFileSync(path, bytes);
}
