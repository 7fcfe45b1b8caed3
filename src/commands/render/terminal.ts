/** A note for a terminal: mentions coloured by task, or bracketed where there is no colour. Control characters are made visible. */
import type { Entity, Task } from '../../core/span.ts';
import type { Segment } from './segments.ts';

const COLOURS: readonly string[] = ['46;30', '41;97', '43;30', '45;97', '42;30'];

/** A note could carry escape sequences that drive the reader's terminal: show them instead. */
export function printable(text: string): string {
  return text.replace(/(?![\n\t])\p{Cc}/gu, character =>
    character === '\r' ? '' : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

export function renderTerminal(parts: readonly Segment[], tasks: readonly Task[], colour: boolean): string {
  return parts.map(part => renderPart(part, tasks, colour)).join('');
}

function renderPart(part: Segment, tasks: readonly Task[], colour: boolean): string {
  const entity = part.entities[0];
  const text = printable(part.text);
  if (entity === undefined) return text;
  if (!colour) return `[${text}|${part.entities.map(each => each.task).join('+')}]`;
  return `\u001b[${colourOf(entity, tasks)}m${text}\u001b[0m`;
}

function colourOf(entity: Entity, tasks: readonly Task[]): string {
  return COLOURS[Math.max(0, tasks.indexOf(entity.task)) % COLOURS.length] as string;
}

/** One line that names each task in its colour. */
export function legend(tasks: readonly Task[], colour: boolean): string {
  return tasks
    .map((task, i) => (colour ? `\u001b[${COLOURS[i % COLOURS.length]}m ${task} \u001b[0m` : `[…|${task}]`))
    .join('  ');
}
