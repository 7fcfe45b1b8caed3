/**
 * Chooses a doubt score on the teacher's dev notes and says what escalating by it is worth there, and on human corpora and on test where
 * the corpus directory has them. One score serves all tasks, unless it is surely worse for one: then that task has its own.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Task } from '../core/span.ts';
import { type Interval, seeded } from '../evaluation/bootstrap.ts';
import {
  type Areas,
  type AtRateWithIntervals,
  areaIntervals,
  areas,
  atRates,
  atThreshold,
  bestAreas,
  type Left,
  thresholdAt,
} from '../evaluation/risk-coverage.ts';
import type { ModelIdentity, VerifiedModel } from '../model/manifest.ts';
import { parseRouting, ROUTING_FILE, type Routing } from '../model/routing.ts';
import { DOUBT_SCORES, type DoubtScore, doubtScore } from '../text/doubt-scores.ts';
import { type CorpusDocument, corpusHash, readCorpus, type Split } from './corpus.ts';
import { DistillError } from './distill-error.ts';
import { CHOSEN_ON, DOUBT_SETS, type DoubtSet, nameOf } from './doubt-sets.ts';
import { type Fitted, fittingNotes } from './fitting-notes.ts';
import { judgedBy, type WeighedNote, weigh } from './judge-doubts.ts';
import { type Progress, Scorer } from './score-documents.ts';

/** At which shares of notes escalated the curves are written down. */
export const RATES: readonly number[] = [0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5];

/** What decides: 1 − F1 of the notes kept, while at most half of them are escalated. */
const DECIDING: keyof Areas = 'f1Half';
/** What events carry today: the measure that a chosen score must beat. */
const TODAY: DoubtScore = 'expected-loss';
const SEED = 13;
const DIGITS = 6;

export interface ScoreResult {
  readonly score: DoubtScore;
  readonly areas: Areas;
  /** 95 % of the deciding area, and of how much larger it is than that of the score chosen for the task. */
  readonly interval: Interval;
  readonly beyondChosen: Interval;
}

export interface TaskResult {
  readonly set: string;
  readonly split: Split;
  readonly use: DoubtSet['use'];
  readonly task: Task;
  readonly notes: number;
  /** Means a note. */
  readonly words: number;
  readonly errors: number;
  /** 1 − F1 when nothing escalates: also the area of an order that knows nothing. */
  readonly risk: number;
  /** Of the best choice of notes at each coverage: no score can be lower. */
  readonly best: Pick<Areas, 'f1' | 'f1Half'>;
  readonly chosen: DoubtScore;
  /** All of them on dev; on test only the chosen one and the one before. */
  readonly scores: readonly ScoreResult[];
  /** By the chosen score, this set's own most doubtful notes. */
  readonly rates: readonly AtRateWithIntervals[];
  /** The same by the thresholds that serve: on other notes they escalate another share than on those they were measured on. */
  readonly thresholds: readonly (Left & { readonly rate: number; readonly threshold: number })[];
}

export interface Choice {
  readonly area: keyof Areas;
  /** Mean over the tasks of a score's area over the smallest of any score, on the set chosen on; the smallest mean serves. */
  readonly meanRelativeArea: Readonly<Record<string, number>>;
  readonly byTask: Readonly<Record<Task, DoubtScore>>;
  /** The score with the smallest area for a task, and by how much the chosen one is larger. */
  readonly smallestByTask: Readonly<Record<Task, { readonly score: DoubtScore; readonly beyond: Interval }>>;
}

export interface DoubtReport {
  readonly model: ModelIdentity;
  /** Files that were read. */
  readonly data: readonly { readonly file: string; readonly sha256: string }[];
  /** Sets of which the corpus directory has no document, or the model no task, such as `MACCROBAT dev`: nothing was measured there. */
  readonly missing: readonly string[];
  /** Which notes thresholds were chosen on. */
  readonly fitted: Fitted;
  readonly seed: number;
  readonly choice: Choice;
  readonly results: readonly TaskResult[];
}

