/**
 * A plan put to the test: the busiest hour of a part of the fleet, with notes spread evenly, by patients some of whom have many notes, with
 * one very busy patient, and with a replica that leaves or dies.
 */
import { seeded } from '../evaluation/bootstrap.ts';
import type { CapacityPlan } from './capacity.ts';
import { type Distribution, quantileOf } from './distribution.ts';
import { busiestHour, type DayProfile, hourlyRates } from './diurnal.ts';
import { meanWaitSeconds } from './queueing.ts';
import { type Loss, type Served, simulate } from './simulate.ts';
import { evenShares, partitionShares, poissonArrivals } from './simulated-arrivals.ts';

export interface ScenarioOptions {
  readonly profile: DayProfile;
  /** Sessions of a process. */
  readonly servers: number;
  /** Seconds that a note takes on one session. */
  readonly service: Distribution;
  /** Of notes a patient: see `partitionShares`. */
  readonly keys: { readonly notesPerPatient: number; readonly sigma: number };
  /** Seconds that nobody read while the group was dealt out anew, as measured. */
  readonly gapSeconds: number;
  /** Until a dead process is missed. */
  readonly sessionSeconds: number;
  /** At most so many notes in each scenario; a plan of more is simulated as a proportional slice. */
  readonly mostNotes: number;
  readonly seed: number;
}

/** Seconds of waiting before a note is begun, on the partitions of the replica that has the hardest time. */
export interface Waits {
  readonly scenario: string;
  /** Of that replica, by its share of the notes, had it nothing to take over; beyond 1 its queue grows. */
  readonly utilisation: number;
  readonly notes: number;
  readonly mean: number;
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
  /** By theory, where there is one. */
  readonly expectedMean: number | null;
  /** Seconds after a loss until the last of these notes arrived that waited longer than a second; 0 where none did, null without a loss. */
  readonly settledAfter: number | null;
}

export interface Simulation {
  readonly notesPerDay: number;
  /** Share of the fleet and of its notes. */
  readonly slice: number;
  readonly replicas: number;
  readonly partitions: number;
  /** The hours of the day that were simulated: [from, to). */
  readonly hours: readonly [number, number];
  readonly scenarios: readonly Waits[];
}

/** Fewer would say nothing about a loss. */
const FEWEST_REPLICAS = 2;
/** What follows a loss is looked at for so long, in seconds. */
const AFTERMATH = 600;
/** A loss comes so long after the busiest hour began. */
const LOSS_AFTER = 1_200;
const PATIENCE = 1;

export function simulatePlan(plan: CapacityPlan, options: ScenarioOptions): Simulation {
  const slice = sliceOf(plan, options);
  const even = evenShares(slice.partitions);
  const skewed = (hotShare: number): Float64Array => sharesOf(slice, options, hotShare);
  // the share that is so many times what every replica has of the others' notes
  const busy = (load: number): number => load / (slice.replicas + load);
  const lossAt = slice.busiest * 3600 + LOSS_AFTER;
  const left = { at: lossAt, noticedAfter: 0, gap: options.gapSeconds };
  const died = { ...left, noticedAfter: options.sessionSeconds };
  const run = (scenario: string, shares: Float64Array, loss?: Loss): Waits => {
    const served = serve(slice, options, shares, loss);
    const theory = shares === even && loss === undefined ? expected(slice, options) : null;
    return { scenario, ...waitsOf(served, shares, { slice, options, loss }), expectedMean: theory };
  };
  return {
    notesPerDay: plan.notesPerDay,
    slice: slice.replicas / plan.replicas,
    replicas: slice.replicas,
    partitions: slice.partitions,
    hours: [slice.from, slice.to],
    scenarios: [
      run('evenly spread', even),
      run('patients with many and few notes', skewed(0)),
      run("one patient as busy as half a replica's others", skewed(busy(0.5))),
      run("one patient as busy as all of a replica's others", skewed(busy(1))),
      run('a replica leaves in order', even, left),
      run('a replica dies', even, died),
    ],
  };
}

interface Slice {
  readonly replicas: number;
  readonly partitions: number;
  /** Notes a second in each hour. */
  readonly rates: readonly number[];
  readonly busiest: number;
  readonly from: number;
  readonly to: number;
}

