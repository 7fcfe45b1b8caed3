/** Every figure of the model card: the committed int8 model, through the tokens, windows and decisions that serve, on each test set. */
import { areaUnderRiskCoverage } from '../evaluation/calibration.ts';
import { type Counts, scores } from '../evaluation/counts.ts';
import type { ModelIdentity, VerifiedModel } from '../model/manifest.ts';
import { CodePointIndex } from '../text/code-points.ts';
import { decodeEntities } from '../text/decode.ts';
import { type Calibration, calibrationOf } from './calibrate.ts';
import { type ChallengeResult, measureChallenge, readChallenge } from './challenge.ts';
import { readCorpus, type Split } from './corpus.ts';
import { type FailureGroup, recallByGroup } from './failures.ts';
import { type GoldFile, goldFile } from './gold-file.ts';
import { type BothOutputs, countDocument, type MeasureResult, measurable, pair, summarise } from './measure.ts';
import { type Progress, type ScoredDocument, Scorer } from './score-documents.ts';
import { TEACHER_NOTES, type TestSet, testSetsIn } from './test-sets.ts';

export interface SetResult {
  readonly set: string;
  readonly split: Split;
  readonly measures: readonly MeasureResult[];
}

export interface NoteConfidence {
  readonly task: string;
  /** Area under the risk-coverage curve when notes are ranked by the task's confidence; lower is better. */
  readonly area: number;
  /** The same for notes in random order: the mean risk. */
  readonly meanRisk: number;
}

export interface Metrics {
  readonly model: ModelIdentity;
  readonly machine: string;
  readonly command: string;
  /** Of the code that measured. */
  readonly commit: string;
  readonly data: readonly GoldFile[];
  readonly results: readonly SetResult[];
  readonly challenge: ChallengeResult;
  readonly calibration: readonly { readonly split: Split; readonly heads: readonly Calibration[] }[];
  readonly noteConfidence: readonly NoteConfidence[];
  readonly failures: readonly FailureGroup[];
}

export interface EvaluateOptions {
  readonly corpusDirectory: string;
  /** One more test set, the user's. */
  readonly own?: TestSet | undefined;
  readonly workers: number;
  readonly command: string;
  readonly commit: string;
  /** That measures, for the record. */
  readonly machine: string;
  readonly progress: Progress;
}

/** The model's outputs on all that it is measured on. */
export interface ScoredSets {
  readonly sets: readonly TestSet[];
  readonly of: (set: TestSet, split: Split) => readonly BothOutputs[];
  readonly challenge: readonly ScoredDocument[];
}

export const SPLITS: readonly Split[] = ['dev', 'test'];
export const SEED = 13;

export async function evaluate(
  model: VerifiedModel,
  options: EvaluateOptions,
): Promise<{ readonly metrics: Metrics; readonly scored: ScoredSets }> {
  const scored = await scoreSets(model, options);
  return { metrics: metricsOf(model, scored, options), scored };
}

async function scoreSets(model: VerifiedModel, options: EvaluateOptions): Promise<ScoredSets> {
  const served = await Scorer.open(model, 'logits', options.workers);
  const corpus = await Scorer.open(model, 'corpus_logits', options.workers);
  const scored = new Map<string, BothOutputs[]>();
  const sets = testSetsIn(options.corpusDirectory, options.own);
  let challenge: ScoredDocument[] = [];
  try {
    for (const set of sets) {
      for (const split of SPLITS) {
        options.progress(`evaluate: ${set.name} ${split}`);
        const documents = readCorpus(options.corpusDirectory, set.file, split);
        scored.set(nameOf(set, split), pair(await served.score(documents), await corpus.score(documents)));
      }
    }
    options.progress('evaluate: challenge lines');
    challenge = await served.score(readChallenge());
  } finally {
    await Promise.all([served.stop(), corpus.stop()]);
  }
  return { sets, of: (set, split) => scored.get(nameOf(set, split)) ?? [], challenge };
}

function metricsOf(model: VerifiedModel, { sets, of, challenge }: ScoredSets, options: EvaluateOptions): Metrics {
  const { manifest } = model;
  const notes = of(TEACHER_NOTES, 'test');
  return {
    model: model.identity,
    machine: options.machine,
    command: options.command,
    commit: options.commit,
    data: sets.map(set => goldFile(options.corpusDirectory, set)),
    results: sets.flatMap(set =>
      SPLITS.filter(split => of(set, split).length > 0).map(split => ({
        set: set.name,
        split,
        measures: measurable(manifest, set.measures).map(measure =>
          summarise(
            measure.label,
            of(set, split).map(each => countDocument(each, manifest, measure)),
            SEED,
          ),
        ),
      })),
    ),
    challenge: measureChallenge(challenge, model),
    calibration: SPLITS.map(split => ({
      split,
      heads: calibrationOf(
        of(TEACHER_NOTES, split).map(each => each.served),
        manifest.heads,
      ),
    })),
    noteConfidence: manifest.heads.map(({ task }) => noteConfidence(notes, model, task)),
    failures: recallByGroup(
      notes.map(each => each.served),
      model,
    ),
  };
}

function noteConfidence(notes: readonly BothOutputs[], model: VerifiedModel, task: string): NoteConfidence {
  const judged = judgedConfidences(notes, model, task);
  if (judged.length === 0) return { task, area: Number.NaN, meanRisk: Number.NaN };
  const meanRisk = judged.reduce((risk, each) => risk + 1 - each.quality, 0) / judged.length;
  return { task, area: areaUnderRiskCoverage(judged), meanRisk };
}

/**
 * The task's confidence in each note beside the note's quality, its token-level F1; a note with nothing to find and nothing found is
 * perfect. Empty for a task that teacher notes do not measure.
 */
export function judgedConfidences(
  notes: readonly BothOutputs[],
  model: VerifiedModel,
  task: string,
): { readonly confidence: number; readonly quality: number }[] {
  const measure = TEACHER_NOTES.measures.find(each => each.label === task);
  if (measure === undefined) return [];
  return notes.map(each => {
    const { document, words } = each.served;
    const decoded = decodeEntities(new CodePointIndex(document.text), words, model.heads);
    const confidence = decoded.tasks.find(decision => decision.task === task)?.confidence ?? 0;
    return { confidence, quality: quality(countDocument(each, model.manifest, measure).token) };
  });
}

function quality(counts: Counts): number {
  return counts.tp + counts.fp + counts.fn === 0 ? 1 : scores(counts).f1;
}

function nameOf(set: TestSet, split: Split): string {
  return `${set.name} ${split}`;
}