type Route = Routing['tasks'][string] & { readonly score: DoubtScore };
type Weighed = ReadonlyMap<DoubtSet, ReadonlyMap<Task, readonly WeighedNote[]>>;

/**
 * Of the tasks that model and documents share: one that no document says anything of has no threshold, and a worker refuses
 * a configuration that escalates by it.
 * @throws DistillError where notes to choose on are missing, or documents are wrong.
 */
export async function measureDoubt(
  model: VerifiedModel,
  options: { readonly corpusDirectory: string; readonly workers: number; readonly progress: Progress },
): Promise<{ readonly report: DoubtReport; readonly tasks: Routing['tasks'] }> {
  const { corpusDirectory, progress } = options;
  const { notes: fitting, fitted } = fittingNotes(corpusDirectory);
  if (fitting.length < 2)
    throw new DistillError(
      'CORPUS_MISSING',
      `${CHOSEN_ON.file} has one dev note to choose thresholds on, and two are needed at least`,
    );
  const { heads } = model;
  const unlabelled = heads.filter(({ task }) => CHOSEN_ON.types[task] === undefined).map(({ task }) => task);
  if (unlabelled.length === heads.length)
    throw new DistillError(
      'GATE_DATA_UNFIT',
      `${CHOSEN_ON.file} has labels of ${Object.keys(CHOSEN_ON.types).join(', ')}, and the model none of these tasks (${unlabelled.join(', ')}): no threshold can be chosen`,
    );
  if (unlabelled.length > 0)
    progress(`doubt: ${unlabelled.join(', ')}: ${CHOSEN_ON.file} does not say, so no threshold`);
  const weighed = await weighAll(model, fitting, options);
  progress(`doubt: comparing ${DOUBT_SCORES.length} scores`);
  const deciding = weighed.get(CHOSEN_ON) ?? new Map<Task, readonly WeighedNote[]>();
  const choice = choose(deciding);
  const tasks = Object.fromEntries(
    [...deciding].map(([task, notes]) => [task, routeBy(choice.byTask[task] as DoubtScore, notes)]),
  );
  const results = DOUBT_SETS.flatMap(set =>
    [...(weighed.get(set) ?? [])].map(([task, notes]) => resultOf(set, task, notes, tasks[task] as Route)),
  );
  const files = [...new Set([...weighed.keys()].map(set => set.file))];
  const data = files.map(file => ({ file, sha256: corpusHash(corpusDirectory, file) }));
  const missing = DOUBT_SETS.filter(set => !weighed.has(set)).map(nameOf);
  return { report: { model: model.identity, data, missing, fitted, seed: SEED, choice, results }, tasks };
}

/** @param fitting the documents of the set chosen on. */
async function weighAll(
  model: VerifiedModel,
  fitting: readonly CorpusDocument[],
  { corpusDirectory, workers, progress }: Parameters<typeof measureDoubt>[1],
): Promise<Weighed> {
  const scorer = await Scorer.open(model, 'logits', workers);
  try {
    const weighed = new Map<DoubtSet, Map<Task, WeighedNote[]>>();
    for (const set of DOUBT_SETS) {
      const shared = Object.entries(set.types).filter(([task]) => model.heads.some(head => head.task === task));
      if (shared.length === 0) {
        progress(`doubt: ${nameOf(set)}: the model has no task of it, so not measured`);
        continue;
      }
      const documents = set === CHOSEN_ON ? fitting : documentsOf(set, corpusDirectory);
      if (documents.length === 0) {
        progress(`doubt: ${nameOf(set)}: not in the corpus directory, so not measured`);
        continue;
      }
      progress(`doubt: ${nameOf(set)}`);
      const scored = await scorer.score(documents);
      const weighs = ([task, types]: (typeof shared)[number]) =>
        [task, scored.map(each => weigh(each, model.heads, { task, types }))] as const;
      weighed.set(set, new Map(shared.map(weighs)));
    }
    return weighed;
  } finally {
    await scorer.stop();
  }
}

