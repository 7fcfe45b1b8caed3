/** Counts a document, so that two models can be compared on the same documents: ids and numbers, no text. */
import { z } from 'zod';
import type { Counts } from '../../evaluation/counts.ts';
import type { VerifiedModel } from '../../model/manifest.ts';
import { type BothOutputs, countDocument, type DocumentCounts, measurable } from '../measure.ts';
import type { TestSet } from '../test-sets.ts';

const triple = z.tuple([z.int().min(0), z.int().min(0), z.int().min(0)]);

export const countsTableSchema = z.object({
  set: z.string(),
  split: z.enum(['train', 'dev', 'test']),
  ids: z.array(z.string()),
  measures: z.array(
    z.object({
      label: z.string(),
      /** For each document in the order of `ids`: tp, fp, fn. */
      token: z.array(triple),
      exact: z.array(triple),
      relaxed: z.array(triple),
    }),
  ),
});

export type CountsTable = z.output<typeof countsTableSchema>;
type Triple = z.output<typeof triple>;

export function countsTable(set: TestSet, outputs: readonly BothOutputs[], model: VerifiedModel): CountsTable {
  return {
    set: set.name,
    split: 'test',
    ids: outputs.map(({ served }) => served.document.id),
    measures: measurable(model.manifest, set.measures).map(measure => {
      const counts = outputs.map(each => countDocument(each, model.manifest, measure));
      const triples = (kind: keyof DocumentCounts): Triple[] =>
        counts.map(({ [kind]: { tp, fp, fn } }) => [tp, fp, fn]);
      return { label: measure.label, token: triples('token'), exact: triples('exact'), relaxed: triples('relaxed') };
    }),
  };
}

/** A measure's counts by document id; undefined where the table lacks the set or the measure. */
export function countsOf(
  tables: readonly CountsTable[],
  set: string,
  label: string,
): ReadonlyMap<string, DocumentCounts> | undefined {
  const table = tables.find(each => each.set === set);
  const measure = table?.measures.find(each => each.label === label);
  if (table === undefined || measure === undefined) return undefined;
  const counts = (triples: readonly Triple[], i: number): Counts => {
    const [tp, fp, fn] = triples[i] ?? [0, 0, 0];
    return { tp, fp, fn };
  };
  return new Map(
    table.ids.map((id, i) => [
      id,
      {
        token: counts(measure.token, i),
        exact: counts(measure.exact, i),
        relaxed: counts(measure.relaxed, i),
      },
    ]),
  );
}
