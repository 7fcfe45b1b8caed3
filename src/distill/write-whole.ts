import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DistillError } from './distill-error.ts';

/**
 * The file is there whole or not at all, and so is what it replaces; after a loss of power too.
 * @param mode of the file, 0o666 less the umask when absent. @throws DistillError OUTPUT_FAILED
 */
export function writeWhole(path: string, text: string, mode = 0o666): void {
  const building = `${path}.${process.pid}.new`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    const file = openSync(building, 'w', mode);
    try {
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(building, path);
  } catch (cause) {
    rmSync(building, { force: true });
    throw new DistillError('OUTPUT_FAILED', `${path} cannot be written (${(cause as NodeJS.ErrnoException).code})`, {
      cause,
    });
  }
}
