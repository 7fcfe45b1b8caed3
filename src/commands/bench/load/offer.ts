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
  readonly next: () => Note;
  /** Of the step, for its share. */
  readonly share: number;
  readonly countTokens: CountTokens;
}

const SAMPLE_MS = 250;
/** So long without an event, and whatever is still missing will not come. */
const QUIET_MS = 20_000;

export async function offer(live: Live, { arrivals, next, share, countTokens }: Offer): Promise<LoadStep> {
  const notes = Array.from(arrivals, () => next());
  const uses = sampled(live);
  const [cpu, energy, own] = [cpuSecondsOf(live), joules(), process.cpuUsage()];
  const began = performance.now();
  for (let i = 0; i < notes.length; ) {
    const due = performance.now() - began;
    let end = i;
    while (end < notes.length && (arrivals[end] as number) <= due) end++;
    if (end === i) await sleep(Math.max(1, (arrivals[i] as number) - due));
    else await live.append(notes.slice(i, end));
    i = end;
  }
  await live.watch.settled(
    notes.map(({ noteId }) => noteId),
    QUIET_MS,
  );
  const wall = (performance.now() - began) / 1000;
  const spent = process.cpuUsage(own);
  const { megabytes, gpu } = await uses();
  const used = joules();
  const done = notes.flatMap((note, i) => {
    const at = live.watch.seen.get(note.noteId);
    return at === undefined ? [] : [{ note, at: at - began, latency: at - began - (arrivals[i] as number) }];
  });
  const first = arrivals[0] ?? 0;
  const seconds = (done.reduce((last, { at }) => Math.max(last, at), first) - first) / 1000;
  const latency: Latencies = latenciesOf(done.map(each => each.latency));
  return {
    share,
    offered: (notes.length - 1) / (((arrivals.at(-1) ?? 0) - first) / 1000),
    achieved: done.length / seconds,
    tokensPerSecond: (await countTokens(done.map(({ note }) => note))) / seconds,
    latency,
    missing: notes.length - done.length,
    cpuMsPerNote: (1000 * (cpuSecondsOf(live) - cpu)) / notes.length,
    peakMegabytes: Math.max(...megabytes),
    tenthsMegabytes: tenths(megabytes),
    clientCores: (spent.user + spent.system) / 1e6 / wall,
    joulesPerNote: energy === null || used === null || used < energy ? null : (used - energy) / notes.length,
    gpuUse: gpu,
  };
}

/** Of all its processes. */
export function cpuSecondsOf({ taggers }: Live): number {
  return taggers.reduce((sum, each) => sum + each.cpuSeconds(), 0);
}

/** The median of each tenth, by time. */
function tenths(values: readonly number[]): number[] {
  const at = (tenth: number): number => Math.floor((tenth / 10) * values.length);
  return Array.from({ length: 10 }, (_, i) => median(values.slice(at(i), Math.max(at(i) + 1, at(i + 1)))));
}

/** Looks now and then at what the program uses. @returns what ends the looking and says what was seen. */
function sampled({ taggers }: Live): () => Promise<{ megabytes: number[]; gpu: number | null }> {
  const ending = new AbortController();
  const looking = (async () => {
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
  })();
  return async () => {
    ending.abort();
    return looking;
  };
}
