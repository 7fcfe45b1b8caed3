/** How long the program needs, after it was away, to be where it would be, while notes go on arriving. */
import { setTimeout as sleep } from 'node:timers/promises';
import { poisson } from '../../../benchmark/arrivals.ts';
import { sourceOf } from '../../../benchmark/workloads.ts';
import type { Config } from '../../../config.ts';
import { seeded } from '../../../evaluation/bootstrap.ts';
import type { Io } from '../../io.ts';
import { BenchError } from '../bench-error.ts';
import { embedded } from '../place.ts';
import { whileLive } from './live.ts';
import { notesToOffer } from './measure.ts';

export interface CaughtUp {
  /** For so long it was away, in seconds, and notes arrived at this rate all the time. */
  readonly awaySeconds: number;
  readonly notesPerSecond: number;
  readonly waiting: number;
  /** From its start until the events of ten notes in a row came within a second of their arrival. */
  readonly caughtUpSeconds: number;
  /** What waited, over what it can carry beyond what arrives; seconds. */
  readonly expectedSeconds: number;
}

const WITHIN_MS = 1_000;
const IN_A_ROW = 10;
const TICK_MS = 20;

/** @param saturation notes a second that it carries at most. @param share of it that arrives. @throws BenchError NOT_CAUGHT_UP */
export async function catchUp(
  config: Config,
  { saturation, share, awaySeconds, seed }: { saturation: number; share: number; awaySeconds: number; seed: number },
  io: Io,
): Promise<CaughtUp> {
  const random = seeded(seed);
  const next = sourceOf('notes', await notesToOffer(), random);
  const rate = share * saturation;
  const backlog = Array.from(poisson(rate, awaySeconds, random), next);
  const expectedSeconds = backlog.length / (saturation - rate);
  // twice as long as it should take, and no longer
  const arrivals = poisson(rate, 2 * expectedSeconds + 30, random);
  return embedded({ ...config, transport: 'embedded' }, io, place =>
    whileLive({ place, backlog, escalated: 0, tasks: [], now: io.now }, async ({ watch, append, started }) => {
      const due: { readonly noteId: string; readonly at: number }[] = [];
      let row = 0;
      let looked = 0;
      for (let i = 0; i < arrivals.length; ) {
        const notes = [];
        while (i < arrivals.length && started + (arrivals[i] as number) <= performance.now()) {
          const note = next();
          due.push({ noteId: note.noteId, at: started + (arrivals[i++] as number) });
          notes.push(note);
        }
        if (notes.length > 0) await append(notes);
        else await sleep(TICK_MS);
        for (let each = due[looked]; each !== undefined; each = due[looked]) {
          const seen = watch.seen.get(each.noteId);
          if (seen === undefined) break;
          row = seen - each.at < WITHIN_MS ? row + 1 : 0;
          looked++;
          if (row < IN_A_ROW) continue;
          const caughtUpSeconds = (seen - started) / 1000;
          return { awaySeconds, notesPerSecond: rate, waiting: backlog.length, caughtUpSeconds, expectedSeconds };
        }
      }
      throw new BenchError(
        'NOT_CAUGHT_UP',
        `${backlog.length} notes that waited were not caught up within ${Math.round(2 * expectedSeconds + 30)} s`,
      );
    }),
  );
}
