/** MODEL_CARD.md from what was measured: no figure in it is typed by hand. */
import type { Manifest, VerifiedModel } from '../model/manifest.ts';
import { describeEncoder, describeMethod, runOf } from './card-method.ts';
import { describeNotes, type NotesWords } from './card-notes.ts';
import type { ChallengeCategory } from './challenge.ts';
import type { Metrics, NoteConfidence, SetResult } from './evaluate.ts';
import type { FailureGroup } from './failures.ts';
import { fittedOf } from './fitting-notes.ts';
import type { MeasureResult, Scored } from './measure.ts';
import { TEACHER_NOTES, TEST_SETS, TRAINING_ONLY } from './test-sets.ts';

export interface Parity {
  readonly windows: number;
  readonly pieces: number;
  readonly meanAbsoluteLogitDifference: number;
  readonly maxAbsoluteLogitDifference: number;
  readonly decisionAgreement: Readonly<Record<string, number>>;
}

export function renderCard(model: VerifiedModel, metrics: Metrics, parity: Parity | undefined): string {
  const { manifest, identity } = model;
  const run = runOf(manifest);
  const words = describeNotes(manifest, metrics);
  return `# ${identity.name} ${identity.version}

A distilled tagger for ${words.notes}: ${describeEncoder(run)} with one Inside/Outside head
each for ${manifest.heads.map(head => head.task).join(', ')}, in int8 for the CPU. Every number below was computed by
\`${metrics.command}\` at commit ${metrics.commit} on ${metrics.machine}, from the int8 file in this folder (manifest sha-256 \`${identity.sha256}\`), through the
tokenizer, windows and decisions that serve.

## Intended use and limits
${words.limits}

## Data
| set | origin and licence | used for |
|---|---|---|
${dataRows(manifest, metrics, words.origins)}

${describeTraining(manifest)}

## Method
${wrapped(describeMethod(run, fittedOf(manifest.training)?.leftOut))}

## Scores
Words are BERT's: runs of letters and digits, and single punctuation marks. Token level counts words (arXiv 2501.00031); exact and
relaxed count spans, relaxed meaning any overlap, paired one to one (arXiv 2411.10020). In brackets: 95 % bootstrap intervals over
documents.

${renderScores(metrics)}

## Challenge lines
${metrics.challenge.categories.at(-1)?.lines ?? 0} short lines (\`test/data/challenge/lines.txt\`) in ${words.challenge}, made up for this
project and labelled under its guidelines before the tagger read them. Lines and labels are one author's, a large language model
(Claude), not clinicians'; the set is small, adversarial on purpose, and no sample of real notes. Read the intervals before comparing
categories. Nothing is trained, chosen or tuned on these lines. In brackets: 95 % bootstrap intervals over lines.

| | P | R | token F1 | exact F1 | relaxed F1 |
|---|---|---|---|---|---|
${metrics.challenge.measures.map(measureRow).join('\n')}

By category, the three tasks together. "Marked" is how many lines without any mention got one all the same, of how many.

| category | lines | mentions | token F1 | exact F1 | marked |
|---|---|---|---|---|---|
${metrics.challenge.categories.map(categoryRow).join('\n')}

## Calibration
Temperature, threshold and expected calibration error (15 bins) of P(Inside) over words; "undecided" leaves out words below 1 % and
above 99 %.

| task | temperature | threshold | ECE dev | undecided | ECE test | undecided |
|---|---|---|---|---|---|---|
${calibrationRows(manifest, metrics)}

A note's task confidence is the expected token-level F1 under these probabilities. Ranking the teacher's test notes by it, the area
under the risk-coverage curve (lower is better; the mean risk is what a random order gives):

| task | area | mean risk |
|---|---|---|
${metrics.noteConfidence.map(confidenceRow).join('\n')}

## int8 against the trained model
${describeParity(parity)}

## Known failures
Recall of the teacher's test mentions: found at all (any overlap), and with exact borders.

| task | kind | mentions | found | exact |
|---|---|---|---|---|
${metrics.failures.map(failureRow).join('\n')}

Further: IO tags cannot separate two mentions of one task that touch on one line; ${words.failures} and text are exact by construction, but a
mention that wraps over a line end comes as two.
`;
}

/** The card's tables of scores, one a set and split. */
export function renderScores({ results }: Metrics): string {
  return results.map(renderSet).join('\n\n');
}

