/** `bench scenarios`: every scenario from a cold start, at its most and at a share of it; then a catch-up after an absence. */
import { type Config, ConfigError } from '../../../config.ts';
import { ClinstreamError } from '../../../core/errors.ts';
import { type Io, report, write } from '../../io.ts';
import { originOf, writeResults } from '../results.ts';
import { type CaughtUp, catchUp } from './catch-up.ts';
import { scaleFlags } from './load.ts';
import { type Measured, measure } from './measure.ts';
import type { Scenario } from './scenarios.ts';
import { type ScenariosResult, scenariosPage } from './scenarios-page.ts';

export interface ScenariosOptions {
  readonly share: number;
  readonly seconds: number;
  /** Of the catch-up; 0 leaves it out. By default it is measured where `notes` is: its rate is a share of what that carries. */
  readonly awaySeconds?: number;
  /** What arrives in the catch-up, as a share of the most that the program carries. */
  readonly awayShare: number;
  readonly backlogScale: number;
  readonly seed: number;
  readonly write: boolean;
}

const AWAY_SECONDS = 120;

/**
 * @throws ConfigError where the catch-up would never end, or has no rate: nothing is measured then. BenchError NOT_CAUGHT_UP and
 * whatever else failed in the catch-up, once the scenarios are told and written.
 */
export async function benchScenarios(
  config: Config,
  scenarios: readonly Scenario[],
  options: ScenariosOptions,
  io: Io,
): Promise<void> {
  const { share, seconds, awayShare, seed } = options;
  const awaySeconds = awayOf(scenarios, options);
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
  const publish = async (away: ScenariosResult['catchUp']): Promise<void> => {
    const record = { ...origin, settings: config.inference, scenarios: all, catchUp: away };
    const page = scenariosPage(record);
    await write(io.stdout, page);
    if (options.write) await writeResults('scenarios', config, { json: record, md: page }, io);
  };
  if (awaySeconds === 0 || saturation === undefined) return publish(null);
  await publishWith(() => catchUp(config, { saturation, share: awayShare, awaySeconds, seed }, io), publish);
}

/** Publishes what the catch-up came to, or why it came to nothing: what was measured before it stays true. @throws what the catch-up does. */
export async function publishWith(
  measureCatchUp: () => Promise<CaughtUp>,
  publish: (catchUp: ScenariosResult['catchUp']) => Promise<void>,
): Promise<void> {
  let away: CaughtUp;
  try {
    away = await measureCatchUp();
  } catch (error) {
    if (error instanceof ClinstreamError) await publish({ failed: error.message });
    throw error;
  }
  await publish(away);
}

/** @throws ConfigError */
function awayOf(
  scenarios: readonly Scenario[],
  { awaySeconds, awayShare }: Pick<ScenariosOptions, 'awaySeconds' | 'awayShare'>,
): number {
  const measurable = scenarios.some(each => each.name === 'notes');
  const away = awaySeconds ?? (measurable ? AWAY_SECONDS : 0);
  if (away > 0 && !measurable)
    throw new ConfigError(
      'CONFIG_INVALID',
      `--away ${away}: what arrives in the catch-up is a share of what the scenario notes carries: name it too`,
    );
  if (away > 0 && awayShare >= 1) {
    const why = 'whoever was away never catches up while as much arrives as can be carried';
    throw new ConfigError('CONFIG_INVALID', `--away-share ${awayShare}: ${why}: leave the catch-up out with --away 0`);
  }
  return away;
}
