/** A candidate beside the model that serves: the same gold documents, the same run, in turns; then every gate. Nothing is changed. */
import { join } from 'node:path';
import type { Counts } from '../evaluation/counts.ts';
import type { Manifest, ModelIdentity, VerifiedModel } from '../model/manifest.ts';
import { loadRouting, type Routing } from '../model/routing.ts';
import { TextTokenizer } from '../model/tokenizer.ts';
import { calibrationOf } from './calibrate.ts';
import { type CorpusDocument, corpusHash, readCorpus, type Split } from './corpus.ts';
import { dataGate, leakageGate } from './data-gates.ts';
import { DistillError } from './distill-error.ts';
import { fittedOf, leftOutOf } from './fitting-notes.ts';
import {
  calibrationGate,
  f1Gate,
  type Limits,
  likelihoodGate,
  type MeasuredRates,
  type Round,
  routingGate,
  SEED,
  sizeGate,
  speedGate,
  unjudged,
  type Verdict,
} from './gates.ts';
import { findLeaks } from './leakage.ts';
import { lossesOf } from './likelihood.ts';
import { countDocument, pair } from './measure.ts';
import { type Progress, type ScoredDocument, Scorer } from './score-documents.ts';
import { isFitted, learntFrom, trainingDataOf } from './training-data.ts';

export interface JudgeOptions {
  readonly corpusDirectory: string;
  /** Of the corpus directory: the gold documents that judge. */
  readonly file: string;
  readonly split: Exclude<Split, 'train'>;
  /** Gold types that stand for each task judged; when absent, all tasks are, and each stands for itself. */
  readonly tasks?: ReadonlyMap<string, readonly string[]>;
  readonly limits: Limits;
  /** In how many parts the documents are scored, the two models taking turns. */
  readonly rounds: number;
  readonly progress: Progress;
}

export interface Judgement {
  readonly candidate: ModelIdentity;
  /** Null for the first model of a store. */
  readonly serving: ModelIdentity | null;
  readonly gold: { readonly file: string; readonly split: Split; readonly documents: number; readonly sha256: string };
  readonly seed: number;
  readonly passed: boolean;
  readonly gates: readonly Verdict[];
  /** Graphs of the candidate that no gate ran, by precision: int8 is judged, on the CPU, and a GPU would serve these. */
  readonly graphsNotRun: Readonly<Omit<Manifest['graphs'], 'int8'>>;
}

/** Documents, and those that mention a task. With fewer, even a win on each of them is within chance. */
const FEWEST = 6;

/**
 * @throws ModelError when a model fails its own check, or its thresholds are another model's. @throws DistillError GATE_DATA_UNFIT where
 * the gold documents cannot judge, or as readCorpus.
 */
export async function judge(
  candidate: VerifiedModel,
  serving: VerifiedModel | null,
  options: JudgeOptions,
): Promise<Judgement> {
  const { corpusDirectory, file, split, limits, progress } = options;
  const tasks = [...new Set([...tasksOf(candidate), ...(serving === null ? [] : tasksOf(serving))])];
  const judged = [...(options.tasks?.keys() ?? tasks)];
  const unknown = judged.find(task => !tasks.includes(task));
  if (unknown !== undefined) throw unfit(options, `--task ${unknown} is no task of either model (${tasks.join(', ')})`);
  const documents = typedByTask(readCorpus(corpusDirectory, file, split), judged, options);
  progress(`promote: ${documents.length} documents of ${file}, ${split}`);
  const [routing, servingRouting] = [loadRouting(candidate), serving === null ? null : loadRouting(serving)];
  progress('promote: looking for gate documents among training documents');
  const fits = [candidate.manifest.training, ...(routing === null ? [] : [routing.measured])].map(fittedOf);
  const training = trainingDataOf(candidate.manifest, fits, corpusDirectory);
  const leftOut = leftOutOf(fits, corpusDirectory);
  const leakage = findLeaks(documents, learntFrom(training, leftOut, corpusDirectory, options), limits.leak);
  const models = serving === null ? [candidate] : [candidate, serving];
  const { scored, seconds, tokens } = await scoreInTurns(models, documents, options.rounds);
  const [ofCandidate = [], ofServing] = scored;
  const rounds = tokens.map(
    (count, i): Round => ({
      tokens: count,
      candidateSeconds: seconds[0]?.[i] as number,
      servingSeconds: seconds[1]?.[i] ?? null,
    }),
  );
  const gates = [
    ...tasks.map(task => {
      if (judged.includes(task))
        return f1Gate(task, countsOf(candidate, ofCandidate, task), countsOf(serving, ofServing, task), limits.f1);
      return tasksOf(candidate).includes(task)
        ? unjudged(task, limits.allowUnjudged)
        : f1Gate(task, undefined, undefined, limits.f1);
    }),
    ...calibrationOf(ofCandidate, candidate.manifest.heads)
      .filter(each => judged.includes(each.task))
      .map(each => calibrationGate(each, limits.ece)),
    ...judged.flatMap(task => {
      const losses = lossesOf(ofCandidate, ofServing ?? ofCandidate, candidate.manifest.heads, task);
      if (losses === undefined) return [];
      const before = lossesOf(ofServing ?? [], ofCandidate, serving?.manifest.heads ?? [], task);
      return likelihoodGate(task, losses, before);
    }),
    speedGate(rounds, limits.speed),
    sizeGate(bytesOf(candidate), limits.bytes),
    routingGate(ratesOf(routing), ratesOf(servingRouting)),
    dataGate(training, limits.allowOtherData),
    leakageGate(leakage, documents.length, limits.leak, {
      fitted: isFitted(file, split),
      leftOut,
      earlier: training?.earlier ?? [],
    }),
  ];
  const { int8: _, ...graphsNotRun } = candidate.manifest.graphs;
  return {
    candidate: candidate.identity,
    serving: serving?.identity ?? null,
    gold: { file, split, documents: documents.length, sha256: corpusHash(corpusDirectory, file) },
    seed: SEED,
    passed: gates.every(each => each.passed),
    gates,
    graphsNotRun,
  };
}

