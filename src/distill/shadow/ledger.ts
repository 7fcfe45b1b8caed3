/**
 * Counts what two models say of the notes of a stream. A partition's records are counted in order and once: `next` says which is the
 * first that is not. Sums do not depend on how partitions mix, so a shadow that was stopped in between ends with the same report.
 */
import type { Task } from '../../core/span.ts';
import type { Agreement } from '../../evaluation/agreement.ts';
import { RESAMPLES } from '../../evaluation/bootstrap.ts';
import { poissonWeights } from '../../evaluation/online-bootstrap.ts';
import { type Mentions, type TaskComparison, wordsApart } from './compare.ts';
import type { NoteApart, ShadowState, TypeTotals } from './state.ts';

export type Model = 'serving' | 'candidate';

/** What became of one record. */
export type Outcome =
  | {
      readonly kind: 'compared';
      readonly noteId: string;
      readonly noteVersion: number;
      readonly noteType: string;
      readonly words: number;
      readonly tasks: ReadonlyMap<Task, TaskComparison>;
    }
  /** It holds no note, or one that the privacy gate lets through to nobody. */
  | { readonly kind: 'refused'; readonly code: string }
  | { readonly kind: 'unanswered'; readonly by: Model; readonly code: string };

type Cell = keyof Agreement;
const CELLS: readonly Cell[] = ['both', 'onlyFirst', 'onlySecond', 'neither'];

/** One task over all notes. First is the serving model. */
export interface TaskTotals {
  notes: number;
  readonly words: Record<Cell, number>;
  readonly exact: Record<keyof Mentions, number>;
  readonly relaxed: Record<keyof Mentions, number>;
  /** Sums over notes. */
  readonly confidence: Record<Model, number>;
  /** Notes by who would escalate them. */
  readonly escalates: Record<Cell, number>;
  /** Words, by resample of notes. */
  readonly resamples: Readonly<Record<Cell, Float64Array>>;
}

/** Note types come from senders: beyond so many they count together. */
const MAX_TYPES = 40;
export const OTHER_TYPES = '(others)';

export class ShadowLedger {
  /** Notes listed as the most different, at most. */
  readonly #listed: number;
  readonly #next = new Map<number, bigint>();
  readonly tasks = new Map<Task, TaskTotals>();
  readonly types = new Map<string, TypeTotals>();
  readonly refused: Record<string, number> = {};
  readonly unanswered: Record<Model, Record<string, number>> = { serving: {}, candidate: {} };
  readonly escalation = { of: 0, differing: 0 };
  readonly speed = { serving: { tokens: 0, ms: 0 }, candidate: { tokens: 0, ms: 0 } };
  compared = 0;
  words = 0;
  /** The most different first. */
  mostApart: readonly NoteApart[] = [];

  constructor(listed: number, before?: ShadowState) {
    this.#listed = listed;
    if (before !== undefined) this.#goOnFrom(before);
  }

  /** Records counted, whatever became of them. */
  get read(): number {
    const { serving, candidate } = this.unanswered;
    const sums = [this.refused, serving, candidate].flatMap(each => Object.values(each));
    return sums.reduce((sum, each) => sum + each, this.compared);
  }

  /** Offset of the first record of the partition that is not counted. */
  next(partition: number): bigint {
    return this.#next.get(partition) ?? 0n;
  }

  /** Of a partition's records, in the order of their offsets. */
  add(partition: number, offset: bigint, outcome: Outcome): void {
    if (offset < this.next(partition)) return;
    this.moveTo(partition, offset + 1n);
    switch (outcome.kind) {
      case 'refused':
        increase(this.refused, outcome.code, 1);
        break;
      case 'unanswered':
        increase(this.unanswered[outcome.by], outcome.code, 1);
        break;
      case 'compared':
        this.#compare(partition, offset, outcome);
    }
  }

  /** Everything of the partition below `next` is counted, or was no record. */
  moveTo(partition: number, next: bigint): void {
    if (next > this.next(partition)) this.#next.set(partition, next);
  }

  /** A batch of a model's sessions. */
  ran(model: Model, tokens: number, ms: number): void {
    this.speed[model].tokens += tokens;
    this.speed[model].ms += ms;
  }