/** None where the file is not there: it says what escalating is worth on other notes, and decides nothing. */
function documentsOf({ file, split }: DoubtSet, corpusDirectory: string): CorpusDocument[] {
  return existsSync(join(corpusDirectory, file)) ? readCorpus(corpusDirectory, file, split) : [];
}

/** Exported for its tests. @param deciding notes by task. */
export function choose(deciding: ReadonlyMap<Task, readonly WeighedNote[]>): Choice {
  const areaOf = (score: DoubtScore, notes: readonly WeighedNote[]): number => areas(judgedBy(score, notes))[DECIDING];
  const relative = new Map(DOUBT_SCORES.map(score => [score, 0]));
  const smallest = new Map<Task, DoubtScore>();
  for (const [task, notes] of deciding) {
    const found = DOUBT_SCORES.map(score => ({ score, area: areaOf(score, notes) }));
    const best = found.reduce((least, each) => (each.area < least.area ? each : least));
    smallest.set(task, best.score);
    for (const { score, area } of found) {
      // where the best leaves no risk at all, those that leave none either are as good
      const ratio = area === best.area ? 1 : area / best.area;
      relative.set(score, (relative.get(score) ?? 0) + ratio / deciding.size);
    }
  }
  const forAll = DOUBT_SCORES.reduce((least, each) =>
    (relative.get(each) ?? 0) < (relative.get(least) ?? 0) ? each : least,
  );
  const byTask: Record<Task, DoubtScore> = {};
  const smallestByTask: Record<Task, { score: DoubtScore; beyond: Interval }> = {};
  for (const [task, notes] of deciding) {
    const own = smallest.get(task) as DoubtScore;
    const beyond = areaIntervals(judgedBy(forAll, notes), judgedBy(own, notes), DECIDING, seeded(SEED)).excess;
    smallestByTask[task] = { score: own, beyond };
    byTask[task] = beyond.low > 0 ? own : forAll;
  }
  return { area: DECIDING, meanRelativeArea: Object.fromEntries(relative), byTask, smallestByTask };
}

function resultOf(set: DoubtSet, task: Task, notes: readonly WeighedNote[], route: Route): TaskResult {
  const chosen = route.score;
  const byChosen = judgedBy(chosen, notes);
  const compared = set.use === 'test' ? DOUBT_SCORES.filter(each => each === chosen || each === TODAY) : DOUBT_SCORES;
  const rates = atRates(byChosen, RATES, seeded(SEED));
  return {
    set: set.name,
    split: set.split,
    use: set.use,
    task,
    notes: notes.length,
    words: notes.reduce((all, each) => all + each.words, 0) / notes.length,
    errors: rates[0]?.errorsPerNoteKept ?? 0,
    risk: 1 - (rates[0]?.f1Kept ?? 0),
    best: bestAreas(notes.map(each => each.counts)),
    chosen,
    scores: compared.map(score => {
      const judged = judgedBy(score, notes);
      const { area, excess } = areaIntervals(judged, byChosen, DECIDING, seeded(SEED));
      return { score, areas: areas(judged), interval: area, beyondChosen: excess };
    }),
    rates,
    thresholds: route.rates.map(each => ({ ...each, ...atThreshold(byChosen, each.threshold) })),
  };
}

function routeBy(score: DoubtScore, notes: readonly WeighedNote[]): Route {
  const doubts = notes.map(each => doubtScore(score, each.evidence));
  // a rate that would escalate no note of so few has no threshold
  const rates = RATES.filter(rate => Math.round(rate * notes.length) > 0).map(rate => ({
    rate,
    threshold: Number(thresholdAt(doubts, rate).toPrecision(DIGITS)),
  }));
  return { score, rates };
}

/** The text of routing.json, checked as a reader will check it. */
export function renderRouting(routing: Routing): string {
  const text = `${JSON.stringify(routing, null, 1)}\n`;
  parseRouting(text, ROUTING_FILE);
  return text;
}
