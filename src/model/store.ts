/**
 * A store is a folder of model folders with a `serving.json` that says which of them serves, and how it came to. Whoever names a model
 * may name a store in its place. A change of what serves is one more entry at the end of the history; nothing is ever taken out of it.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { loadModel, type VerifiedModel } from './manifest.ts';
import { ModelError } from './model-error.ts';
import { readModelFile } from './read-file.ts';

export const SERVING_FILE = 'serving.json';

/** A name that stays inside its folder. */
const plainName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/);

const changeSchema = z.strictObject({
  /** `promote` puts a folder on top of what served before; `rollback` goes back to one below. */
  change: z.enum(['promote', 'rollback']),
  folder: plainName,
  model: z.strictObject({ name: z.string(), version: z.string(), sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
  /** Since when it serves. */
  at: z.iso.datetime(),
  /** Where the model was copied from, or the folder that served until then. */
  from: z.string(),
  command: z.string(),
  commit: z.string(),
  /** Why it serves in spite of failed gates. */
  forced: z.string().min(1).optional(),
  /** The report of the gates: numbers, ids and hashes, never text. */
  report: z.record(z.string(), z.unknown()).optional(),
});

const storeSchema = z.strictObject({
  format: z.literal(1),
  /** Folder of the model that serves: that of the last change. */
  serving: plainName,
  /** Oldest first. */
  history: z.array(changeSchema).min(1),
});

export type Change = z.output<typeof changeSchema>;
export type Store = z.output<typeof storeSchema>;

/** The model in a folder, or the one that serves in a store. @throws ModelError STORE_INVALID, or as loadModel */
export function loadServing(path: string): VerifiedModel {
  return loadModel(servingDirectory(path));
}

/** @returns `path` itself unless it is a store. @throws ModelError STORE_INVALID */
export function servingDirectory(path: string): string {
  const store = readStore(path);
  if (store === null) return path;
  if (existsSync(join(path, 'manifest.json'))) {
    const why = `${path} holds both manifest.json and ${SERVING_FILE}: it cannot be a model and a store of models`;
    throw new ModelError('STORE_INVALID', why);
  }
  return join(path, store.serving);
}

/**
 * @returns null for a folder in which nothing was promoted yet, or none.
 * @throws ModelError MODEL_UNREADABLE, or STORE_INVALID naming the key.
 */
export function readStore(directory: string): Store | null {
  const path = join(directory, SERVING_FILE);
  if (!existsSync(path)) return null;
  return parseStore(readModelFile(path).toString('utf8'), path);
}

/** @throws ModelError STORE_INVALID naming the key. */
export function parseStore(text: string, path: string): Store {
  const invalid = (what: string): ModelError => new ModelError('STORE_INVALID', `${path}: ${what}`);
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    throw invalid('not JSON');
  }
  const parsed = storeSchema.safeParse(raw);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw invalid(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`);
  }
  const last = parsed.data.history.at(-1)?.folder;
  if (last !== parsed.data.serving) throw invalid(`serving: the last change of the history made ${last} serve`);
  return parsed.data;
}

/** What serves on top of what served before it, the first promotion at the bottom. */
export function stackOf(history: readonly Pick<Change, 'change' | 'folder'>[]): string[] {
  const stack: string[] = [];
  for (const { change, folder } of history) {
    const below = change === 'promote' ? -1 : stack.lastIndexOf(folder, -2);
    // a rollback to what is not below, such as to a model that was left by an earlier rollback, goes on top
    if (below < 0) stack.push(folder);
    else stack.length = below + 1;
  }
  return stack;
}
