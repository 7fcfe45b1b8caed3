/** The comparison as a table with what must be known to read it; the page in the repository and the terminal show the same. */
import { dollars, score, significant, table } from './format.ts';
import type { Compared } from './llm-comparison.ts';
import type { Origin } from './provenance.ts';
import { type MachinePrice, PUBLISHED, PUBLISHED_RATIOS, priceOfAnother } from './published.ts';

export interface LlmResult extends Origin {
  readonly notes: {
    /** What they are. */
    readonly source: string;
    readonly count: number;
    /** How often each was read in a round. */
    readonly times: number;
    readonly rounds: number;
    /** Word pieces of the tagger. */
    readonly meanTokens: number;
    /** By the privacy gate. */
    readonly refused: number;
    /** Who made the labels that quality is measured against; null where there are none. */
    readonly labelledBy: string | null;
  };
  readonly machinePrice: MachinePrice;
  readonly readers: readonly Compared[];
  /** Mean bytes of a record: key, value and headers. */
  readonly events: { readonly noteBytes: number; readonly entitiesBytes: number };
  /** Quantiles, evenly spaced from 0 to 1, of the seconds that the tagger alone takes for a note that has the machine to itself. */
  readonly serviceSeconds: readonly number[];
}

export function renderComparison(result: LlmResult): string {
  return `${comparisonTable(result)}\n\n${remarks(result)
    .map(each => `- ${each}`)
    .join('\n')}\n`;
}

export function renderPage(result: LlmResult): string {
  const { command, commit, machine, model } = result;
  return `# The same notes by clinstream and by language models\n\nBy \`${command}\` at commit ${commit}, ${model.name} ${model.version} on ${machine}.\n\n${renderComparison(result)}`;
}

function comparisonTable({ readers, notes }: LlmResult): string {
  const tasks = readers[0]?.quality.map(each => each.task) ?? [];
  const times = (value: number | null | undefined): string => (value ? `${significant(value, 2)} ×` : '');
  // in brackets what is nobody's: the emulator's own
  const shown = ({ provenance }: Compared, figure: string): string =>
    provenance === 'simulated' ? `(${figure})` : figure;
  const rows = readers.map(reader => [
    nameOf(reader, notes.count - notes.refused),
    reader.provenance,
    shown(reader, significant(reader.secondsPerNote)),
    shown(reader, significant(reader.notesPerSecond)),
    shown(reader, significant(reader.secondsAlone)),
    reader.usdPerNote === null ? '' : shown(reader, dollars(reader.usdPerNote)),
    times(reader.times?.secondsPerNote),
    times(reader.times?.secondsAlone),
    times(reader.times?.usd),
    ...tasks.map(task => qualityOf(reader, task)),
  ]);
  const head = ['reader', 'figures', 's/note', 'notes/s', 'one note alone, s', '$/note'];
  const ratios = ['slower', 'slower, one note alone', 'dearer'];
  return table([...head, ...ratios, ...tasks.map(task => `F1 ${task}`)], rows);
}

/** A teacher whose money ran out, or who left some without a whole answer, has the figures of fewer notes. */
function nameOf({ name, about }: Compared, count: number): string {
  const { notes } = about;
  return notes === undefined || notes === count ? name : `${name} (of ${notes} notes)`;
}

/** A simulation answers from the labels themselves: its score would only say that grounding works. */
function qualityOf({ provenance, quality }: Compared, task: string): string {
  const found = quality.find(each => each.task === task);
  if (found === undefined || provenance === 'simulated') return '';
  const { f1, interval, ownF1, documents } = found;
  const range = `${score(f1)} [${score(interval.low)}, ${score(interval.high)}]`;
  return ownF1 === f1 ? range : `${range} (clinstream on the same ${documents}: ${score(ownF1)})`;
}

function remarks({ notes, machinePrice, readers, machine }: LlmResult): string[] {
  const has = (provenance: Compared['provenance']): boolean =>
    readers.some((each, i) => i > 0 && each.provenance === provenance);
  const price = `${dollars(machinePrice.usdPerHour)} an hour (${machinePrice.machine}${machinePrice.date === null ? '' : `, ${machinePrice.date}`})`;
  return [
    `Notes: ${notes.count} ${notes.source}, ${significant(notes.meanTokens)} word pieces a note in the mean, each read ${notes.times} × in a round (rounds: ${notes.rounds}, medians); ${notes.refused} refused by the privacy gate and counted nowhere.`,
    `clinstream: the real program over the embedded log, from the first fetch to the last commit, on ${machine}; s/note is seconds over notes while all cores are busy. "One note alone" is from the note's record to its entities' record, nothing else to do.`,
    `clinstream's $/note is a machine at ${price}, busy all the time; at half its load it is twice that. The price is a parameter (--machine-usd-per-hour): give your own.`,
    ...priceOfAnother(machinePrice, machine),
    ...(has('measured')
      ? [
          "Asked live: one request after the other over the network of this run, a request for each task; s/note is the sum of a note's requests, from sending to the last byte. $/note is tokens used by the dated prices of prices.json; for a model on this machine, its seconds by the machine's price. \"slower\" sets one client's sequence against a busy machine: a provider can be asked many notes at once.",
        ]
      : []),
    ...(has('simulated')
      ? [
          "Simulated: an emulator on this machine answers from the labels themselves, at once. Its time is no provider's and its tokens are its own estimate, so they stand in brackets, nothing is compared with them, and its quality is not shown.",
        ]
      : []),
    ...(has('published')
      ? [
          `Published: ${PUBLISHED.source} (${PUBLISHED.url}, ${PUBLISHED.date}), per note, replayed and not measured here. Seconds of one client, one request after the other, over a network; the hardware of their BERT, their notes' lengths and their prompts differ from ours, and prices have moved since: read orders of magnitude, no more.`,
          ...PUBLISHED_RATIOS.map(each => `Also published: ${each.what} (${each.source}, ${each.url}, ${each.date}).`),
        ]
      : []),
    ...(notes.labelledBy === null
      ? []
      : [`F1: token-level against labels of ${notes.labelledBy}, with 95 % intervals over notes.`]),
  ];
}
