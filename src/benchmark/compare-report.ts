/** Two versions of the program, measured in turns: what came of it, and the page that says so. */
import { median } from '../evaluation/median.ts';
import { FEWEST_ROUNDS, type Finding, type PairedRatio, pairedRatio } from './paired-ratio.ts';
import { type Provenance, provenanceLines } from './provenance.ts';
import type { Agreement } from './same-answers.ts';
import { SIDES, type Side, turnOrder } from './turn-order.ts';

/** One run of the program over all notes, seen from outside. A figure that the system does not tell is NaN. */
export interface TurnFigures {
  /** From the first note tagged to the last commit, that first note not counted. */
  readonly notesPerSecond: number;
  /** Of these notes, as the measuring checkout's tokenizer counts for both. */
  readonly tokensPerSecond: number;
  /** Of the whole process, from ready to its end. */
  readonly cpuSecondsPerNote: number;
  /** Resident memory. */
  readonly peakBytes: number;
  /** From start to ready. */
  readonly startSeconds: number;
}

/** A version of the program, and what it was given. */
export interface Version {
  /** As named on the command line. */
  readonly given: string;
  /** Of the commit; of a checkout's files as they are, its commit, with `-dirty` when they differ from it. */
  readonly commit: string;
  readonly configuration: object;
  readonly model: { readonly name: string; readonly version: string; readonly sha256: string };
  readonly versions: Readonly<Record<string, string>>;
  /** Notes that it refused, in the last round. */
  readonly deadLetters: number;
}

export type Round = Readonly<Record<Side, TurnFigures>>;
export type Figure = keyof TurnFigures;

export interface Comparison extends Provenance {
  readonly versionsCompared: Readonly<Record<Side, Version>>;
  readonly notesPerTurn: number;
  readonly tokensPerTurn: number;
  /** After one turn of each that is not counted. */
  readonly rounds: readonly Round[];
  /** B / A; null for what could not be measured. */
  readonly ratios: Readonly<Record<Figure, PairedRatio | null>>;
  readonly answers: Agreement;
}

interface Shown {
  readonly label: string;
  readonly show: (value: number) => string;
  /** What B is or does when its figure is larger, and when it is smaller. */
  readonly more: string;
  readonly less: string;
}

const digits = (count: number) => (value: number) => value.toFixed(count);
const SHOWN: Readonly<Record<Figure, Shown>> = {
  notesPerSecond: { label: 'notes/s', show: digits(1), more: 'faster', less: 'slower' },
  tokensPerSecond: { label: 'tokens/s', show: digits(0), more: 'faster', less: 'slower' },
  cpuSecondsPerNote: {
    label: 'CPU ms a note',
    show: value => (1000 * value).toFixed(1),
    more: 'takes more CPU',
    less: 'takes less CPU',
  },
  peakBytes: {
    label: 'peak memory, MB',
    show: value => (value / 1e6).toFixed(0),
    more: 'takes more memory',
    less: 'takes less memory',
  },
  startSeconds: { label: 'start to ready, s', show: digits(2), more: 'slower to start', less: 'faster to start' },
};
const FIGURES = Object.keys(SHOWN) as Figure[];

export function ratiosOf(rounds: readonly Round[]): Comparison['ratios'] {
  const ratio = (figure: Figure): PairedRatio | null =>
    pairedRatio(rounds.map(({ A, B }) => ({ A: A[figure], B: B[figure] })));
  return Object.fromEntries(FIGURES.map(figure => [figure, ratio(figure)])) as Comparison['ratios'];
}

/** One line for a person who waits. */
export function roundLine({ A, B }: Round): string {
  const [a, b] = [A, B].map(each => each.notesPerSecond.toFixed(1));
  return `A ${a} notes/s, B ${b} notes/s, B / A ${(B.notesPerSecond / A.notesPerSecond).toFixed(3)}`;
}

export function renderComparison(result: Comparison): string {
  const { versionsCompared, rounds, notesPerTurn, tokensPerTurn } = result;
  const { A, B } = versionsCompared;
  const order = turnOrder(SIDES, rounds.length).map(pair => pair.join(''));
  return [
    `# ${cell(B.given)} over ${cell(A.given)}`,
    '',
    ...SIDES.map(side => versionLine(side, versionsCompared[side])),
    ...provenanceLines(result),
    '',
    `${notesPerTurn} notes (${tokensPerTurn} tokens) a turn, in the order ${order.join(' ')}, after one turn of each that is not counted.`,
    '',
    '| | A, median | B, median | B / A, median of rounds | 95 % interval | B |',
    '|---|---|---|---|---|---|',
    ...FIGURES.map(figure => figureRow(figure, result)),
    '',
    answersLine(result.answers),
    '',
  ].join('\n');
}

function versionLine(side: Side, version: Version): string {
  const { given, commit, configuration, model, versions, deadLetters } = version;
  const settings =
    Object.keys(configuration).length === 0 ? 'the default configuration' : `\`${JSON.stringify(configuration)}\``;
  const runtime = versions['onnxruntime-node'] ?? 'unknown';
  const refused = deadLetters === 0 ? '' : `; it refused ${deadLetters} notes`;
  return `- ${side}: \`${given}\` (${commit}), ${settings}; model ${model.name} ${model.version} (${model.sha256.slice(0, 12)}), onnxruntime-node ${runtime}${refused}`;
}

function figureRow(figure: Figure, { rounds, ratios }: Comparison): string {
  const { label, show } = SHOWN[figure];
  const [a, b] = SIDES.map(side => median(rounds.map(round => round[side][figure])));
  const ratio = ratios[figure];
  const middle = (value = Number.NaN): string => (Number.isFinite(value) ? show(value) : '–');
  if (ratio === null) return `| ${label} | ${middle(a)} | ${middle(b)} | – | – | not measured |`;
  const { interval, finding } = ratio;
  const range = interval === null ? '–' : `${interval.low.toFixed(3)} to ${interval.high.toFixed(3)}`;
  return `| ${label} | ${middle(a)} | ${middle(b)} | ${ratio.ratio.toFixed(3)} | ${range} | ${inWords(figure, finding)} |`;
}

/** What a finding means for a figure. */
export function inWords(figure: Figure, finding: Finding): string {
  if (finding === 'more' || finding === 'less') return SHOWN[figure][finding];
  return finding === 'no difference'
    ? 'no difference that these rounds can tell'
    : `too few rounds to tell (${FEWEST_ROUNDS} are needed)`;
}

function answersLine({ notes, different, unsteady }: Agreement): string {
  const told =
    different === 0
      ? `The entities of all ${notes} notes are the same.`
      : `**The entities differ in ${different} of ${notes} notes.**`;
  const wavering = SIDES.filter(side => unsteady[side] > 0).map(
    side => ` ${side} did not answer ${unsteady[side]} notes the same way every time.`,
  );
  return told + wavering.join('');
}

/** A name that cannot end a heading. */
function cell(text: string): string {
  return text.replace(/\s+/g, ' ');
}
