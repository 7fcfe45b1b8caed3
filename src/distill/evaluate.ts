/** Every figure of the model card: the committed int8 model, through the tokens, windows and decisions that serve, on each test set. */
import { cpus } from 'node:os';
import { areaUnderRiskCoverage } from '../evaluation/calibration.ts';
import { type Counts, scores } from '../evaluation/counts.ts';
import type { ModelIdentity, VerifiedModel } from '../model/manifest.ts';
import { CodePointIndex } from '../text/code-points.ts';
import { decodeEntities } from '../text/decode.ts';
import { type Calibration, calibrationOf } from './calibrate.ts';
import { type ChallengeResult, measureChallenge, readChallenge } from './challenge.ts';
import { readCorpus, type Split } from './corpus.ts';
import { type FailureGroup, recallByGroup } from './failures.ts';
import { type BothOutputs, countDocument, type MeasureResult, pair, summarise } from './measure.ts';
import { type Progress, type ScoredDocument, Scorer } from './score-documents.ts';
import { TEACHER_NOTES, TEST_SETS, type TestSet } from './test-sets.ts';

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
  readonly results: readonly SetResult[];
  readonly challenge: ChallengeResult;
  readonly calibration: readonly { readonly split: Split; readonly heads: readonly Calibration[] }[];
  readonly noteConfidence: readonly NoteConfidence[];
  readonly failures: readonly FailureGroup[];
}

const SPLITS: readonly Split[] = ['dev', 'test'];
const SEED = 13;

export async function evaluate(
  model: VerifiedModel,
  options: { corpusDirectory: string; workers: number; command: string; commit: string; progress: Progress },
): Promise<Metrics> {
  const served = await Scorer.open(model, 'logits', options.workers);
  const corpus = await Scorer.open(model, 'corpus_logits', options.workers);
  const scored = new Map<string, BothOutputs[]>();
  let challenge: ScoredDocument[] = [];
  try {
    for (const set of TEST_SETS) {
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
  const of = (set: TestSet, split: Split): BothOutputs[] => scored.get(nameOf(set, split)) ?? [];
  const { manifest } = model;
  const notes = of(TEACHER_NOTES, 'test');
  return {
    model: model.identity,
    machine: `${cpus()[0]?.model.trim() ?? 'unknown processor'}, Node ${process.version}`,
    command: options.command,
    commit: options.commit,
    results: TEST_SETS.flatMap(set =>
      SPLITS.filter(split => of(set, split).length > 0).map(split => ({
        set: set.name,
        split,
        measures: set.measures.map(measure =>
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

/** A note's quality is its token-level F1; a note with nothing to find and nothing found is perfect. */
function noteConfidence(notes: readonly BothOutputs[], model: VerifiedModel, task: string): NoteConfidence {
  const measure = TEACHER_NOTES.measures.find(each => each.label === task);
  if (measure === undefined) return { task, area: Number.NaN, meanRisk: Number.NaN };
  const judged = notes.map(each => {
    const { document, words } = each.served;
    const decoded = decodeEntities(new CodePointIndex(document.text), words, model.heads);
    const confidence = decoded.tasks.find(decision => decision.task === task)?.confidence ?? 0;
    return { confidence, quality: quality(countDocument(each, model.manifest, measure).token) };
  });
  const meanRisk = judged.reduce((risk, each) => risk + 1 - each.quality, 0) / judged.length;
  return { task, area: areaUnderRiskCoverage(judged), meanRisk };
}

function quality(counts: Counts): number {
  return counts.tp + counts.fp + counts.fn === 0 ? 1 : scores(counts).f1;
}

function nameOf(set: TestSet, split: Split): string {
  return `${set.name} ${split}`;
}
