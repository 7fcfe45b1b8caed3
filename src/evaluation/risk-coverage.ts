/**
 * What is left among the notes that are kept when the most doubtful go to someone else (El-Yaniv & Wiener, JMLR 2010). Coverage is the
 * share of notes kept; risk is what is wrong among them. Notes of equal doubt are shared out: each counts as their mean, so that no
 * figure depends on the order in which notes came.
 */

import type { Interval } from './bootstrap.ts';
import { intervals } from './bootstrap.ts';
import { type Counts, sum } from './counts.ts';

export interface JudgedNote {
  /** Larger is escalated earlier. */
  readonly doubt: number;
  /** Of the note's words. */
  readonly counts: Counts;
  /** Words to read: what it costs to send. */
  readonly words: number;
}

/** Sums over the notes kept; fractions where tied notes are shared out. */
interface Kept {
  readonly notes: number;
  readonly tp: number;
  readonly errors: number;
  readonly words: number;
}

/** 1 − micro F1 of the words kept, which is what readers of the output see; nothing to find and nothing found is no risk. */
function f1Risk({ tp, errors }: Pick<Kept, 'tp' | 'errors'>): number {
  return errors === 0 ? 0 : errors / (2 * tp + errors);
}

function errorRisk({ errors, notes }: Kept): number {
  return errors / notes;
}

const errorsOf = ({ fp, fn }: Counts): number => fp + fn;

/** Sums of the k least doubtful notes, for k = 0 … n. */
function keptFirst(notes: readonly JudgedNote[]): Kept[] {
  const byDoubt = [...notes].sort((a, b) => a.doubt - b.doubt);
  const sums: Kept[] = [{ notes: 0, tp: 0, errors: 0, words: 0 }];
  for (let first = 0; first < byDoubt.length; ) {
    let last = first + 1;
    while (last < byDoubt.length && byDoubt[last]?.doubt === byDoubt[first]?.doubt) last++;
    const before = sums[first] as Kept;
    const tied = byDoubt.slice(first, last);
    const total = (of: (note: JudgedNote) => number): number => tied.reduce((all, note) => all + of(note), 0);
    const tp = total(note => note.counts.tp);
    const errors = total(note => errorsOf(note.counts));
    const words = total(note => note.words);
    for (let i = 1; i <= tied.length; i++) {
      const share = i / tied.length;
      sums.push({
        notes: first + i,
        tp: before.tp + share * tp,
        errors: before.errors + share * errors,
        words: before.words + share * words,
      });
    }
    first = last;
  }
  return sums;
}

export interface Areas {
  /** Mean risk 1 − F1 over all coverages 1/n … 1. */
  readonly f1: number;
  /** The same over coverages of at least a half: the range in which anyone would escalate. */
  readonly f1Half: number;
  /** Mean errors (words) a kept note over all coverages, and over those of at least a half. */
  readonly errors: number;
  readonly errorsHalf: number;
  /** Mean risk 1 − F1 while at most half of the words are escalated, weighted by words: what the same money buys. */
  readonly f1HalfOfWords: number;
}

/** Areas under the risk-coverage curves; smaller is better. 0 without notes. */
export function areas(notes: readonly JudgedNote[]): Areas {
  const sums = keptFirst(notes);
  const all = sums.slice(1);
  const half = all.filter(each => 2 * each.notes >= notes.length);
  const words = sums.at(-1)?.words ?? 0;
  let [weighted, weight] = [0, 0];
  for (let i = 1; i < sums.length; i++) {
    const kept = sums[i] as Kept;
    if (2 * kept.words < words) continue;
    const step = kept.words - (sums[i - 1] as Kept).words;
    weighted += step * f1Risk(kept);
    weight += step;
  }
  return {
    f1: mean(all.map(f1Risk)),
    f1Half: mean(half.map(f1Risk)),
    errors: mean(all.map(errorRisk)),
    errorsHalf: mean(half.map(errorRisk)),
    f1HalfOfWords: weight === 0 ? 0 : weighted / weight,
  };
}

/** What any order at all could reach at best: the areas `f1` and `f1Half` of the smallest risk at each coverage. */
export function bestAreas(counts: readonly Counts[]): Pick<Areas, 'f1' | 'f1Half'> {
  const risks = counts.map((_, i) => smallestRisk(counts, i + 1));
  return { f1: mean(risks), f1Half: mean(risks.filter((_, i) => 2 * (i + 1) >= counts.length)) };
}

/**
 * Smallest 1 − F1 that keeping `kept` of the notes can leave: a ratio of sums, minimised by Dinkelbach's iteration (Management Science
 * 1967). At a risk r the notes with the smallest E·(1 − r) − 2r·T are best; when they do no better than r, nothing does.
 */
