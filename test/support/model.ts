/** The committed model, as every test that needs one uses it. Missing, it fails the test: a clone without its model is broken. */
import { resolve } from 'node:path';

export const MODEL_DIRECTORY = resolve(import.meta.dirname, '../../models/notes-minilm');
export const ROOT = resolve(import.meta.dirname, '../..');
