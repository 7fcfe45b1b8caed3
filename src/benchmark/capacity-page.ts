/** The capacity plan as a page: what is needed and what it costs, the simulation that checks it, and all that it rests on. */
import type { Assumed, CapacityPlan, Measured } from './capacity.ts';
import { modelDay } from './capacity.ts';
import { bytes, dollars, duration, significant, table } from './format.ts';
import { type MachinePrice, PUBLISHED, priceOfAnother } from './published.ts';
import type { Simulation } from './scenarios.ts';

export interface CapacityResult {
  readonly command: string;
  readonly commit: string;
  readonly measured: Measured & {
    /** Cores of the machine that all was measured on, as its results name it. */
    readonly machine: string;
    /** Where each figure comes from: file and commit. */
    readonly sources: readonly string[];
    /** Milliseconds of the 99th percentile at half of saturation, where a load sweep has been done. */
    readonly p99AtHalfLoadMs: number | null;
    readonly gapSeconds: number;
    readonly sessionSeconds: number;
  };
  readonly assumed: Assumed;
  readonly machinePrice: MachinePrice;
  /** What is made up, in words. */
  readonly notes: readonly string[];
  readonly plans: readonly CapacityPlan[];
  readonly simulations: readonly Simulation[];
  readonly seed: number;
}

