/**
 * A note is sent as a message of its own, between two lines that carry a tag made of the note's own hash: to forge the closing
 * line, a note would have to contain its own hash.
 */
import { createHash } from 'node:crypto';

/** What stands around a text; part of the prompt's version. */
export const FRAME = 'NOTE {tag}\n{text}\nEND {tag}';

/** Of UTF-8, lower-case hexadecimal. */
export function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

export function frame(text: string): string {
  const tag = sha256(text).slice(0, 16);
  return FRAME.replaceAll('{tag}', tag).replace('{text}', () => text);
}
