/** A teacher's own labels as an answer to the test sets, by the words that the model is scored by; and the model on just these documents. */

import type { VerifiedModel } from '../../model/manifest.ts';
import { INSIDE, labelWords } from '../../text/words.ts';
import type { Annotator } from '../annotators.ts';
import { DistillError } from '../distill-error.ts';
import { type ScoredSets, SEED } from '../evaluate.ts';
import {
  type BothOutputs,
  countDocument,
  countReading,
  type DocumentCounts,
  type MeasureResult,
  summarise,
} from '../measure.ts';
import { type Measure, TEACHER_NOTES } from '../test-sets.ts';
import { between, type ComparedModel, type Difference } from './compared.ts';
import { countsOf } from './counts-table.ts';

export interface TaughtMeasure {
  readonly label: string;
  readonly teacher: MeasureResult;
  readonly model: MeasureResult;
  /** The model's F1 less the teacher's. */
  readonly difference: Pick<Difference, 'token' | 'exact' | 'relaxed'>;
  /** Compared models that gave their counts, on the same documents. */
  readonly others: readonly { readonly name: string; readonly result: MeasureResult }[];
}

export interface TaughtSet {
  readonly set: string;
  /** Test documents that the teacher labelled, of how many. */
  readonly documents: number;
  readonly of: number;
  /** Documents with the id of one that the teacher labelled, but another text: left out. */
  readonly otherText: number;
  readonly measures: readonly TaughtMeasure[];
}

export interface Taught {
  readonly name: string;
  readonly file: string;
  readonly sha256: string;
  readonly sets: readonly TaughtSet[];
}

/** @throws DistillError ANNOTATIONS_INCOMPLETE when the teacher has no test document of any set with human labels. */
export function taughtSets(
  teacher: Annotator,
  scored: ScoredSets,
  model: VerifiedModel,
  compared: readonly ComparedModel[],
): TaughtSet[] {
  const labelled = scored.sets.filter(set => set !== TEACHER_NOTES);
  const sets = labelled.flatMap(set => {
    const all = scored.of(set, 'test');
    const known = all.filter(({ served }) => teacher.documents.has(served.document.id));
    const documents = known.filter(
      ({ served: { document } }) => teacher.documents.get(document.id)?.text === document.text,
    );
    const tasks = tasksOf(teacher, documents);
    const measures = set.measures.filter(({ channels }) =>
      channels.every(each => 'task' in each && tasks.has(each.task)),
    );
    if (documents.length === 0 || measures.length === 0) return [];
    return [
      {
        set: set.name,
        documents: documents.length,
        of: all.length,
        otherText: known.length - documents.length,
        measures: measures.map(measure => taughtMeasure(set.name, measure, documents, teacher, model, compared)),
      },
    ];
  });
  if (sets.length === 0)
    throw new DistillError(
      'ANNOTATIONS_INCOMPLETE',
      `teacher ${teacher.name}: it has labels for no test document of ${labelled.map(each => each.name).join(', ')}`,
    );
  return sets;
}

/** What it marks anywhere in these documents: a task that it was not asked about is not one that it missed. */
function tasksOf(teacher: Annotator, documents: readonly BothOutputs[]): Set<string> {
  return new Set(
    documents.flatMap(({ served }) =>
      (teacher.documents.get(served.document.id)?.entities ?? []).map(each => each.type),
    ),
  );
}

function taughtMeasure(
  set: string,
  measure: Measure,
  documents: readonly BothOutputs[],
  teacher: Annotator,
  model: VerifiedModel,
  compared: readonly ComparedModel[],
): TaughtMeasure {
  const tasks = measure.channels.flatMap(each => ('task' in each ? [each.task] : []));
  const theirs = documents.map(({ served: { document, words } }): DocumentCounts => {
    const found = (teacher.documents.get(document.id)?.entities ?? []).filter(each => tasks.includes(each.type));
    const inside = labelWords(words, found).map(label => (label === INSIDE ? 1 : 0));
    const gold = document.entities.filter(each => measure.types.includes(each.type));
    return countReading(words, { gold, found, inside });
  });
  const mine = documents.map(each => countDocument(each, model.manifest, measure));
  const others = compared.flatMap(({ name, counts }) => {
    const byDocument = countsOf(counts, set, measure.label);
    const found = documents.flatMap(({ served }) => byDocument?.get(served.document.id) ?? []);
    return found.length === documents.length ? [{ name, result: summarise(measure.label, found, SEED) }] : [];
  });
  return {
    label: measure.label,
    teacher: summarise(measure.label, theirs, SEED),
    model: summarise(measure.label, mine, SEED),
    difference: between(mine, theirs, SEED),
    others,
  };
}
