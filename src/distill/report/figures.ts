/** All that the report shows, as report.json keeps it: figures and ids, no text of any note. */
import type { ModelIdentity, VerifiedModel } from '../../model/manifest.ts';
import type { Annotator } from '../annotators.ts';
import { type Metrics, type ScoredSets, SEED, type SetResult } from '../evaluate.ts';
import { TEACHER_NOTES } from '../test-sets.ts';
import { type ComparedModel, type Difference, differences } from './compared.ts';
import { type CountsTable, countsTable } from './counts-table.ts';
import { type Grouping, groupings } from './groups.ts';
import { type Taught, taughtSets } from './taught.ts';
import { type Reliability, type RiskCurve, reliabilities, riskCurves } from './trust.ts';

export interface ReportFigures {
  readonly model: ModelIdentity;
  readonly machine: string;
  readonly command: string;
  readonly commit: string;
  readonly data: Metrics['data'];
  readonly seed: number;
  readonly results: readonly SetResult[];
  readonly compared: readonly (Omit<ComparedModel, 'counts'> & { readonly differences: readonly Difference[] })[];
  /** By rising share of the labels, in percent. */
  readonly curve: readonly CurvePoint[];
  readonly taught: readonly Taught[];
  readonly groupings: readonly Grouping[];
  readonly reliability: readonly Reliability[];
  readonly riskCurves: readonly RiskCurve[];
  /** Of the test splits, document by document, for a paired comparison with another model. */
  readonly counts: readonly CountsTable[];
}

export type CurvePoint = Omit<ComparedModel, 'counts' | 'name'> & { readonly percent: number };

export interface ReportInputs {
  readonly command: string;
  readonly compared: readonly ComparedModel[];
  readonly curve: readonly { readonly percent: number; readonly measured: ComparedModel }[];
  readonly teachers: readonly (Annotator & { readonly file: string; readonly sha256: string })[];
  readonly noteTypes: ReadonlyMap<string, string> | undefined;
}

export function figuresOf(
  model: VerifiedModel,
  metrics: Metrics,
  scored: ScoredSets,
  { command, compared, curve, teachers, noteTypes }: ReportInputs,
): ReportFigures {
  const notes = scored.of(TEACHER_NOTES, 'test');
  const counts = scored.sets
    .map(set => countsTable(set, scored.of(set, 'test'), model))
    .filter(each => each.ids.length > 0);
  return {
    model: metrics.model,
    machine: metrics.machine,
    command,
    commit: metrics.commit,
    data: metrics.data,
    seed: SEED,
    results: metrics.results,
    compared: compared.map(({ counts: theirs, ...each }) => ({
      ...each,
      differences: differences(counts, theirs, SEED),
    })),
    curve: curve
      .map(({ percent, measured: { counts: _, name: __, ...measured } }) => ({ percent, ...measured }))
      .sort((a, b) => a.percent - b.percent),
    taught: teachers.map(teacher => ({
      name: teacher.name,
      file: teacher.file,
      sha256: teacher.sha256,
      sets: taughtSets(teacher, scored, model, compared),
    })),
    groupings: groupings(notes, model, noteTypes, SEED),
    reliability: reliabilities(scored, model),
    riskCurves: riskCurves(notes, model),
    counts,
  };
}
