/** Understands what a teacher asked as a model would: which task, and which note between the tags. */
import { createHash } from 'node:crypto';
import { parseGuidelines } from '../../src/teachers/guideline-text.ts';
import { instructionsFor, PROMPTED_TASKS } from '../../src/teachers/prompts.ts';

export interface Question {
  readonly task: string;
  /** The note's section, without what stands around it. */
  readonly text: string;
}

/** Undefined when this is no question of ours, or when the tag is not the note's own. */
export function readQuestion(instructions: string, message: string): Question | undefined {
  const task = taskOf(instructions);
  const framed = /^NOTE ([0-9a-f]{16})\n(.*)\nEND \1$/s.exec(message);
  const text = framed?.[2];
  if (task === undefined || text === undefined) return undefined;
  const tag = createHash('sha256').update(text, 'utf8').digest('hex').slice(0, 16);
  return framed?.[1] === tag ? { task, text } : undefined;
}

/** Of a built-in prompt every word must be known; of guidelines of one's own, what stands around them. */
function taskOf(instructions: string): string | undefined {
  const builtIn = PROMPTED_TASKS.find(one => instructionsFor(one) === instructions);
  if (builtIn !== undefined) return builtIn;
  const task = /^You mark mentions of one kind in clinical notes: (.+)\.\n/.exec(instructions)?.[1];
  if (task === undefined) return undefined;
  const [before = '', after = ''] = instructionsFor(task, ANY).split(ANY.text);
  return instructions.startsWith(before) && instructions.endsWith(after) ? task : undefined;
}

const ANY = parseGuidelines('<guidelines>');

/** What a note demands of a model that obeys: the words after `say:`. */
export function demanded(text: string): string {
  return /say: (.+)/.exec(text)?.[1] ?? 'as you wish';
}
