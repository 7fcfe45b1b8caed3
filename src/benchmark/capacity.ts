/**
 * How many processes, partitions and brokers a day's notes need, and what they cost, by arithmetic from measured figures. Replicas are
 * taken to scale linearly: partitions share nothing but the brokers, which are bounded by what one was measured to carry.
 */
import { usdPerNote } from './published.ts';

const HOURS = 24;
const DAY_SECONDS = 86_400;

/** From the committed results. */
export interface Measured {
  /** At saturation, of one process on its cores. */
  readonly notesPerSecond: number;
  /** Mean bytes of a record: key, value and headers, before compression. */
  readonly noteBytes: number;
  readonly entitiesBytes: number;
  /** Records a second through one broker, read, written and committed exactly once. */
  readonly copiedPerSecond: number;
  /** Over so many partitions. */
  readonly copiedPartitions: number;
}

export interface Assumed {
  /** The busiest hour's rate over the day's mean. */
  readonly peakOverMean: number;
  /** Of saturation, in the busiest hour; in (0, 1]. */
  readonly utilisation: number;
  readonly minimumReplicas: number;
  readonly partitionsPerReplica: number;
  /** Copies of each record. */
  readonly replication: number;
  /** Each with as many partitions. */
  readonly topics: number;
  /** Groups that read the entities. */
  readonly readers: number;
  readonly minimumBrokers: number;
  readonly partitionsPerBroker: number;
  /** Of a machine with the cores of one process; also taken for a broker. */
  readonly usdPerHour: number;
}

export interface CapacityPlan {
  readonly notesPerDay: number;
  /** Notes a second. */
  readonly meanRate: number;
  readonly peakRate: number;
  readonly replicas: number;
  /** In the busiest hour. */
  readonly utilisation: number;
  /** The same, with one replica less. */
  readonly utilisationWithoutOne: number;
  readonly partitions: number;
  /** Records a second on one partition of the notes, in the busiest hour. */
  readonly partitionRate: number;
  /** What one partition was measured to carry at least. */
  readonly partitionBound: number;
  /** Notes a second that one key may have in the busiest hour before its process is full, over the mean of all others there. */
  readonly largestKeyRate: number;
  /** A second, in the busiest hour. */
  readonly bytes: {
    /** What producers and taggers write. */
    readonly in: number;
    /** What taggers and readers read. */
    readonly out: number;
    /** Among brokers. */
    readonly replicated: number;
  };
  /** Of a day's notes and entities, all copies. */
  readonly storageBytesPerDay: number;
  readonly brokers: { readonly byRecords: number; readonly byPartitions: number; readonly count: number };
  /** US dollars; machines for the busiest hour, running all day. */
  readonly usdPerDay: { readonly replicas: number; readonly brokers: number; readonly total: number };
  /** The replicas if there were always just as many as needed at the same utilisation. */
  readonly usdPerDayElastic: number;
}

export function planCapacity(notesPerDay: number, measured: Measured, assumed: Assumed): CapacityPlan {
  const { notesPerSecond, noteBytes, entitiesBytes } = measured;
  const { utilisation, replication, usdPerHour } = assumed;
  const meanRate = notesPerDay / DAY_SECONDS;
  const peakRate = meanRate * assumed.peakOverMean;
  const replicas = Math.max(assumed.minimumReplicas, wholeUp(peakRate / (utilisation * notesPerSecond)));
  const partitionBound = measured.copiedPerSecond / measured.copiedPartitions;
  // whole multiples, so that no replica has a partition more than another
  const perReplica = Math.max(
    assumed.partitionsPerReplica,
    wholeUp(peakRate / (utilisation * partitionBound * replicas)),
  );
  const partitions = replicas * perReplica;
  const brokers = brokersFor(peakRate, partitions, measured, assumed);
  const written = noteBytes + entitiesBytes;
  const usd = { replicas: replicas * HOURS * usdPerHour, brokers: brokers.count * HOURS * usdPerHour };
  return {
    notesPerDay,
    meanRate,
    peakRate,
    replicas,
    utilisation: peakRate / (replicas * notesPerSecond),
    utilisationWithoutOne: peakRate / ((replicas - 1) * notesPerSecond),
    partitions,
    partitionRate: peakRate / partitions,
    partitionBound,
    largestKeyRate: notesPerSecond - peakRate / replicas,
    bytes: {
      in: peakRate * written,
      out: peakRate * (noteBytes + assumed.readers * entitiesBytes),
      replicated: peakRate * written * (replication - 1),
    },
    storageBytesPerDay: notesPerDay * written * replication,
    brokers,
    usdPerDay: { ...usd, total: usd.replicas + usd.brokers },
    usdPerDayElastic: (notesPerDay * usdPerNote(usdPerHour, notesPerSecond)) / utilisation,
  };
}

/**
 * A broker is counted as full at the same utilisation; each copy of a record is counted as if the broker that holds it carried it
 * from beginning to end, which is more than it does.
 */
function brokersFor(
  peakRate: number,
  partitions: number,
  { copiedPerSecond }: Measured,
  { replication, utilisation, topics, partitionsPerBroker, minimumBrokers }: Assumed,
): CapacityPlan['brokers'] {
  const byRecords = wholeUp((peakRate * replication) / (utilisation * copiedPerSecond));
  const byPartitions = wholeUp((partitions * topics * replication) / partitionsPerBroker);
  return { byRecords, byPartitions, count: Math.max(minimumBrokers, byRecords, byPartitions) };
}

export interface ModelDay {
  readonly usdPerDay: number;
  /** Requests under way at once in the busiest hour (Little's law: rate times seconds). */
  readonly inFlight: number;
  /** Dollars over those of the plan, brokers included. */
  readonly times: number;
}

/** The same notes through a model by what one note takes and costs there. */
export function modelDay(
  { notesPerDay, peakRate, usdPerDay }: CapacityPlan,
  model: { usd: number; seconds: number },
): ModelDay {
  const usd = notesPerDay * model.usd;
  return { usdPerDay: usd, inFlight: peakRate * model.seconds, times: usd / usdPerDay.total };
}

/** Up to a whole number, and not by one too many for a rounding error. */
function wholeUp(value: number): number {
  return Math.ceil(value * (1 - 1e-12));
}
