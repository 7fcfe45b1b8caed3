/** All that a promotion copies: the model, by its manifest, and the files beside it for which no manifest vouches. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256Of, type VerifiedModel } from '../model/manifest.ts';
import { ROUTING_FILE } from '../model/routing.ts';
import { METRICS_FILE } from './metrics-file.ts';

export const CARD_FILE = 'MODEL_CARD.md';
/** What is measured of a model after it is made. */
export const COMPANIONS = [ROUTING_FILE, METRICS_FILE, CARD_FILE];

/** Companions that are there. */
export function companionsOf({ directory, manifest }: VerifiedModel): string[] {
  return COMPANIONS.filter(name => !(name in manifest.files) && existsSync(join(directory, name)));
}

/** @returns sha-256, in hexadecimal, over the manifest and the companions as they are now: two models with the same are alike in every file. */
export function contentHash(model: VerifiedModel): string {
  const hash = createHash('sha256').update(`manifest.json ${model.identity.sha256}\n`);
  for (const name of companionsOf(model))
    hash.update(`${name} ${sha256Of(readFileSync(join(model.directory, name)))}\n`);
  return hash.digest('hex');
}

/** Such as `notes-minilm-1.0.0-b2f4f1e0`, from the content: what differs in any file has another folder. */
export function folderOf({ identity: { name, version } }: VerifiedModel, content: string): string {
  const plain = `${name}-${version}`.replace(/[^A-Za-z0-9._-]+/g, '_').replace(/^[^A-Za-z0-9]+/, '');
  return `${plain.slice(0, 150)}-${content.slice(0, 8)}`;
}