/** @param notes origins of the teacher's notes. */
function dataRows({ training }: Manifest, { results }: Metrics, notes: NotesWords['origins']): string {
  const trained = new Set((training.data as readonly { file: string }[]).map(({ file }) => file));
  const row = (name: string, origin: string, uses: readonly string[]) => `| ${name} | ${origin} | ${uses.join(', ')} |`;
  const measured = TEST_SETS.flatMap(({ name, origin, file }) => {
    const splits = results.filter(({ set }) => set === name).map(({ split }) => split);
    const train = trained.has(file) && file !== 'gold/hpo_gsc.jsonl' ? ['train'] : [];
    const ofNotes = file === TEACHER_NOTES.file;
    const parts: readonly (readonly [string, readonly string[]])[] =
      ofNotes && notes.train !== notes.measured
        ? [
            [notes.train, train],
            [notes.measured, splits],
          ]
        : [[ofNotes ? notes.measured : origin, [...train, ...splits]]];
    return parts.filter(([, uses]) => uses.length > 0).map(([from, uses]) => row(name, from, uses));
  });
  const given = results.filter(({ set }) => TEST_SETS.every(({ name }) => name !== set));
  const own = Array.from(
    Map.groupBy(given, ({ set }) => set),
    ([file, splits]) =>
      row(
        `\`${file}\``,
        "the user's own gold",
        Array.from(splits, ({ split }) => split),
      ),
  );
  const others = TRAINING_ONLY.filter(({ file }) => trained.has(file));
  return [...measured, ...own, ...others.map(({ name, origin }) => row(name, origin, ['train']))].join('\n');
}

/** Lines of at most 140 characters. */
function wrapped(text: string): string {
  const lines = [''];
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1) as string;
    if (line !== '' && line.length + 1 + word.length > 140) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join('\n');
}

function describeTraining({ training }: Manifest): string {
  const data = training.data as readonly { file: string; sha256: string }[];
  const hashes = data.map(({ file, sha256 }) => `\`${file}\` ${sha256.slice(0, 12)}`).join(', ');
  return `To make it again: \`${String(training.command)}\` (a folder NAME-VERSION is that model's). Recipe, seeds and versions are in the manifest under \`training.run\`; data (sha-256): ${hashes}.`;
}

function renderSet({ set, split, measures }: SetResult): string {
  const documents = measures[0]?.documents ?? 0;
  return `**${set}, ${split}** (${documents} documents)

| | P | R | token F1 | exact F1 | relaxed F1 |
|---|---|---|---|---|---|
${measures.map(measureRow).join('\n')}`;
}

function measureRow({ label, token, exact, relaxed }: MeasureResult): string {
  return `| ${label} | ${digits(token.precision)} | ${digits(token.recall)} | ${withInterval(token)} | ${withInterval(exact)} | ${withInterval(relaxed)} |`;
}

function categoryRow({ category, lines, mentions, token, exact, ...empty }: ChallengeCategory): string {
  const f1 = [token, exact].map(each => (each === null ? '–' : withInterval(each))).join(' | ');
  return `| ${category} | ${lines} | ${mentions} | ${f1} | ${empty.emptyLinesMarked} of ${empty.emptyLines} |`;
}

function withInterval({ f1, interval }: Scored): string {
  return `${digits(f1)} [${digits(interval.low)}, ${digits(interval.high)}]`;
}

/** NaN for a task that no test note could judge. */
function confidenceRow({ task, area, meanRisk }: NoteConfidence): string {
  const [areaOrNone, meanOrNone] = [area, meanRisk].map(each => (Number.isNaN(each) ? '–' : each.toFixed(3)));
  return `| ${task} | ${areaOrNone} | ${meanOrNone} |`;
}

function digits(value: number): string {
  return value.toFixed(3).replace(/^0/, '');
}

function calibrationRows(manifest: Manifest, { calibration }: Metrics): string {
  return manifest.heads
    .map(({ task, temperature, threshold }) => {
      const of = (split: string) =>
        calibration.find(each => each.split === split)?.heads.find(each => each.task === task);
      const errors = ['dev', 'test'].flatMap(split => {
        const { ece, eceUndecided, words } = of(split) ?? { ece: 0, eceUndecided: 0, words: 0 };
        return [ece, eceUndecided].map(each => (words === 0 ? '–' : each.toFixed(4)));
      });
      return `| ${task} | ${temperature} | ${threshold} | ${errors.join(' | ')} |`;
    })
    .join('\n');
}

function describeParity(parity: Parity | undefined): string {
  if (parity === undefined) return 'Not measured: `distill train` does it, which has the trained weights at hand.';
  return `On ${parity.windows} windows of dev notes (${parity.pieces} word pieces): mean absolute difference of logits ${parity.meanAbsoluteLogitDifference},
largest ${parity.maxAbsoluteLogitDifference}; same decision at 0.5 for ${agreement(parity)} of pieces.`;
}

function agreement({ decisionAgreement }: Parity): string {
  return Object.entries(decisionAgreement)
    .map(([task, share]) => `${(100 * share).toFixed(2)} % (${task})`)
    .join(', ');
}

function failureRow({ task, group, mentions, found, exact }: FailureGroup): string {
  return `| ${task} | ${group} | ${mentions} | ${digits(found / mentions)} | ${digits(exact / mentions)} |`;
}
