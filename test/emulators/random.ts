/** Chance that is the same in every run: a number drawn from what it decides about, whatever the order of requests. */
import { createHash } from 'node:crypto';

/** In [0, 1). */
export function seededUnit(about: string): number {
  return createHash('sha256').update(about).digest().readUInt32BE(0) / 2 ** 32;
}
