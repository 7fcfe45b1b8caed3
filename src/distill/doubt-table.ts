/** The risk-coverage figures as a page to read: no figure in it is typed by hand. */
import { isShipped } from './card-notes.ts';
import type { DoubtReport, ScoreResult, TaskResult } from './doubt.ts';

export function renderDoubt(report: DoubtReport, from: { readonly command: string; readonly commit: string }): string {
  return `# What escalating doubtful notes is worth

By \`${from.command}\` at commit ${from.commit}, with the model ${report.model.name} ${report.model.version} (manifest sha-256 \`${report.model.sha256.slice(0, 12)}\`).
Errors are words wrongly found or missed. F1 is token-level, micro, over the notes kept. *Area* is the mean of 1 − F1 of the notes kept
while at most half of them are escalated, the most doubtful first: smaller is better. Score and thresholds were chosen on the first ${tables(report)}
the teacher's dev notes${isShipped(report.data) ? ', whose labels an LLM made' : ''}${without(report.fitted.leftOut)}${beside(report)}
In brackets: 95 % bootstrap intervals over notes.

${report.results.map(renderResult).join('\n')}`;
}

function tables({ choice }: DoubtReport): string {
  const count = Object.keys(choice.byTask).length;
  return count === 1 ? 'table,' : `${count === 3 ? 'three' : count} tables,`;
}

function without(leftOut: readonly string[]): string {
  return leftOut.length === 0 ? '' : ` (without ${leftOut.join(', ')}, where a test note stands)`;
}

/** What else there is, and is not. */
function beside({ results, missing }: DoubtReport): string {
  const has = (use: TaskResult['use']): boolean => results.some(each => each.use === use);
  const others = has('compare') ? '; the other corpora have other guidelines' : '';
  const test = has('test') ? '; test was\nonly reported' : '';
  const absent =
    missing.length === 0
      ? ''
      : `\nNot in the corpus directory, or of other tasks, so not measured: ${missing.join(', ')}.`;
  return `${others}${test}.${absent}`;
}

function renderResult(result: TaskResult): string {
  const { set, split, task, notes, words, errors, risk, best, scores, chosen } = result;
  const byArea = [...scores].sort((a, b) => a.areas.f1Half - b.areas.f1Half);
  return `## ${set}, ${split}: ${task}

${notes} notes; ${words.toFixed(0)} words and ${errors.toFixed(2)} errors a note. In random order the area is ${digits(risk)}; no order reaches less than ${digits(best.f1Half)}.

| score | area | beyond ${chosen} | area over all coverages | area by words | errors a note kept |
|---|---|---|---|---|---|
${byArea.map(each => scoreRow(each, chosen)).join('\n')}

| escalated | of the words | F1 kept | of all errors | by the serving threshold: escalated | F1 kept |
|---|---|---|---|---|---|
${rateRows(result)}
`;
}

function scoreRow({ score, areas, interval, beyondChosen }: ScoreResult, chosen: string): string {
  const name = score === chosen ? `**${score}**` : score;
  const beyond = score === chosen ? '' : `[${digits(beyondChosen.low)}, ${digits(beyondChosen.high)}]`;
  const area = `${digits(areas.f1Half)} [${digits(interval.low)}, ${digits(interval.high)}]`;
  return `| ${name} | ${area} | ${beyond} | ${digits(areas.f1)} | ${digits(areas.f1HalfOfWords)} | ${areas.errorsHalf.toFixed(2)} |`;
}

function rateRows({ rates, thresholds, notes }: TaskResult): string {
  return rates
    .map(each => {
      const served = thresholds.find(other => other.rate === each.rate);
      const byThreshold =
        served === undefined ? ' | ' : `${percent(served.escalated / notes)} | ${digits(served.f1Kept)}`;
      const f1 = `${digits(each.f1Kept)} [${digits(each.f1KeptInterval.low)}, ${digits(each.f1KeptInterval.high)}]`;
      return `| ${percent(each.rate)} | ${percent(each.shareOfWords)} | ${f1} | ${percent(each.shareOfErrors)} | ${byThreshold} |`;
    })
    .join('\n');
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}

function digits(value: number): string {
  return value.toFixed(3).replace(/^(-?)0\./, '$1.');
}
