/**
 * `bench capacity`: how many processes, partitions and brokers so many notes a day need and what they cost, from committed results; and a
 * simulation that checks it. Measures nothing itself.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { planCapacity } from '../../benchmark/capacity.ts';
import assumptions from '../../benchmark/capacity-assumptions.json' with { type: 'json' };
import { type CapacityResult, renderCapacity } from '../../benchmark/capacity-page.ts';
import { stretched } from '../../benchmark/distribution.ts';
import { checkProfile, type DayProfile, peakOverMean } from '../../benchmark/diurnal.ts';
import { machinePrice } from '../../benchmark/published.ts';
import { simulatePlan } from '../../benchmark/scenarios.ts';
import { type Config, ConfigError } from '../../config.ts';
import { writeWhole } from '../../distill/write-whole.ts';
import { type Io, write } from '../io.ts';
import { currentCommit } from '../provenance.ts';
import { readCapacityInputs } from './capacity-inputs.ts';
import { writeFiles } from './results.ts';

export interface CapacityFlags {
  /** Folder of results; the project's own when absent. */
  readonly results?: string;
  readonly notesPerDay?: readonly number[];
  readonly utilisation?: number;
  /** File of a day's 24 hours. */
  readonly profile?: string;
  readonly simulatedNotes: number;
  readonly seed: number;
  readonly machineUsdPerHour?: number;
  readonly write: boolean;
}

const BENCHMARKS = resolve(import.meta.dirname, '../../../benchmarks');
const NOTES_PER_DAY = [1e6, 1e8, 1e9];

/** @throws ConfigError where a result is missing, or the profile is none. */
export async function benchCapacity(config: Config, flags: CapacityFlags, io: Io): Promise<void> {
  const { measured, servers, serviceSeconds } = readCapacityInputs(
    flags.results ?? join(BENCHMARKS, 'results'),
    config.kafka.sessionMs,
  );
  const profile = flags.profile === undefined ? assumptions.diurnal.hours : readProfile(flags.profile);
  const price = machinePrice(flags.machineUsdPerHour);
  const assumed = {
    peakOverMean: peakOverMean(profile),
    utilisation: flags.utilisation ?? assumptions.utilisation.value,
    minimumReplicas: assumptions.minimumReplicas.value,
    partitionsPerReplica: assumptions.partitionsPerReplica.value,
    replication: assumptions.replication.value,
    topics: assumptions.topics.value,
    readers: assumptions.readers.value,
    minimumBrokers: assumptions.minimumBrokers.value,
    partitionsPerBroker: assumptions.partitionsPerBroker.value,
    usdPerHour: price.usdPerHour,
  };
  if (assumed.utilisation === 0) throw new ConfigError('CONFIG_INVALID', '--utilisation: must be above 0');
  const plans = (flags.notesPerDay ?? NOTES_PER_DAY).map(notes => planCapacity(notes, measured, assumed));
  const options = {
    ...{ profile, servers, keys: assumptions.keys, mostNotes: flags.simulatedNotes, seed: flags.seed },
    service: stretched(serviceSeconds, servers / measured.notesPerSecond),
    ...{ gapSeconds: measured.gapSeconds, sessionSeconds: measured.sessionSeconds },
  };
  const result: CapacityResult = {
    command: commandOf(flags),
    commit: currentCommit(),
    measured,
    assumed,
    machinePrice: price,
    notes: notesOn(flags.profile),
    plans,
    simulations: plans.map(plan => simulatePlan(plan, options)),
    seed: flags.seed,
  };
  await write(io.stdout, renderCapacity(result));
  if (!flags.write) return;
  writeWhole(join(BENCHMARKS, 'CAPACITY.md'), renderCapacity(result));
  await writeFiles('capacity', { json: result }, io);
}

function readProfile(path: string): DayProfile {
  try {
    const hours: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return checkProfile(Array.isArray(hours) ? hours.map(Number) : []);
  } catch (cause) {
    throw new ConfigError('CONFIG_INVALID', `--profile: ${path} is no JSON list of 24 hours`, {
      ...(cause instanceof Error && { cause }),
    });
  }
}

/** What of the assumptions is in no number of the plan. */
function notesOn(profile: string | undefined): string[] {
  const { diurnal, partitionsPerReplica, keys, partitionsPerBroker } = assumptions;
  return [
    `The day's shape: ${profile === undefined ? diurnal.note : `as given (${profile})`}.`,
    `${partitionsPerReplica.value} partitions a process: ${partitionsPerReplica.note}.`,
    `At most ${partitionsPerBroker.value} replicas of partitions a broker: ${partitionsPerBroker.note} (${partitionsPerBroker.url}).`,
    `Patients: ${keys.notesPerPatient} notes a day in the mean; ${keys.note} (sigma ${keys.sigma}, made up).`,
  ];
}

function commandOf({
  results,
  notesPerDay,
  utilisation,
  profile,
  simulatedNotes,
  seed,
  machineUsdPerHour,
}: CapacityFlags): string {
  return [
    `npm run bench -- capacity --simulated-notes ${simulatedNotes} --seed ${seed}`,
    ...(results === undefined ? [] : [`--results ${results}`]),
    ...(notesPerDay ?? []).map(notes => `--notes-per-day ${notes}`),
    ...(utilisation === undefined ? [] : [`--utilisation ${utilisation}`]),
    ...(profile === undefined ? [] : [`--profile ${profile}`]),
    ...(machineUsdPerHour === undefined ? [] : [`--machine-usd-per-hour ${machineUsdPerHour}`]),
  ].join(' ');
}