export function renderCapacity(result: CapacityResult): string {
  const { command, commit, measured, plans, simulations } = result;
  const p99 = measured.p99AtHalfLoadMs;
  return `${[
    '# How many machines so many notes a day need',
    `By \`${command}\` at commit ${commit}, from figures measured on ${measured.machine}. On paper and by simulation: no such fleet was ever run here.`,
    '## The plan',
    planTable(plans),
    `A process is one \`clinstream run\` on a machine of its own with as many cores as it was measured on: ${significant(measured.notesPerSecond)} notes/s at saturation.${p99 === null ? '' : ` At half of that, 99 % of notes took at most ${duration(p99 / 1000)}.`}`,
    '## What it costs beside language models',
    costTable(plans),
    `Published figures (${PUBLISHED.source}, ${PUBLISHED.url}, ${PUBLISHED.date}), per note, times the notes; ours is machines for the busiest hour running all day, brokers included. "In flight" is the requests that must be under way at once in the busiest hour at the published seconds.`,
    '## The simulation',
    ...simulations.flatMap(simulationPart),
    `Waiting is from a note's arrival to the moment a session begins it: what the note then takes, and the commit, come on top. Each row is of one replica's notes: of the busiest, or of the one that is lost, in the busiest hour, or in the ten minutes after it is lost. Nobody replaces it. "Over 1 s for" is from the loss to the last arrival among these notes that waited longer than a second. Equal slices give equal figures. Seed ${result.seed}.`,
    '## What it rests on',
    basis(result)
      .map(each => `- ${each}`)
      .join('\n'),
  ].join('\n\n')}\n`;
}

function planTable(plans: readonly CapacityPlan[]): string {
  const percent = (share: number): string => `${significant(100 * share, 3)} %`;
  const rows: [string, (plan: CapacityPlan) => string][] = [
    ['notes/s, mean', plan => significant(plan.meanRate)],
    ['notes/s, busiest hour', plan => significant(plan.peakRate)],
    ['processes', plan => count(plan.replicas)],
    ['their load in the busiest hour', plan => percent(plan.utilisation)],
    ['with one less', plan => percent(plan.utilisationWithoutOne)],
    ['partitions of each topic', plan => count(plan.partitions)],
    ['notes/s a partition', plan => significant(plan.partitionRate)],
    ['measured to carry at least', plan => significant(plan.partitionBound)],
    ['notes/s that one patient may have', plan => significant(plan.largestKeyRate)],
    ['brokers', plan => count(plan.brokers.count)],
    [
      'of them needed by records, by partitions',
      plan => `${count(plan.brokers.byRecords)}, ${count(plan.brokers.byPartitions)}`,
    ],
    ['written a second, busiest hour', plan => bytes(plan.bytes.in)],
    ['read a second', plan => bytes(plan.bytes.out)],
    ['copied among brokers a second', plan => bytes(plan.bytes.replicated)],
    ['storage a day, all copies', plan => bytes(plan.storageBytesPerDay)],
    ['processes, $ a day', plan => dollars(plan.usdPerDay.replicas)],
    ['brokers, $ a day', plan => dollars(plan.usdPerDay.brokers)],
    ['together', plan => dollars(plan.usdPerDay.total)],
    ['processes, $ a day, if never more than needed', plan => dollars(plan.usdPerDayElastic)],
  ];
  return table(
    ['notes a day', ...plans.map(plan => count(plan.notesPerDay))],
    rows.map(([name, cell]) => [name, ...plans.map(cell)]),
  );
}

function costTable(plans: readonly CapacityPlan[]): string {
  const models = PUBLISHED.systems.filter(each => each.language);
  const rows = models.map(model => [
    `${model.name} (published)`,
    ...plans.map(plan => {
      const day = modelDay(plan, model);
      return `${dollars(day.usdPerDay)} (${significant(day.times, 2)} ×; ${significant(day.inFlight, 2)} in flight)`;
    }),
  ]);
  const own = ['clinstream and brokers', ...plans.map(plan => dollars(plan.usdPerDay.total))];
  return table(['$ a day', ...plans.map(plan => `${count(plan.notesPerDay)} notes`)], [own, ...rows]);
}

function simulationPart({ notesPerDay, slice, replicas, partitions, hours, scenarios }: Simulation): string[] {
  const part =
    slice === 1
      ? 'the whole fleet'
      : `a proportional slice of ${significant(100 * slice, 2)} % of the fleet and of its notes`;
  const when = hours[1] - hours[0] === 24 ? 'a whole day' : `the hour from ${hours[0]} h`;
  const rows = scenarios.map(each => [
    each.scenario,
    `${significant(100 * each.utilisation, 2)} %`,
    duration(each.mean),
    each.expectedMean === null ? '' : duration(each.expectedMean),
    duration(each.p50),
    duration(each.p99),
    duration(each.longest),
    each.settledAfter === null ? '' : duration(each.settledAfter),
  ]);
  const head = ['busiest hour', 'load', 'mean wait', 'by theory', 'p50', 'p99', 'longest', 'over 1 s for'];
  return [
    `**${count(notesPerDay)} notes a day**: ${part}, ${count(replicas)} processes and ${count(partitions)} partitions, ${when}.`,
    table(head, rows),
  ];
}

function basis({ measured, assumed, machinePrice, notes }: CapacityResult): string[] {
  const price = `${dollars(machinePrice.usdPerHour)} an hour (${machinePrice.machine}${machinePrice.date === null ? '' : `, ${machinePrice.date}, ${machinePrice.url}`})`;
  return [
    ...measured.sources.map(each => `Measured: ${each}.`),
    'Assumed: processes scale linearly, since partitions share nothing but the brokers. This was never measured beyond one machine.',
    `Assumed: the brokers are the shared part. One broker carries at least ${significant(measured.copiedPerSecond)} records/s read, written and committed exactly once, as measured with broker and client on the same two cores and one copy; a real one carries more. Each of ${assumed.replication} copies is counted as if it were so carried.`,
    `Assumed: busiest hour ${significant(assumed.peakOverMean)} times the mean; processes and brokers filled to ${significant(100 * assumed.utilisation)} % then; ${assumed.partitionsPerReplica} partitions a process, ${assumed.replication} copies, ${assumed.topics} topics, ${assumed.readers} reader of the entities; a broker costs what a machine does.`,
    ...notes,
    `Machines at ${price}: give your own by --machine-usd-per-hour. Not counted: disks, traffic, people, escalations to a language model, and compression, which makes bytes fewer.`,
    ...priceOfAnother(machinePrice, measured.machine),
    `A replica that leaves in order stops everybody for ${duration(measured.gapSeconds)}, as measured in the chaos run; one that dies is missed after ${duration(measured.sessionSeconds)} (kafka.sessionMs).`,
    'Service times: those of single notes as measured, stretched so that their mean is what saturation says, since sessions side by side slow each other.',
    "Theory: Allen and Cunneen's mean wait of an M/G/c queue, exact for M/M/c and M/G/1.",
  ];
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
