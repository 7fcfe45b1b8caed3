/**
 * Guidelines of one's own, in words, in place of the built-in ones: what counts as a mention, and how far it reaches. They replace
 * nothing of how a note is sent or an answer is given. A line `# task: NAME` begins what is about that task alone; what stands
 * before the first such line is said of all. Without such a line the whole text is about every task.
 */
import type { Task } from '../core/span.ts';
import { sha256 } from './frame.ts';

export interface GuidelineText {
  /** As it was read. */
  readonly text: string;
  /** Of the text in UTF-8; lower-case hexadecimal. */
  readonly sha256: string;
  /** Those it has lines about; undefined when it is about every task. */
  readonly tasks: readonly Task[] | undefined;
  /** What is said of a task. @throws RangeError for one that it is not about */
  of(task: Task): string;
}

const HEADING = /^# task: *(.*?) *$/;

/** @throws RangeError for a text that says nothing, of a task or at all, or that has a task twice. */
export function parseGuidelines(text: string): GuidelineText {
  const common: string[] = [];
  const own = new Map<Task, string[]>();
  let lines = common;
  for (const line of text.replaceAll('\r\n', '\n').split('\n')) {
    const task = HEADING.exec(line)?.[1];
    if (task === undefined) {
      lines.push(line);
      continue;
    }
    if (task === '') throw new RangeError('a line "# task:" names no task');
    if (own.has(task)) throw new RangeError(`the task ${task} stands there twice`);
    lines = [];
    own.set(task, lines);
  }
  const ofAll = common.join('\n').trim();
  const silent = own.entries().find(([, each]) => each.join('\n').trim() === '');
  if (silent !== undefined) throw new RangeError(`nothing is said of the task ${silent[0]}`);
  if (ofAll === '' && own.size === 0) throw new RangeError('the guidelines say nothing');
  return {
    text,
    sha256: sha256(text),
    tasks: own.size === 0 ? undefined : [...own.keys()],
    of(task) {
      const alone = own.get(task);
      if (alone === undefined && own.size > 0) throw new RangeError(`the guidelines say nothing of the task ${task}`);
      return [ofAll, alone?.join('\n').trim() ?? ''].filter(each => each !== '').join('\n\n');
    },
  };
}
