/**
 * One step of load, open loop: notes are sent when they are due, however slowly the others come back, and latency counts from
 * when a note was due, not from when it could be sent.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Latencies, latenciesOf } from '../../../benchmark/latencies.ts';
import type { LoadStep } from '../../../benchmark/load-curve.ts';
import type { Note } from '../../../core/note.ts';
import { median } from '../../../evaluation/median.ts';
import { gpuUse, joules } from './counters.ts';
import type { Live } from './live.ts';
import type { CountTokens } from './token-count.ts';

export interface Offer {
  /** Milliseconds from the start. */
  readonly arrivals: Float64Array;
  /** In which they arrive. */
  readonly seconds: number;
  readonly next: () => Note;
  /** Of the step, for its share. */
  readonly share: number;
  readonly countTokens: CountTokens;
}

const SAMPLE_MS = 250;
/** So long without an event, and whatever is still missing will not come. */
const QUIET_MS = 20_000;

export async function offer(live: Live, { arrivals, seconds, next, share, countTokens }: Offer): Promise<LoadStep> {
  const notes = Array.from(arrivals, () => next());
  const uses = sampled(live);
  const [cpu, energy, own] = [cpuSecondsOf(live), joules(), process.cpuUsage()];
  const began = performance.now();
  try {
    await send(live, notes, arrivals, began);
    await live.watch.settled(
      notes.map(({ noteId }) => noteId),
      QUIET_MS,
    );
  } finally {
    uses.stop();
  }
  const wall = (performance.now() - began) / 1000;
  const spent = process.cpuUsage(own);
  const { megabytes, gpu } = await uses.seen;
  const used = joules();
  const done = notes.flatMap((note, i) => {
    const at = live.watch.seen.get(note.noteId);
    return at === undefined ? [] : [{ note, at: at - began, latency: at - began - (arrivals[i] as number) }];
  });
  // a run that carries its load ends with its arrivals; one that does not, with its last event
  const taken = done.reduce((last, { at }) => Math.max(last, at / 1000), seconds);
  const latency: Latencies = latenciesOf(done.map(each => each.latency));
  return {
    share,
    seconds,
    offered: notes.length / seconds,
    achieved: done.length / taken,
    tokensPerSecond: (await countTokens(done.map(({ note }) => note))) / taken,
    latency,
    growth: growthOf(done.map(each => each.latency)),
    missing: notes.length - done.length,
    cpuMsPerNote: (1000 * (cpuSecondsOf(live) - cpu)) / notes.length,
    peakMegabytes: megabytes.length === 0 ? Number.NaN : Math.max(...megabytes),
    tenthsMegabytes: tenths(megabytes),
    clientCores: (spent.user + spent.system) / 1e6 / wall,
    joulesPerNote: energy === null || used === null || used < energy ? null : (used - energy) / notes.length,
    gpuUse: gpu,
  };
}

/** Each note when it is due, or as soon as the one before has been taken. */
async function send(live: Live, notes: readonly Note[], arrivals: Float64Array, began: number): Promise<void> {
  for (let i = 0; i < notes.length; ) {
    const due = performance.now() - began;
    let end = i;
    while (end < notes.length && (arrivals[end] as number) <= due) end++;
    if (end === i) await sleep(Math.max(1, (arrivals[i] as number) - due));
    else await live.append(notes.slice(i, end));
    i = end;
  }
}

/** Of all taggers. */
export function cpuSecondsOf({ taggers }: Live): number {
  return taggers.reduce((sum, each) => sum + each.cpuSeconds(), 0);
}

/** @param latencies in order of arrival. @returns NaN for fewer than three. */
export function growthOf(latencies: readonly number[]): number {
  const third = Math.floor(latencies.length / 3);
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  return sum(latencies.slice(latencies.length - third)) / sum(latencies.slice(0, third));
}

/** The median of each tenth, by time. */
function tenths(values: readonly number[]): number[] {
  const at = (tenth: number): number => Math.floor((tenth / 10) * values.length);
  return Array.from({ length: 10 }, (_, i) => median(values.slice(at(i), Math.max(at(i) + 1, at(i + 1)))));
}

/** Looks now and then at what the taggers use, until it is stopped. */
function sampled({ taggers }: Live): {
  stop: () => void;
  seen: Promise<{ megabytes: number[]; gpu: number | null }>;
} {
  const ending = new AbortController();
  const look = async () => {
    const megabytes: number[] = [];
    const gpus: number[] = [];
    while (!ending.signal.aborted) {
      const now = taggers.reduce((sum, each) => sum + each.residentBytes(), 0);
      if (!Number.isNaN(now)) megabytes.push(now / 1e6);
      const gpu = await gpuUse();
      if (gpu !== null) gpus.push(gpu);
      await sleep(SAMPLE_MS, undefined, { signal: ending.signal }).catch(() => {});
    }
    return { megabytes, gpu: gpus.length === 0 ? null : gpus.reduce((sum, use) => sum + use, 0) / gpus.length };
  };
  return { stop: () => ending.abort(), seen: look() };
}
