/** The committed models. Missing, they fail a test: a clone without its models is broken. */
import { join, resolve } from 'node:path';
import { DEFAULT_MODEL } from '../../src/config.ts';

export const ROOT = resolve(import.meta.dirname, '../..');
/** What ships: the one that serves by default, and the faster one. */
export const SHIPPED = ['notes-minilm', 'notes-minilm-fast'] as const;
export type Shipped = (typeof SHIPPED)[number];
export const directoryOf = (name: Shipped): string => join(ROOT, 'models', name);
/** The default one, as every test that needs just any uses it. */
export const MODEL_DIRECTORY = DEFAULT_MODEL;
