/** Ids that are functions of what they identify: the same note and model give the same id, however often they are processed. */
import { createHash } from 'node:crypto';

/** SHA-256 of a text in UTF-8, in lower-case hexadecimal. */
export function textSha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

/** A UUID (version 8 of RFC 9562: custom) from the SHA-256 of the parts; parts never run into each other. */
export function deterministicId(parts: readonly (string | number)[]): string {
  const digest = createHash('sha256').update(JSON.stringify(parts), 'utf8').digest().subarray(0, 16);
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x80;
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80;
  return digest.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
