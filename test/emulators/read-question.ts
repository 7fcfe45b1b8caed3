/** Understands what a teacher asked as a model would: which task, and which note between the tags. */
import { createHash } from 'node:crypto';
import { instructionsFor, PROMPTED_TASKS } from '../../src/teachers/prompts.ts';

export interface Question {
  readonly task: string;
  /** The note's section, without what stands around it. */
  readonly text: string;
}

/** Undefined when this is no question of ours, or when the tag is not the note's own. */
export function readQuestion(instructions: string, message: string): Question | undefined {
  const task = PROMPTED_TASKS.find(one => instructionsFor(one) === instructions);
  const framed = /^NOTE ([0-9a-f]{16})\n(.*)\nEND \1$/s.exec(message);
  const text = framed?.[2];
  if (task === undefined || text === undefined) return undefined;
  const tag = createHash('sha256').update(text, 'utf8').digest('hex').slice(0, 16);
  return framed?.[1] === tag ? { task, text } : undefined;
}

/** What a note demands of a model that obeys: the words after `say:`. */
export function demanded(text: string): string {
  return /say: (.+)/.exec(text)?.[1] ?? 'as you wish';
}
