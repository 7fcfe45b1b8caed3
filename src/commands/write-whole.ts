import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** The file is there whole or not at all, and so is what it replaces. @param mode of the file, 0o666 less the umask when absent. */
export function writeWhole(path: string, text: string, mode?: number): void {
  mkdirSync(dirname(path), { recursive: true });
  const building = `${path}.${process.pid}.new`;
  writeFileSync(building, text, mode === undefined ? {} : { mode });
  renameSync(building, path);
}