/** Entities by task instead of by gold type, so that every measure reads them alike. */
function typedByTask(
  documents: readonly CorpusDocument[],
  tasks: readonly string[],
  options: JudgeOptions,
): CorpusDocument[] {
  if (documents.length < FEWEST)
    throw unfit(options, `${documents.length} documents cannot judge a model: at least ${FEWEST} are needed`);
  const typed = documents.map(document => ({
    ...document,
    entities: tasks.flatMap(task =>
      document.entities
        .filter(({ type }) => (options.tasks?.get(task) ?? [task]).includes(type))
        .map(({ start, end }) => ({ start, end, type: task })),
    ),
  }));
  for (const task of tasks) {
    const mentioning = typed.filter(({ entities }) => entities.some(({ type }) => type === task)).length;
    if (mentioning === 0)
      throw unfit(options, `no mention of ${task}: say by --task TASK=TYPES which tasks it has, and by what types`);
    if (mentioning < FEWEST)
      throw unfit(
        options,
        `${mentioning} documents mention ${task}, and at least ${FEWEST} are needed: add some, or leave it out by --task and judge the others`,
      );
  }
  return typed;
}

function unfit({ file, split }: JudgeOptions, what: string): DistillError {
  return new DistillError('GATE_DATA_UNFIT', `${file}, ${split}: ${what}`);
}

/**
 * Documents dealt out to rounds. Each document is scored by each model before the next is, and whoever was first is last on the next, so
 * that whatever else the machine does meanwhile slows them alike. @returns by model in the order given: scored documents, and seconds by
 * round; tokens of each round by the last model's tokenizer, which is the one that serves.
 */
async function scoreInTurns(
  models: readonly VerifiedModel[],
  documents: readonly CorpusDocument[],
  rounds: number,
): Promise<{ scored: ScoredDocument[][]; seconds: number[][]; tokens: number[] }> {
  const parts = Array.from({ length: Math.min(rounds, documents.length) }, (_, round) =>
    documents.filter((_, i) => i % rounds === round),
  );
  const scorers: Scorer[] = [];
  const scored: ScoredDocument[][] = models.map(() => []);
  const seconds: number[][] = models.map(() => parts.map(() => 0));
  try {
    for (const model of models) scorers.push(await Scorer.open(model, 'logits', 1));
    for (const scorer of scorers) await scorer.score(documents.slice(0, 1));
    const turns = [...scorers.entries()];
    for (const [round, part] of parts.entries()) {
      for (const document of part) {
        for (const [i, scorer] of turns) {
          const began = performance.now();
          scored[i]?.push(...(await scorer.score([document])));
          (seconds[i] as number[])[round]! += (performance.now() - began) / 1000;
        }
        turns.reverse();
      }
    }
  } finally {
    await Promise.all(scorers.map(each => each.stop()));
  }
  return { scored, seconds, tokens: await countTokens(models.at(-1) as VerifiedModel, parts) };
}

async function countTokens(model: VerifiedModel, parts: readonly (readonly CorpusDocument[])[]): Promise<number[]> {
  const tokenizer = new TextTokenizer(join(model.directory, model.manifest.tokenizer));
  const counts: number[] = [];
  for (const part of parts) {
    let count = 0;
    for (const { text } of part) count += (await tokenizer.encode(text)).ids.length;
    counts.push(count);
  }
  return counts;
}

/** @returns undefined where there is no model, or it has no head for the task. */
function countsOf(
  model: VerifiedModel | null,
  scored: readonly ScoredDocument[] = [],
  task: string,
): Counts[] | undefined {
  if (model === null || !tasksOf(model).includes(task)) return undefined;
  const measure = { label: task, types: [task], channels: [{ task }] };
  return pair(scored, scored).map(each => countDocument(each, model.manifest, measure).token);
}

function tasksOf({ heads }: VerifiedModel): string[] {
  return heads.map(each => each.task);
}

function ratesOf(routing: Routing | null): MeasuredRates | null {
  if (routing === null) return null;
  return new Map(Object.entries(routing.tasks).map(([task, { rates }]) => [task, rates.map(each => each.rate)]));
}

function bytesOf({ manifest }: VerifiedModel): number {
  return Object.values(manifest.files).reduce((sum, { bytes }) => sum + bytes, 0);
}
