/** Files of a model and of a store. */
import { readFileSync } from 'node:fs';
import { ModelError } from './model-error.ts';

/** @throws ModelError MODEL_UNREADABLE */
export function readModelFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const what = `cannot read ${path} (${code}): it must be a file that the user who runs clinstream may read`;
    throw new ModelError('MODEL_UNREADABLE', what, { cause });
  }
}
