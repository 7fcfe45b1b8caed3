/** When notes arrive, and on which partition. */
import { gap } from './arrivals.ts';

const HOUR = 3600;

/**
 * Poisson arrivals in seconds from midnight, rising.
 * @param rates notes a second in each hour of the day. @param from, to hours. @param random uniform in [0, 1).
 */
export function* poissonArrivals(
  rates: readonly number[],
  { from, to, random }: { from: number; to: number; random: () => number },
): Generator<number> {
  for (let hour = from; hour < to; hour++) {
    const rate = rates[hour] as number;
    const end = (hour + 1) * HOUR;
    // begins anew with each hour: what comes next does not depend on what came before
    for (let at = hour * HOUR + gap(rate, random); at < end; at += gap(rate, random)) yield at;
  }
}

export interface KeyOptions {
  readonly partitions: number;
  /** Patients. */
  readonly keys: number;
  /** Of the log-normal notes a patient: 0 all the same. */
  readonly sigma: number;
  /** Share of all notes that one more patient has, on partition 0. */
  readonly hotShare: number;
  readonly random: () => number;
}

/**
 * The share of notes on each partition; all together 1. Each key goes to one partition, as by a good hash. Notes of a partition arrive at
 * random times too: those of many patients, each at random times, do.
 */
export function partitionShares({ partitions, keys, sigma, hotShare, random }: KeyOptions): Float64Array {
  const shares = new Float64Array(partitions);
  let sum = 0;
  for (let key = 0; key < keys; key++) {
    const weight = Math.exp(sigma * normal(random));
    const partition = Math.floor(random() * partitions);
    shares[partition] = (shares[partition] as number) + weight;
    sum += weight;
  }
  return shares.map((share, i) => (1 - hotShare) * (share / sum) + (i === 0 ? hotShare : 0));
}

export function evenShares(partitions: number): Float64Array {
  return new Float64Array(partitions).fill(1 / partitions);
}

/** Standard normal by Box and Muller. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
