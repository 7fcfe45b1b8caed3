/** Scores by kind of note: teacher notes by their source, and mtsamples notes by their note type where that is known. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { VerifiedModel } from '../../model/manifest.ts';
import { readJsonLines } from '../json-lines.ts';
import { type BothOutputs, countDocument, type MeasureResult, summarise } from '../measure.ts';
import { SERVED_MEASURES } from '../test-sets.ts';

/** Groups of fewer documents are pooled. */
export const SMALLEST_GROUP = 5;
export const NOTE_TYPES_FILE = 'text/mtsamples.jsonl.gz';

export interface NoteGroup {
  readonly group: string;
  readonly documents: number;
  /** The groups that were too small to stand alone; empty for a group of its own. */
  readonly pooled: readonly { readonly group: string; readonly documents: number }[];
  /** One a task. */
  readonly measures: readonly MeasureResult[];
}

export interface Grouping {
  readonly by: 'source' | 'note type of mtsamples';
  readonly groups: readonly NoteGroup[];
}

/** @param noteTypes by document id; without it there is no grouping by note type. */
export function groupings(
  notes: readonly BothOutputs[],
  model: VerifiedModel,
  noteTypes: ReadonlyMap<string, string> | undefined,
  seed: number,
): Grouping[] {
  const grouped = (by: Grouping['by'], groupOf: (note: BothOutputs) => string | undefined): Grouping => ({
    by,
    groups: pool(Map.groupBy(notes, groupOf)).map(({ notes: own, ...group }) => ({
      ...group,
      documents: own.length,
      measures: SERVED_MEASURES.map(measure =>
        summarise(
          measure.label,
          own.map(note => countDocument(note, model.manifest, measure)),
          seed,
        ),
      ),
    })),
  });
  const bySource = grouped('source', ({ served }) => served.document.source ?? 'unknown');
  if (noteTypes === undefined) return [bySource];
  return [bySource, grouped('note type of mtsamples', ({ served }) => noteTypes.get(served.document.id))];
}

interface Pooled<N> {
  readonly group: string;
  readonly pooled: NoteGroup['pooled'];
  readonly notes: readonly N[];
}

/** Largest first, `other` last; notes of no group are left out. Exported for its tests. */
export function pool<N>(groups: ReadonlyMap<string | undefined, readonly N[]>): Pooled<N>[] {
  const known = [...groups].flatMap(([group, notes]) => (group === undefined ? [] : [{ group, notes }]));
  known.sort((a, b) => b.notes.length - a.notes.length || (a.group < b.group ? -1 : 1));
  const large = known.filter(({ notes }) => notes.length >= SMALLEST_GROUP);
  const small = known.filter(({ notes }) => notes.length < SMALLEST_GROUP);
  const alone = large.map(({ group, notes }) => ({ group, notes, pooled: [] }));
  if (small.length === 0) return alone;
  const pooled = small.map(({ group, notes }) => ({ group, documents: notes.length }));
  return [...alone, { group: 'other', pooled, notes: small.flatMap(({ notes }) => notes) }];
}

const noteTypeRow = z.object({ id: z.string(), noteType: z.string() });

/** Note types by document id; undefined where the corpus has no such file. @throws DistillError as readJsonLines */
export function readNoteTypes(corpusDirectory: string): Map<string, string> | undefined {
  const path = join(corpusDirectory, NOTE_TYPES_FILE);
  if (!existsSync(path)) return undefined;
  return new Map(readJsonLines(path, noteTypeRow).map(({ id, noteType }) => [id, noteType]));
}
