/** A selection as a page to read: for each task the best candidates, each annotator alone, and what follows from them. */
import type { Task } from '../core/span.ts';
import type { Interval } from '../evaluation/bootstrap.ts';
import { nameOf, type Selection, type Shown } from './select.ts';

export interface SelectedOn {
  readonly file: string;
  readonly split: string;
  /** Documents scored, and how many the file has. */
  readonly documents: number;
  readonly of: number;
}

export type SelectionOfTask = Selection & {
  /** Names of annotators that mark none of the task, and so were left out. */
  readonly silent: readonly string[];
};

export function renderSelections(selections: ReadonlyMap<Task, SelectionOfTask>, on: SelectedOn): string {
  const documents =
    on.documents === on.of
      ? `${on.of} documents`
      : `the ${on.documents} of ${on.of} documents that all annotators have`;
  return `# Annotators selected on ${on.file}, ${on.split}: ${documents}

Token-level scores; in brackets 95 % bootstrap intervals over documents. The best of many candidates on the very documents that chose
it looks better than it is: score what is chosen on others.

${Array.from(selections, ([task, selection]) => renderTask(task, selection)).join('\n')}`;
}

function renderTask(task: Task, selection: SelectionOfTask): string {
  return `## ${task}

| rank of ${selection.ranked.length} | annotators | fusion | P | R | F1 | cost |
|---|---|---|---|---|---|---|
${selection.shown.map(row).join('\n')}

${selection.silent.map(name => `Left out: ${name}, which marks none.\n`).join('')}${verdict(selection)}
${choice(selection)}
`;
}

function row({ rank, candidate, interval }: Shown): string {
  const { annotators, fusion, precision, recall, f1, cost } = candidate;
  const figures = `${digits(precision)} | ${digits(recall)} | ${digits(f1)} ${brackets(interval)} | ${amount(cost)}`;
  return `| ${rank} | ${annotators.join(' + ')} | ${fusion} | ${figures} |`;
}

function verdict({ best, runnerUp }: Selection): string {
  if (runnerUp === undefined) return `Best: ${nameOf(best)}; no other candidate scores otherwise.`;
  const { candidate, difference, beyondChance } = runnerUp;
  const beyond = beyondChance ? 'beyond chance' : 'not beyond chance';
  return `Best: ${nameOf(best)}. Runner-up: ${nameOf(candidate)}; the best is ahead by ${brackets(difference)}, ${beyond}.`;
}

function choice({ ranked, best, chosen: { candidate, difference } }: Selection): string {
  const why =
    candidate !== best
      ? `the cheapest that the best does not beat beyond chance (ahead by ${brackets(difference)}), at ${amount(candidate.cost)} a note against ${amount(best.cost)}`
      : ranked.some(each => each.cost < best.cost)
        ? 'the best, for it beats all that cost less beyond chance'
        : ranked.every(each => each.cost === 0)
          ? 'the best; no costs were given'
          : 'the best, for none costs less';
  return `Chosen: ${nameOf(candidate)}: ${why}.`;
}

function amount(cost: number): string {
  return String(Number(cost.toPrecision(4)));
}

function brackets({ low, high }: Interval): string {
  return `[${digits(low)}, ${digits(high)}]`;
}

function digits(value: number): string {
  return value.toFixed(3).replace(/^(-?)0\./, '$1.');
}
