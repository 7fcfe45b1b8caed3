/**
 * `bench load`: one scenario, its load raised step by step until more arrives than can be carried; a picture of latency against load.
 * Of one load alone, held for long, a picture of its memory.
 * Everything is measured from outside, by a client that appends notes and reads entities events, on the same machine.
 */
import { carried, knee } from '../../../benchmark/load-curve.ts';
import { loadPicture, loadTable, memoryPicture, milliseconds } from '../../../benchmark/load-report.ts';
import type { Origin } from '../../../benchmark/provenance.ts';
import type { Config } from '../../../config.ts';
import { type Io, report, write } from '../../io.ts';
import { nameOf, originOf, resultName, writeResults } from '../results.ts';
import { type Measured, measure } from './measure.ts';
import type { Scenario } from './scenarios.ts';

export interface LoadOptions {
  readonly shares: readonly number[];
  readonly seconds: number;
  readonly backlogScale: number;
  readonly seed: number;
  readonly write: boolean;
}

export async function benchLoad(config: Config, scenario: Scenario, options: LoadOptions, io: Io): Promise<void> {
  const tell = (line: string): Promise<void> => report(io, line);
  const origin = originOf(
    config,
    [
      `load --scenario ${scenario.name} --shares ${options.shares.join(',')} --seconds ${options.seconds} --seed ${options.seed}`,
      ...scaleFlags(options.backlogScale, scenario.transport),
    ].join(' '),
  );
  const measured = await measure(config, scenario, { ...options, tell }, io);
  const page = loadPage(measured, origin);
  await write(io.stdout, page);
  if (!options.write) return;
  const record = {
    ...origin,
    settings: config.inference,
    ...measured,
    knee: knee(measured.steps)?.share ?? null,
  };
  const [only, ...others] = measured.steps;
  const held = only !== undefined && others.length === 0;
  const what = loadName(scenario, held);
  const [title, svg] = held
    ? ['Memory over time', memoryPicture(`Memory at ${only.offered.toFixed(1)} notes/s: ${scenario.what}`, only)]
    : ['Latency against load', loadPicture(`Latency against load: ${scenario.what}`, measured.steps)];
  const picture = `![${title}](${resultName(what, config)}.svg)`;
  await writeResults(what, config, { json: record, md: `${page}\n${picture}\n`, svg }, io);
}

/** Of the files, before the model's name: one place's figures are not written over another's. */
export function loadName({ name, transport }: Scenario, held: boolean): string {
  const scenario = name === 'notes' ? [] : [name];
  const place = transport === 'kafka' && name !== 'kafka' ? ['kafka'] : [];
  return [held ? 'held' : 'load', ...scenario, ...place].join('-');
}

/** What of a command was not as by default. */
export function scaleFlags(backlogScale: number, transport: Config['transport']): string[] {
  const scale = backlogScale === 1 ? [] : [`--backlog-scale ${backlogScale}`];
  return [...scale, ...(transport === 'kafka' ? ['--kafka HOST:PORT'] : [])];
}

function loadPage(
  { scenario, saturation, meanTokens, coldStart, steps, escalatedShare }: Measured,
  { command, commit, machine, model }: Origin,
): string {
  const most = carried(steps);
  const escalated =
    scenario.escalated === 0
      ? ''
      : `\nEscalated to simulated teachers: ${(100 * escalatedShare).toFixed(0)} % of all notes.`;
  return `# Latency against load: ${scenario.what}

\`${command}\`, commit ${commit}, ${nameOf(model)} on ${machine}; ${scenario.transport === 'kafka' ? 'on Kafka, broker and' : 'on the embedded log, the'} client on the same machine.
Notes of ${meanTokens.toFixed(0)} tokens in the mean. While notes wait in any number: **${saturation.notesPerSecond.toFixed(1)} notes/s**,
${saturation.tokensPerSecond.toFixed(0)} tokens/s (the median of ${saturation.backlogs.map(each => each.toFixed(0)).join(', ')}). Most carried of what was offered: ${most === undefined ? 'nothing' : `${most.offered.toFixed(1)} notes/s`}.
Cold start: ready after ${milliseconds(coldStart.readyMs)}, the first event of ${saturation.notes} notes that waited then after ${milliseconds(coldStart.firstEventMs)}.${escalated}
Latency is from when a note was due (open loop, Poisson) to its event in the hands of a reader.

${loadTable(steps, saturation.notesPerSecond)}
`;
}
