/** Whether the probabilities can be believed and the doubt is well placed: what the reliability and risk-coverage pictures show. */

import { type Interval, intervals, seeded } from '../../evaluation/bootstrap.ts';
import {
  areaUnderRiskCoverage,
  type Bin,
  errorOfBins,
  reliabilityBins,
  riskByCoverage,
} from '../../evaluation/calibration.ts';
import { type AtRateWithIntervals, areas, atRates, f1RiskByCoverage } from '../../evaluation/risk-coverage.ts';
import type { VerifiedModel } from '../../model/manifest.ts';
import { loadRouting } from '../../model/routing.ts';
import { type DoubtScore, isDoubtScore } from '../../text/doubt-scores.ts';
import { judged } from '../calibrate.ts';
import type { Split } from '../corpus.ts';
import { judgedConfidences, type ScoredSets, SEED, SPLITS } from '../evaluate.ts';
import { judgedBy, weigh } from '../judge-doubts.ts';
import type { BothOutputs } from '../measure.ts';
import { TEACHER_NOTES } from '../test-sets.ts';

export interface Reliability {
  readonly task: string;
  readonly split: Split;
  readonly words: number;
  readonly ece: number;
  /** 95 %, over documents. */
  readonly eceInterval: Interval;
  /** Those that hold a word, by rising probability. */
  readonly bins: readonly {
    readonly words: number;
    readonly meanProbability: number;
    readonly shareInside: number;
    /** Of the share, over documents. */
    readonly interval: Interval;
  }[];
}

export interface RiskCurve {
  readonly task: string;
  readonly notes: number;
  /** Ranked by the task's confidence; risk is the mean of 1 − F1 over the notes kept, as in the model card. */
  readonly byConfidence: { readonly risk: readonly number[]; readonly area: number; readonly meanRisk: number };
  /** Ranked by the doubt score that routes; risk is 1 − F1 of all words kept. */
  readonly byDoubt: {
    readonly score: DoubtScore;
    readonly risk: readonly number[];
    readonly area: number;
    readonly meanRisk: number;
    readonly rates: readonly AtRateWithIntervals[];
  };
}

export function reliabilities(scored: ScoredSets, { manifest }: VerifiedModel): Reliability[] {
  return SPLITS.flatMap(split =>
    manifest.heads.map(({ task, temperature }, at) => {
      const documents = scored
        .of(TEACHER_NOTES, split)
        .map(({ served }) => reliabilityBins(judged([served], task, at, manifest.heads.length), temperature));
      return { task, split, ...reliabilityOf(documents) };
    }),
  ).filter(each => each.words > 0);
}

/** @param documents the bins of each. Exported for its tests. */
export function reliabilityOf(documents: readonly (readonly Bin[])[]): Omit<Reliability, 'task' | 'split'> {
  const bins = added(documents);
  const share = ({ inside, count }: Bin): number => (count === 0 ? Number.NaN : inside / count);
  const [eceInterval = { low: 0, high: 0 }, ...shares] = intervals(documents.length, seeded(SEED), pick => {
    const drawn = added(pick.map(i => documents[i] as readonly Bin[]));
    // a bin that a resample leaves empty keeps the share it has
    return [errorOfBins(drawn), ...drawn.map((bin, i) => (bin.count === 0 ? share(bins[i] as Bin) : share(bin)))];
  });
  return {
    words: bins.reduce((words, bin) => words + bin.count, 0),
    ece: errorOfBins(bins),
    eceInterval,
    bins: bins.flatMap((bin, i) =>
      bin.count === 0
        ? []
        : [
            {
              words: bin.count,
              meanProbability: bin.p / bin.count,
              shareInside: share(bin),
              interval: shares[i] as Interval,
            },
          ],
    ),
  };
}

function added(documents: readonly (readonly Bin[])[]): Bin[] {
  const total = (documents[0] ?? []).map(() => ({ count: 0, p: 0, inside: 0 }));
  for (const bins of documents) {
    for (let i = 0; i < total.length; i++) {
      const [sum, bin] = [total[i] as { count: number; p: number; inside: number }, bins[i] as Bin];
      sum.count += bin.count;
      sum.p += bin.p;
      sum.inside += bin.inside;
    }
  }
  return total;
}

/** Shares of notes escalated at which a curve has its intervals. */
const RATES = [0, 0.1, 0.2, 0.3, 0.5];
/** Where the model has no routing yet: the complement of the confidence that events carry. */
const UNROUTED: DoubtScore = 'expected-loss';

export function riskCurves(notes: readonly BothOutputs[], model: VerifiedModel): RiskCurve[] {
  if (notes.length === 0) return [];
  const routing = loadRouting(model);
  return model.heads.map(({ task }) => {
    const confidences = judgedConfidences(notes, model, task);
    const routed = routing?.tasks[task]?.score ?? UNROUTED;
    const score = isDoubtScore(routed) ? routed : UNROUTED;
    const weighed = notes.map(({ served }) => weigh(served, model.heads, { task, types: [task] }));
    const doubts = judgedBy(score, weighed);
    const risk = riskByCoverage(confidences);
    const f1Risk = f1RiskByCoverage(doubts);
    return {
      task,
      notes: notes.length,
      byConfidence: { risk, area: areaUnderRiskCoverage(confidences), meanRisk: risk.at(-1) ?? 0 },
      byDoubt: {
        score,
        risk: f1Risk,
        area: areas(doubts).f1,
        meanRisk: f1Risk.at(-1) ?? 0,
        rates: atRates(doubts, RATES, seeded(SEED)),
      },
    };
  });
}
