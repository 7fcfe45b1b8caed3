/** `bench scenarios`: every scenario from a cold start, at its most and at a share of it; then a catch-up after an absence. */
import { milliseconds } from '../../../benchmark/load-report.ts';
import { type Config, ConfigError } from '../../../config.ts';
import { type Io, report, write } from '../../io.ts';
import { nameOf, originOf, writeResults } from '../results.ts';
import { type CaughtUp, catchUp } from './catch-up.ts';
import { scaleFlags } from './load.ts';
import { type Measured, measure } from './measure.ts';
import type { Scenario } from './scenarios.ts';

export interface ScenariosOptions {
  readonly share: number;
  readonly seconds: number;
  /** Of the catch-up; 0 leaves it out. */
  readonly awaySeconds: number;
  /** What arrives in the catch-up, as a share of the most that the program carries. */
  readonly awayShare: number;
  readonly backlogScale: number;
  readonly seed: number;
  readonly write: boolean;
}

/** @throws ConfigError where the catch-up would never end: nothing is measured then. */
export async function benchScenarios(
  config: Config,
  scenarios: readonly Scenario[],
  options: ScenariosOptions,
  io: Io,
): Promise<void> {
  const { share, seconds, awaySeconds, awayShare, seed } = options;
  const catchesUp = awaySeconds > 0 && scenarios.some(each => each.name === 'notes');
  if (catchesUp && awayShare >= 1) {
    const why = 'whoever was away never catches up while as much arrives as can be carried';
    throw new ConfigError('CONFIG_INVALID', `--away-share ${awayShare}: ${why}: leave the catch-up out with --away 0`);
  }
  const tell = (line: string): Promise<void> => report(io, line);
  const flags = [
    `--share ${share} --seconds ${seconds} --away ${awaySeconds} --away-share ${awayShare} --seed ${seed}`,
    ...scaleFlags(options.backlogScale, scenarios.some(each => each.transport === 'kafka') ? 'kafka' : 'embedded'),
  ];
  const origin = originOf(config, ['scenarios', ...scenarios.map(({ name }) => name), ...flags].join(' '));
  const all: Measured[] = [];
  for (const scenario of scenarios) {
    // loaded notes differ by scenario, and so does what "half" means
    all.push(await measure(config, scenario, { ...options, shares: [share], tell }, io));
  }
  const saturation = all.find(({ scenario }) => scenario.name === 'notes')?.saturation.notesPerSecond;
  const measurable = catchesUp && saturation !== undefined;
  const away = measurable ? await catchUp(config, { saturation, share: awayShare, awaySeconds, seed }, io) : undefined;
  const record = {
    ...origin,
    settings: config.inference,
    scenarios: all,
    catchUp: away ?? null,
  };
  const page = `# Scenarios

\`${record.command}\`, commit ${record.commit}, ${nameOf(record.model)} on ${record.machine}; the client, and brokers and emulated teachers where there are any,
on the same machine. "Most" is while notes wait in any number; latencies are at about ${100 * share} % of that ("load" says at what), open loop, from when a note was due; a
99th percentile is told from ${FEWEST} notes on.

${table(all)}
${away === undefined ? '' : caughtUp(away)}`;
  await write(io.stdout, page);
  if (!options.write) return;
  await writeResults('scenarios', config, { json: record, md: page }, io);
}

/** Of fewer, a 99th percentile is one of the last two or three. */
const FEWEST = 300;

function table(all: readonly Measured[]): string {
  const rows = all.map(({ scenario, meanTokens, saturation, steps, coldStart, escalatedShare }) => {
    const [step] = steps;
    const cells = [
      scenario.what,
      meanTokens.toFixed(0),
      saturation.notesPerSecond.toFixed(1),
      saturation.tokensPerSecond.toFixed(0),
      `${((step?.offered ?? Number.NaN) / saturation.notesPerSecond).toFixed(2)} of ${step?.latency.notes} notes`,
      ...[step?.latency.p50, step?.latency.p95].map(ms => milliseconds(ms ?? Number.NaN)),
      (step?.latency.notes ?? 0) < FEWEST ? '–' : milliseconds(step?.latency.p99 ?? Number.NaN),
      `${step?.cpuMsPerNote.toFixed(1)} ms`,
      `${step?.peakMegabytes.toFixed(0)} MB`,
      step?.missing,
      `${(100 * escalatedShare).toFixed(0)} %`,
      milliseconds(coldStart.readyMs),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    '| scenario | tokens a note | most, notes/s | tokens/s | load | p50 | p95 | p99 | CPU a note | memory | missing | escalated | cold start |',
    '|---|---|---|---|---|---|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

function caughtUp({ awaySeconds, notesPerSecond, waiting, caughtUpSeconds, expectedSeconds }: CaughtUp): string {
  return `
Catch-up: away for ${awaySeconds} s while ${notesPerSecond.toFixed(1)} notes/s arrived and went on arriving: ${waiting} notes waited, and it was where it would have been
after ${caughtUpSeconds.toFixed(0)} s (${expectedSeconds.toFixed(0)} s by arithmetic).
`;
}
