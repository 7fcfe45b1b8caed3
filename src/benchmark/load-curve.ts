/** Latency against load: steps of one sweep, and what they say. */
import type { Latencies } from './latencies.ts';

/** One rate, held for a while. */
export interface LoadStep {
  /** Of the saturation throughput. */
  readonly share: number;
  /** In which they arrived: longer than asked for, where too few would have. */
  readonly seconds: number;
  /** Notes a second that arrived. */
  readonly offered: number;
  /** Notes a second, to the end of the arrivals or to the last entities event, whichever is later. */
  readonly achieved: number;
  readonly tokensPerSecond: number;
  /** From when a note should have arrived to its entities event in the hands of a reader. */
  readonly latency: Latencies;
  /** Mean latency of the last third of the arrivals over that of the first: of a queue that grows it is far above 1. */
  readonly growth: number;
  /** Arrivals without an event. */
  readonly missing: number;
  /** Of the taggers, all their threads. */
  readonly cpuMsPerNote: number;
  readonly peakMegabytes: number;
  /** The median over each tenth of the step: flat, where nothing is kept that should not be. */
  readonly tenthsMegabytes: readonly number[];
  /** Cores that the measuring process used itself: it shares the machine. */
  readonly clientCores: number;
  /** Null where the machine has no counter for it, or hides it. */
  readonly joulesPerNote: number | null;
  /** Mean use of the first GPU, in [0, 1]; null without one. */
  readonly gpuUse: number | null;
}

/**
 * The knee: the step with the most power, throughput over mean latency (Kleinrock 1979). Beyond it, more load buys
 * more waiting than work. @returns nothing for no steps.
 */
export function knee(steps: readonly LoadStep[]): LoadStep | undefined {
  const power = ({ achieved, latency }: LoadStep): number => achieved / latency.mean;
  return steps.reduce<LoadStep | undefined>(
    (best, step) => (best === undefined || power(step) > power(best) ? step : best),
    undefined,
  );
}

/** A queue that grows all the time waits five times as long in the last third as in the first. */
const GROWING = 3;

/** The highest load that was carried: as many notes came out as arrived, but for what a run ends with, and no queue grew. */
export function carried(steps: readonly LoadStep[], tolerance = 0.05): LoadStep | undefined {
  return steps
    .filter(({ achieved, offered, missing }) => missing === 0 && achieved >= (1 - tolerance) * offered)
    .filter(({ growth }) => !(growth >= GROWING))
    .reduce<LoadStep | undefined>((best, step) => (step.offered > (best?.offered ?? 0) ? step : best), undefined);
}
