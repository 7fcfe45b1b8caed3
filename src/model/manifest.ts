/**
 * A model is a folder with a manifest that names every file with its sha-256. Nothing is loaded before it is verified, and the
 * manifest says everything the program needs to know: adding a head is data, not code.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Head } from '../core/tokens.ts';
import { ModelError } from './model-error.ts';
import { readModelFile } from './read-file.ts';

const fraction = z.number().gt(0).lt(1);

const manifestSchema = z.strictObject({
  format: z.literal(1),
  name: z.string().min(1),
  version: z.string().min(1),
  /** By name, without a path: a model is one folder. */
  files: z.record(
    z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/),
    z.strictObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/), bytes: z.number().int().positive() }),
  ),
  /** File of the graph in each precision; `int8` serves on the CPU, the others on a GPU. */
  graphs: z.strictObject({ int8: z.string(), fp16: z.string().optional(), fp32: z.string().optional() }),
  tokenizer: z.string(),
  /** In tokens, special tokens included in `tokens`. */
  window: z.strictObject({ tokens: z.number().int().min(8), overlap: z.number().int().min(0) }),
  specialTokens: z.strictObject({ cls: z.number().int(), sep: z.number().int(), pad: z.number().int() }),
  /** In the order of the channels of the output `logits`. */
  heads: z
    .array(
      z.strictObject({
        task: z.string().min(1),
        labels: z.tuple([z.literal('O'), z.literal('I')]),
        threshold: fraction,
        temperature: z.number().positive(),
        /** Expected calibration error on the dev notes that the temperature was fitted on, with it. */
        ece: z.number().min(0),
      }),
    )
    .min(1),
  /** In the order of the channels of the output `corpus_logits`: one head a corpus and type, for comparison with its literature. */
  corpusHeads: z.array(z.strictObject({ corpus: z.string(), type: z.string() })),
  /** Every session must give these logits (row-major [tokens × heads]) for these ids before it serves. */
  selfCheck: z.strictObject({
    inputIds: z.array(z.number().int()).min(3),
    logits: z.array(z.number()),
    tolerance: z.number().positive(),
  }),
  /** Where the model comes from: data with hashes, commit, command, seed. */
  training: z.record(z.string(), z.unknown()),
});

export type Manifest = z.output<typeof manifestSchema>;

export interface ModelIdentity {
  readonly name: string;
  readonly version: string;
  /** Of manifest.json, which holds the sha-256 of every other file. */
  readonly sha256: string;
}

/** A model whose files are all there and unchanged. */
export interface VerifiedModel {
  readonly directory: string;
  readonly identity: ModelIdentity;
  readonly manifest: Manifest;
  readonly heads: readonly Head[];
}

/** @throws ModelError MODEL_MISSING, MODEL_UNREADABLE, MANIFEST_INVALID or MODEL_FILE_CHANGED. */
export function loadModel(directory: string): VerifiedModel {
  const path = join(directory, 'manifest.json');
  if (isMissing(path)) {
    throw new ModelError(
      'MODEL_MISSING',
      `there is no model in ${directory}: it must hold a manifest.json (see 'clinstream models list')`,
    );
  }
  const bytes = readModelFile(path);
  const manifest = parseManifest(bytes, path);
  for (const [name, { sha256, bytes: size }] of Object.entries(manifest.files)) {
    const file = join(directory, name);
    if (isMissing(file)) throw new ModelError('MODEL_MISSING', `${file} is missing: the manifest names it`);
    const content = readModelFile(file);
    if (content.length !== size || sha256Of(content) !== sha256) {
      throw new ModelError(
        'MODEL_FILE_CHANGED',
        `${file} is not the file that the manifest describes: restore it, or train and promote anew`,
      );
    }
  }
  return {
    directory,
    identity: { name: manifest.name, version: manifest.version, sha256: sha256Of(bytes) },
    manifest,
    heads: manifest.heads,
  };
}

/** @throws ModelError MANIFEST_INVALID naming the key. */
export function parseManifest(bytes: Buffer, path: string): Manifest {
  const invalid = (what: string): ModelError => new ModelError('MANIFEST_INVALID', `${path}: ${what}`);
  let raw: unknown;
  try {
    raw = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw invalid('not JSON');
  }
  const parsed = manifestSchema.safeParse(raw);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw invalid(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`);
  }
  const manifest = parsed.data;
  for (const name of [...Object.values(manifest.graphs), manifest.tokenizer]) {
    if (name !== undefined && !(name in manifest.files)) throw invalid(`files: ${name} is used but not listed`);
  }
  if (manifest.window.tokens - 2 <= manifest.window.overlap)
    throw invalid('window.overlap: must be shorter than the window');
  if (manifest.selfCheck.logits.length !== manifest.selfCheck.inputIds.length * manifest.heads.length) {
    throw invalid('selfCheck.logits: needs one number a token and head');
  }
  return manifest;
}

/** The folders of `directory` that hold a manifest, by name. */
export function listModels(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter(name => existsSync(join(directory, name, 'manifest.json')))
    .sort();
}

/** A folder that may not be looked into is not one without a model. */
function isMissing(path: string): boolean {
  try {
    statSync(path);
    return false;
  } catch (error) {
    return ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
  }
}

export function sha256Of(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