export function smallestRisk(counts: readonly Counts[], kept: number): number {
  const riskOfCheapest = (cost: (each: Counts) => number): number => {
    const cheapest = [...counts].sort((a, b) => cost(a) - cost(b)).slice(0, kept);
    const total = sum(cheapest);
    return f1Risk({ tp: total.tp, errors: errorsOf(total) });
  };
  // begins with the fewest errors: where there are none, the ratio may be 0 / 0, and the iteration would not find it
  let risk = riskOfCheapest(errorsOf);
  for (;;) {
    const r = risk;
    const next = riskOfCheapest(each => errorsOf(each) * (1 - r) - 2 * r * each.tp);
    if (next >= risk - 1e-12) return risk;
    risk = next;
  }
}

/** What is left when some notes are escalated, and what that costs. */
export interface Left {
  readonly escalated: number;
  /** Micro F1 of the words in the notes kept. */
  readonly f1Kept: number;
  readonly errorsPerNoteKept: number;
  /** Share of all errors that lie in the notes escalated. */
  readonly shareOfErrors: number;
  /** Share of all words that lie in the notes escalated: what escalating costs. */
  readonly shareOfWords: number;
}

export interface AtRate extends Left {
  /** Share of the notes to escalate; so many notes, rounded, do. */
  readonly rate: number;
}

/** When the most doubtful share of the notes is escalated. @param rate in [0, 1). */
export function atRate(notes: readonly JudgedNote[], rate: number): AtRate {
  const sums = keptFirst(notes);
  return { rate, ...leftOf(sums, notes.length - Math.round(rate * notes.length)) };
}

/** When the notes whose doubt is above a threshold are escalated: what a router does. */
export function atThreshold(notes: readonly JudgedNote[], threshold: number): Left {
  return leftOf(keptFirst(notes), notes.filter(each => each.doubt <= threshold).length);
}

function leftOf(sums: readonly Kept[], notesKept: number): Left {
  const kept = sums[notesKept] as Kept;
  const whole = sums.at(-1) as Kept;
  const gone = (part: number, all: number): number => (all === 0 ? 0 : 1 - part / all);
  return {
    escalated: whole.notes - kept.notes,
    f1Kept: 1 - f1Risk(kept),
    errorsPerNoteKept: kept.notes === 0 ? 0 : errorRisk(kept),
    shareOfErrors: gone(kept.errors, whole.errors),
    shareOfWords: gone(kept.words, whole.words),
  };
}

/** 1 − micro F1 of the words in the k least doubtful notes, for k = 1 … n. */
export function f1RiskByCoverage(notes: readonly JudgedNote[]): number[] {
  return keptFirst(notes).slice(1).map(f1Risk);
}

export interface AtRateWithIntervals extends AtRate {
  /** 95 % bootstrap intervals over notes, which are ranked anew in each resample. */
  readonly f1KeptInterval: Interval;
  readonly shareOfErrorsInterval: Interval;
}

/** @param random uniform in [0, 1), seeded by the caller. */
export function atRates(
  notes: readonly JudgedNote[],
  rates: readonly number[],
  random: () => number,
): AtRateWithIntervals[] {
  const found = intervals(notes.length, random, pick => {
    const drawn = pick.map(i => notes[i] as JudgedNote);
    return rates.flatMap(rate => {
      const { f1Kept, shareOfErrors } = atRate(drawn, rate);
      return [f1Kept, shareOfErrors];
    });
  });
  return rates.map((rate, i) => ({
    ...atRate(notes, rate),
    f1KeptInterval: found[2 * i] as Interval,
    shareOfErrorsInterval: found[2 * i + 1] as Interval,
  }));
}

/** 95 % intervals of an area, and of how much larger it is than the area of other doubts about the same notes, drawn together. */
export function areaIntervals(
  notes: readonly JudgedNote[],
  others: readonly JudgedNote[],
  area: keyof Areas,
  random: () => number,
): { readonly area: Interval; readonly excess: Interval } {
  if (notes.length !== others.length) throw new RangeError('paired doubts need the same notes');
  const of = (all: readonly JudgedNote[], pick: readonly number[]): number =>
    areas(pick.map(i => all[i] as JudgedNote))[area];
  const [own, excess] = intervals(notes.length, random, pick => {
    const mine = of(notes, pick);
    return [mine, mine - of(others, pick)];
  });
  return { area: own as Interval, excess: excess as Interval };
}

/**
 * The doubt above which a share of the notes lies: half way between the last note escalated and the first one kept, so that the last
 * digits of another processor decide nothing. @param rate in (0, 1).
 */
export function thresholdAt(doubts: readonly number[], rate: number): number {
  const sorted = [...doubts].sort((a, b) => b - a);
  const escalated = Math.round(rate * sorted.length);
  if (escalated < 1 || escalated >= sorted.length) {
    throw new RangeError(`a rate of ${rate} splits no set of ${sorted.length} notes`);
  }
  return ((sorted[escalated - 1] as number) + (sorted[escalated] as number)) / 2;
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((all, value) => all + value, 0) / values.length;
}