  state(): ShadowState {
    const { compared, words, refused, unanswered, escalation, speed } = this;
    return {
      next: Object.fromEntries(Array.from(this.#next, ([partition, next]) => [partition, String(next)])),
      ...{ compared, words, refused, unanswered, escalation },
      tasks: Object.fromEntries(
        Array.from(this.tasks, ([task, totals]) => [
          task,
          { ...totals, resamples: eachCell(cell => totals.resamples[cell].join(' ')) },
        ]),
      ),
      types: Object.fromEntries(this.types),
      mostApart: [...this.mostApart],
      speed,
    };
  }

  #goOnFrom(before: ShadowState): void {
    for (const [partition, next] of Object.entries(before.next)) this.#next.set(Number(partition), BigInt(next));
    this.compared = before.compared;
    this.words = before.words;
    Object.assign(this.refused, before.refused);
    Object.assign(this.unanswered.serving, before.unanswered.serving);
    Object.assign(this.unanswered.candidate, before.unanswered.candidate);
    Object.assign(this.escalation, before.escalation);
    for (const [task, { resamples, ...totals }] of Object.entries(before.tasks)) {
      const counts = eachCell(cell => Float64Array.from(resamples[cell].split(' '), Number));
      this.tasks.set(task, { ...totals, resamples: counts });
    }
    for (const [type, totals] of Object.entries(before.types)) this.types.set(type, totals);
    this.mostApart = before.mostApart.slice(0, this.#listed);
    for (const model of ['serving', 'candidate'] as const) Object.assign(this.speed[model], before.speed[model]);
  }

  #compare(partition: number, offset: bigint, note: Extract<Outcome, { kind: 'compared' }>): void {
    this.compared++;
    this.words += note.words;
    const weights = poissonWeights(seedOf(partition, offset));
    const type = this.#typeOf(note.noteType);
    type.notes++;
    for (const [task, comparison] of note.tasks) {
      addTo(this.#taskOf(task), comparison, weights);
      type.tasks[task] ??= { words: noWords(), exact: noMentions() };
      plus(type.tasks[task].words, comparison.words);
      plus(type.tasks[task].exact, comparison.exact);
    }
    const routed = [...note.tasks.values()].flatMap(({ escalates }) => escalates ?? []);
    if (routed.length > 0) this.escalation.of++;
    if (routed.some(({ serving, candidate }) => serving !== candidate)) this.escalation.differing++;
    this.#list(partition, offset, note);
  }

  #list(partition: number, offset: bigint, note: Extract<Outcome, { kind: 'compared' }>): void {
    const apart = wordsApart(note.tasks);
    const least = this.mostApart.at(-1)?.apart ?? 0;
    if (apart === 0 || (this.mostApart.length === this.#listed && apart < least)) return;
    const { noteId, noteVersion, noteType, words } = note;
    const tasks = Object.fromEntries(Array.from(note.tasks, ([task, { exact }]) => [task, exact]));
    const entry = { noteId, noteVersion, noteType, partition, offset: String(offset), words, apart, tasks };
    this.mostApart = [...this.mostApart, entry].sort(byDistance).slice(0, this.#listed);
  }

  #taskOf(task: Task): TaskTotals {
    const known = this.tasks.get(task);
    if (known !== undefined) return known;
    const fresh: TaskTotals = {
      notes: 0,
      words: noWords(),
      exact: noMentions(),
      relaxed: noMentions(),
      confidence: { serving: 0, candidate: 0 },
      escalates: noWords(),
      resamples: eachCell(() => new Float64Array(RESAMPLES)),
    };
    this.tasks.set(task, fresh);
    return fresh;
  }

  #typeOf(noteType: string): TypeTotals {
    const name = this.types.has(noteType) || this.types.size < MAX_TYPES ? noteType : OTHER_TYPES;
    const known = this.types.get(name) ?? { notes: 0, tasks: {} };
    this.types.set(name, known);
    return known;
  }
}

function addTo(
  totals: TaskTotals,
  { words, exact, relaxed, confidence, escalates }: TaskComparison,
  weights: Uint8Array,
) {
  totals.notes++;
  plus(totals.words, words);
  plus(totals.exact, exact);
  plus(totals.relaxed, relaxed);
  plus(totals.confidence, confidence);
  if (escalates !== undefined) totals.escalates[cellOf(escalates.serving, escalates.candidate)]++;
  for (const cell of CELLS) {
    const sums = totals.resamples[cell];
    const count = words[cell];
    if (count === 0) continue;
    for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] as number) + (weights[i] as number) * count;
  }
}

function cellOf(first: boolean, second: boolean): Cell {
  if (first) return second ? 'both' : 'onlyFirst';
  return second ? 'onlySecond' : 'neither';
}

/** Distance first; what is equally far in the order of places, so that the list does not depend on who finished first. */
function byDistance(a: NoteApart, b: NoteApart): number {
  return b.apart - a.apart || a.partition - b.partition || Number(BigInt(a.offset) - BigInt(b.offset));
}

/** Of a record's place, so that a note weighs the same whenever it is counted. */
function seedOf(partition: number, offset: bigint): number {
  return (Number(BigInt.asUintN(32, offset)) + Math.imul(partition + 1, 0x9e3779b1)) >>> 0;
}

function noWords(): Record<Cell, number> {
  return { both: 0, onlyFirst: 0, onlySecond: 0, neither: 0 };
}

function noMentions(): Record<keyof Mentions, number> {
  return { both: 0, onlyFirst: 0, onlySecond: 0 };
}

function plus<Key extends string>(sums: Record<Key, number>, more: Readonly<Record<Key, number>>): void {
  for (const key of Object.keys(more) as Key[]) sums[key] += more[key];
}

function increase(counts: Record<string, number>, code: string, by: number): void {
  counts[code] = (counts[code] ?? 0) + by;
}

function eachCell<T>(of: (cell: Cell) => T): Record<Cell, T> {
  return { both: of('both'), onlyFirst: of('onlyFirst'), onlySecond: of('onlySecond'), neither: of('neither') };
}
