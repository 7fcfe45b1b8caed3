/** Guidelines from a file. */
import { readFileSync } from 'node:fs';
import { ConfigError } from '../config.ts';
import { type GuidelineText, parseGuidelines } from '../teachers/guideline-text.ts';

/** @throws ConfigError CONFIG_UNREADABLE, or CONFIG_INVALID for a text that says nothing of a task. */
export function readGuidelines(path: string): GuidelineText {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new ConfigError('CONFIG_UNREADABLE', `${path}: the guidelines cannot be read (${code})`, { cause });
  }
  try {
    return parseGuidelines(text);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new ConfigError('CONFIG_INVALID', `${path}: ${cause.message}`, { cause });
  }
}
