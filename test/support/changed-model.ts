/** The committed model with other thresholds: it loads and passes its own check, and decides differently. */
import { createHash } from 'node:crypto';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MODEL_DIRECTORY } from './model.ts';

interface Manifest {
  name: string;
  version: string;
  heads: { task: string; threshold: number }[];
}

/** Hashes fit again, also that of the manifest in routing.json. @param change of the manifest. */
export function changedModel(directory: string, change: (manifest: Manifest) => void): string {
  cpSync(MODEL_DIRECTORY, directory, { recursive: true });
  const path = join(directory, 'manifest.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as Manifest;
  change(manifest);
  writeFileSync(path, JSON.stringify(manifest));
  const routingPath = join(directory, 'routing.json');
  const routing = JSON.parse(readFileSync(routingPath, 'utf8')) as {
    model: { name: string; version: string; sha256: string };
  };
  routing.model.name = manifest.name;
  routing.model.version = manifest.version;
  routing.model.sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
  writeFileSync(routingPath, JSON.stringify(routing));
  return directory;
}

/** It marks less than the committed one. */
export function stricterModel(directory: string): string {
  return changedModel(directory, manifest => {
    manifest.version = '9.9.9';
    for (const head of manifest.heads) head.threshold = 0.9;
  });
}
