/** A comparison of prompts as a page to read. */
import type { Task } from '../core/span.ts';
import type { Interval } from '../evaluation/bootstrap.ts';
import type { Figure, PromptComparison } from './compare-prompts.ts';

export interface VersionSummary {
  readonly name: string;
  /** First twelve digits of the guidelines' sha-256, or `built-in`. */
  readonly guidelines: string;
  readonly labelled: number;
  readonly of: number;
  /** US dollars. */
  readonly usdANote: number;
  /** Replies that could not be used, by code. */
  readonly unusable: Readonly<Record<string, number>>;
  readonly placed: number;
  /** Quotes that stand nowhere in the note, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
}

export interface ComparedOn {
  readonly file: string;
  readonly split: string;
  /** That all versions have labelled. */
  readonly documents: number;
  readonly of: number;
  readonly teacher: string;
  /** The answers come from an emulator. */
  readonly simulated: boolean;
}

export function renderPrompts(
  comparisons: ReadonlyMap<Task, PromptComparison>,
  versions: readonly VersionSummary[],
  on: ComparedOn,
): string {
  const simulated = on.simulated
    ? '\n**Simulated**: the teacher is emulated, so these figures say nothing about any prompt.\n'
    : '';
  return `# Prompts compared on ${on.file}, ${on.split}: ${on.documents} of ${on.of} documents, by ${on.teacher}
${simulated}
In brackets 95 % bootstrap intervals over documents that every version has labelled. What is chosen here is to be scored on other documents.

| version | guidelines | documents labelled | cost a note | replies that could not be used | quotes that stand in no note |
|---|---|---|---|---|---|
${versions.map(summary).join('\n')}

${Array.from(comparisons, ([task, comparison]) => renderTask(task, comparison)).join('\n')}`;
}

function summary({ name, guidelines, labelled, of, usdANote, unusable, placed, dropped }: VersionSummary): string {
  const lost = Object.values(dropped).reduce((sum, each) => sum + each, 0);
  const quotes = `${lost} of ${lost + placed}`;
  return `| ${name} | ${guidelines} | ${labelled} of ${of} | ${dollars(usdANote)} | ${codes(unusable)} | ${quotes} |`;
}

function renderTask(task: Task, { ranked, best, runnerUp, chosen }: PromptComparison): string {
  const rows = ranked.map(
    ({ name, token, exact, relaxed, usdANote }) =>
      `| ${name} | ${digits(token.precision)} | ${digits(token.recall)} | ${f1(token)} | ${f1(exact)} | ${f1(relaxed)} | ${dollars(usdANote)} |`,
  );
  const lead =
    runnerUp === undefined
      ? `Best: ${best}.`
      : `Best: ${best}. Runner-up: ${runnerUp.name}; the best is ahead by ${brackets(runnerUp.difference)}, ${runnerUp.beyondChance ? '' : 'not '}beyond chance.`;
  const choice =
    chosen.name === best
      ? `Chosen: ${best}.`
      : `Chosen: ${chosen.name}, which costs less, and which the best does not beat beyond chance (ahead by ${brackets(chosen.difference)}).`;
  return `## ${task}

| version | P, words | R, words | F1, words | F1, exact | F1, relaxed | cost a note |
|---|---|---|---|---|---|---|
${rows.join('\n')}

${lead}
${choice}
`;
}

function codes(counts: Readonly<Record<string, number>>): string {
  const all = Object.entries(counts).map(([code, count]) => `${count} × ${code}`);
  return all.length === 0 ? '0' : all.join(', ');
}

function f1({ f1, interval }: Figure): string {
  return `${digits(f1)} ${brackets(interval)}`;
}

function dollars(usd: number): string {
  return `$${Number(usd.toPrecision(3))}`;
}

function brackets({ low, high }: Interval): string {
  return `[${digits(low)}, ${digits(high)}]`;
}

function digits(value: number): string {
  return value.toFixed(3).replace(/^(-?)0\./, '$1.');
}
