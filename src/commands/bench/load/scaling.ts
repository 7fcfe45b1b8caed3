/**
 * `bench scaling`: whether cost is linear in tokens, from few notes to many and from short ones to very long ones. What is counted is
 * processor time a token, of the program's process while it reads what waits: a start-up that costs the same for any number is not in it.
 */
import { sourceOf } from '../../../benchmark/workloads.ts';
import { type Config, ConfigError } from '../../../config.ts';
import type { Note } from '../../../core/note.ts';
import { median } from '../../../evaluation/median.ts';
import { loadServing } from '../../../model/store.ts';
import { type Io, report, write } from '../../io.ts';
import { embedded } from '../place.ts';
import { originOf, writeResults } from '../results.ts';
import { whileLive } from './live.ts';
import { notesToOffer } from './measure.ts';
import { cpuSecondsOf } from './offer.ts';
import { tokenCounter } from './token-count.ts';
import { lastOf } from './watch.ts';

/** So many notes of so many characters each. */
interface Size {
  readonly notes: number;
  readonly characters: number;
}

interface Point extends Size {
  readonly tokens: number;
  /** Processor time of a thousand tokens, milliseconds: the median of the rounds. */
  readonly cpuMsPerKiloToken: number;
}

const BY_NUMBER: readonly Size[] = [10, 100, 1_000, 10_000].map(notes => ({ notes, characters: 1_000 }));
/** Characters, however they are cut. */
const TOTAL = 3_000_000;
const BY_LENGTH: readonly Size[] = [1_000, 10_000, 100_000, 1_000_000].map(characters => ({
  notes: TOTAL / characters,
  characters,
}));
const QUIET_MS = 120_000;
/** Warms what is compiled and allocated on the first notes. */
const WARM_UP = 30;

/** @throws ConfigError where nothing is as small as that. */
export async function benchScaling(
  config: Config,
  { rounds, most, write: writes }: { rounds: number; most: number; write: boolean },
  io: Io,
): Promise<void> {
  const least = Math.min(...BY_NUMBER.map(sizeOf));
  if (most < least)
    throw new ConfigError(
      'CONFIG_INVALID',
      `--most ${most}: the least that is measured has ${least} characters in all`,
    );
  const origin = originOf(config, `scaling --rounds ${rounds} --most ${most}`);
  const real = await notesToOffer();
  const count = tokenCounter(loadServing(config.model));
  const within = (size: Size): boolean => sizeOf(size) <= most;
  const point = async (size: Size): Promise<Point> => {
    const costs: number[] = [];
    const notes = notesOf(size, real);
    const tokens = await count(notes);
    for (let round = 0; round < rounds; round++) costs.push((await cpuMs(config, notes, real, io)) / (tokens / 1000));
    const found = { ...size, tokens, cpuMsPerKiloToken: median(costs) };
    await report(io, sentence(found));
    return found;
  };
  const byNumber = await oneByOne(BY_NUMBER.filter(within), point);
  const byLength = await oneByOne(BY_LENGTH.filter(within), point);
  const result = {
    ...origin,
    settings: config.inference,
    byNumber,
    byLength,
    /** Dearest over cheapest thousand tokens; null where --most leaves nothing to compare. */
    spread: { byNumber: spread(byNumber), byLength: spread(byLength) },
  };
  await write(io.stdout, `${[...byNumber, ...byLength].map(sentence).join('\n')}\n`);
  await write(
    io.stdout,
    `dearest over cheapest thousand tokens: ${spoken(result.spread.byNumber)} by number of notes, ${spoken(result.spread.byLength)} by length\n`,
  );
  if (writes) await writeResults('scaling', config, { json: result }, io);
}

async function cpuMs(config: Config, notes: readonly Note[], real: readonly Note[], io: Io): Promise<number> {
  const warm = notesOf({ notes: WARM_UP, characters: 1_000 }, real, 'warm');
  return embedded({ ...config, transport: 'embedded' }, io, place =>
    whileLive({ place, backlog: warm, escalated: 0, tasks: [], now: io.now }, async live => {
      await lastOf(live.watch, warm, QUIET_MS);
      const before = cpuSecondsOf(live);
      await live.append(notes);
      await lastOf(live.watch, notes, QUIET_MS);
      return 1000 * (cpuSecondsOf(live) - before);
    }),
  );
}

/** Text of real notes, cut to length between two words. */
function notesOf({ notes, characters }: Size, real: readonly Note[], prefix = 'scaling'): Note[] {
  const next = sourceOf('notes', real, Math.random);
  return Array.from({ length: notes }, (_, i) => {
    const note = next();
    let { text } = note;
    while (text.length < characters) text += `\n\n${next().text}`;
    const end = text.lastIndexOf(' ', characters);
    return { ...note, noteId: `${prefix}-${i}`, text: text.slice(0, end < characters / 2 ? characters : end) };
  });
}

async function oneByOne<T, U>(all: readonly T[], act: (each: T) => Promise<U>): Promise<U[]> {
  const done: U[] = [];
  for (const each of all) done.push(await act(each));
  return done;
}

/** Characters in all. */
function sizeOf({ notes, characters }: Size): number {
  return notes * characters;
}

function spoken(ratio: number | null): string {
  return ratio?.toFixed(2) ?? '(not measured)';
}

function spread(points: readonly Point[]): number | null {
  if (points.length < 2) return null;
  const costs = points.map(each => each.cpuMsPerKiloToken);
  return Math.max(...costs) / Math.min(...costs);
}

function sentence({ notes, characters, tokens, cpuMsPerKiloToken }: Point): string {
  return `${notes} notes of ${characters} characters, ${tokens} tokens: ${cpuMsPerKiloToken.toFixed(1)} ms of processor time a thousand tokens`;
}