/** The whole day of the whole fleet if that is not too much; else the busiest hour of as many replicas as may be. */
function sliceOf(plan: CapacityPlan, { profile, mostNotes }: ScenarioOptions): Slice {
  const busiest = busiestHour(profile);
  const whole = plan.notesPerDay <= mostNotes;
  const share = whole ? 1 : Math.min(1, mostNotes / (plan.peakRate * 3600));
  const replicas = Math.min(plan.replicas, Math.max(FEWEST_REPLICAS, Math.round(plan.replicas * share)));
  return {
    replicas,
    partitions: (plan.partitions / plan.replicas) * replicas,
    rates: hourlyRates(profile, (plan.notesPerDay * replicas) / plan.replicas),
    busiest,
    from: whole ? 0 : busiest,
    to: whole ? 24 : busiest + 1,
  };
}

function sharesOf({ partitions, rates }: Slice, { keys, seed }: ScenarioOptions, hotShare: number): Float64Array {
  const notes = 3600 * rates.reduce((sum, each) => sum + each, 0);
  const patients = Math.max(1, Math.round(notes / keys.notesPerPatient));
  return partitionShares({ partitions, keys: patients, sigma: keys.sigma, hotShare, random: seeded(seed + 1) });
}

function serve(
  { replicas, rates, from, to }: Slice,
  { servers, service, seed }: ScenarioOptions,
  shares: Float64Array,
  loss: Loss | undefined,
): Served {
  const [when, how, where] = [seeded(seed + 2), seeded(seed + 3), seeded(seed + 4)];
  return simulate({
    fleet: { replicas, servers, shares },
    arrivals: poissonArrivals(rates, { from, to, random: when }),
    service: () => service.at(how()),
    random: where,
    ...(loss === undefined ? {} : { loss }),
  });
}

function expected({ rates, replicas, busiest }: Slice, { servers, service }: ScenarioOptions): number {
  return meanWaitSeconds({
    servers,
    arrivalsPerSecond: (rates[busiest] as number) / replicas,
    meanServiceSeconds: service.mean,
    cv2: service.cv2,
  });
}

/** Of the notes of the busiest hour; after a loss, of those that arrive on what was lost in the ten minutes after it. */
function waitsOf(
  { arrivals, waits, partitions }: Served,
  shares: Float64Array,
  { slice, options, loss }: { slice: Slice; options: ScenarioOptions; loss: Loss | undefined },
): Omit<Waits, 'scenario' | 'expectedMean'> {
  const { busiest, rates, replicas } = slice;
  const { replica, share } =
    loss === undefined ? busiestReplica(shares, replicas) : { replica: 0, share: 1 / replicas };
  const from = loss?.at ?? busiest * 3600;
  const to = loss === undefined ? from + 3600 : from + AFTERMATH;
  const counts = (_: number, i: number): boolean => {
    const at = arrivals[i] as number;
    return at >= from && at < to && (partitions[i] as number) % replicas === replica;
  };
  const counted = waits.filter(counts).sort();
  // a chance wait anywhere else, or hours later, is none of the loss's
  const late = arrivals.filter((_, i) => (waits[i] as number) > PATIENCE && counts(_, i));
  const settled = late.reduce((last, at) => Math.max(last, at), from);
  return {
    utilisation: (share * (rates[busiest] as number) * options.service.mean) / options.servers,
    notes: counted.length,
    mean: counted.reduce((sum, wait) => sum + wait, 0) / counted.length,
    p50: quantileOf(counted, 0.5),
    p99: quantileOf(counted, 0.99),
    longest: counted.at(-1) ?? Number.NaN,
    settledAfter: loss === undefined ? null : settled - from,
  };
}

/** The one with the largest share of the notes. */
function busiestReplica(shares: Float64Array, replicas: number): { replica: number; share: number } {
  const sums = new Float64Array(replicas);
  shares.forEach((share, partition) => {
    sums[partition % replicas] = (sums[partition % replicas] as number) + share;
  });
  const share = Math.max(...sums);
  return { replica: sums.indexOf(share), share };
}
