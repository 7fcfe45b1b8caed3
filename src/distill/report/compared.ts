/** Other models beside this one, on the same measures: read from the metrics.json or report.json of their own evaluation. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { z } from 'zod';
import { type Interval, pairedF1Interval, seeded } from '../../evaluation/bootstrap.ts';
import { scores, sum } from '../../evaluation/counts.ts';
import { sha256Of } from '../../model/manifest.ts';
import type { Split } from '../corpus.ts';
import { DistillError } from '../distill-error.ts';
import { type GoldFile, goldFileSchema, goldOf, isSameGold } from '../gold-file.ts';
import type { DocumentCounts } from '../measure.ts';
import { type CountsTable, countsOf, countsTableSchema } from './counts-table.ts';

const intervalSchema = z.object({ low: z.number(), high: z.number() });

const scoredSchema = z
  .object({ precision: z.number(), recall: z.number(), f1: z.number(), interval: intervalSchema })
  .strip();

const metricsSchema = z.object({
  model: z.object({ name: z.string(), version: z.string(), sha256: z.string() }),
  results: z.array(
    z.object({
      set: z.string(),
      split: z.enum(['train', 'dev', 'test']),
      measures: z.array(
        z.object({
          label: z.string(),
          documents: z.int().min(0),
          token: scoredSchema,
          exact: scoredSchema,
          relaxed: scoredSchema,
        }),
      ),
    }),
  ),
  /** Files that were measured on; those of older versions do not say it. */
  data: z.array(goldFileSchema).default([]),
  /** Of a report.json: makes differences on the same documents possible. */
  counts: z.array(countsTableSchema).optional(),
});

type MetricsFile = z.output<typeof metricsSchema>;

export interface ComparedModel {
  readonly name: string;
  readonly file: string;
  readonly sha256: string;
  readonly model: MetricsFile['model'];
  readonly data: readonly GoldFile[];
  readonly results: MetricsFile['results'];
  readonly counts: readonly CountsTable[];
}

/** F1 of this model less F1 of another, on the same documents drawn together. */
export interface Difference {
  readonly set: string;
  readonly label: string;
  readonly documents: number;
  readonly token: Between;
  readonly exact: Between;
  readonly relaxed: Between;
}

export interface Between {
  readonly difference: number;
  readonly interval: Interval;
}

/** @throws DistillError METRICS_INVALID naming file and key. */
export function readCompared(name: string, path: string): ComparedModel {
  const bytes = read(path);
  const found = metricsSchema.safeParse(parse(bytes));
  if (!found.success) {
    const issue = found.error.issues[0];
    throw new DistillError(
      'METRICS_INVALID',
      `${path}: ${issue?.path.join('.') || 'file'}: ${issue?.message}: a metrics.json or report.json of 'distill evaluate' is needed`,
    );
  }
  const { model, data, results, counts = [] } = found.data;
  return { name, file: basename(path), sha256: sha256Of(bytes), model, data, results, counts };
}

/** What this model is measured on. */
export interface OwnGold {
  readonly gold: GoldFile;
  /** How many a split has. */
  readonly documents: (split: Split) => number;
}

/**
 * @param ownOf of a set by its name; undefined for one that this model is not measured on.
 * @throws DistillError METRICS_INVALID for a model that was measured by another gold, or on another number of documents.
 */
export function checkComparable(others: readonly ComparedModel[], ownOf: (set: string) => OwnGold | undefined): void {
  for (const { name, file, data, results } of others) {
    const refused = (why: string): DistillError => new DistillError('METRICS_INVALID', `${name} (${file}): ${why}`);
    for (const { set, split, measures } of results) {
      const own = ownOf(set);
      if (own === undefined) continue;
      const theirs = goldOf(set, data);
      if (theirs !== undefined && !isSameGold(theirs, own.gold))
        throw refused(
          `measured on another ${own.gold.file} (${saying(theirs)}) than the corpus directory has (${saying(own.gold)}): evaluate both models on one`,
        );
      const documents = measures[0]?.documents;
      const wanted = own.documents(split);
      if (documents === undefined || documents === wanted) continue;
      throw refused(
        `measured on ${documents} ${split} documents of ${set}, and the corpus directory has ${wanted}: evaluate both models on one`,
      );
    }
  }
}

function saying({ sha256, types = {} }: GoldFile): string {
  const typed = Object.entries(types).map(([task, own]) => `, ${task}=${own.join(',')}`);
  return `sha-256 ${sha256.slice(0, 12)}${typed.join('')}`;
}

/** Those of `sets` that a model was measured on without saying by which gold, for a page or a terminal; empty for none. */
export function unknownGold(
  { data, results }: Pick<ComparedModel, 'data' | 'results'>,
  sets: readonly string[],
): string {
  const unsaid = sets.filter(set => results.some(each => each.set === set) && goldOf(set, data) === undefined);
  return unsaid.length === 0 ? '' : `unknown whether by the same gold: ${unsaid.join(', ')}`;
}

/** On every measure that both have document by document; empty where the other gave no counts. */
export function differences(
  own: readonly CountsTable[],
  other: readonly CountsTable[],
  seed: number,
): readonly Difference[] {
  return own.flatMap(({ set, ids, measures }) =>
    measures.flatMap(({ label }) => {
      const mine = countsOf(own, set, label);
      const theirs = countsOf(other, set, label);
      const both = ids.filter(id => mine?.has(id) && theirs?.has(id));
      if (mine === undefined || theirs === undefined || both.length === 0) return [];
      const pick = (from: ReadonlyMap<string, DocumentCounts>) => both.map(id => from.get(id) as DocumentCounts);
      return [{ set, label, documents: both.length, ...between(pick(mine), pick(theirs), seed) }];
    }),
  );
}

/** Of documents in the same order. */
export function between(
  mine: readonly DocumentCounts[],
  theirs: readonly DocumentCounts[],
  seed: number,
): Pick<Difference, 'token' | 'exact' | 'relaxed'> {
  const of = (kind: keyof DocumentCounts): Between => {
    const a = mine.map(each => each[kind]);
    const b = theirs.map(each => each[kind]);
    return {
      difference: scores(sum(a)).f1 - scores(sum(b)).f1,
      interval: pairedF1Interval(a, b, seeded(seed)),
    };
  };
  return { token: of('token'), exact: of('exact'), relaxed: of('relaxed') };
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new DistillError('METRICS_INVALID', `${path} cannot be read (${(cause as NodeJS.ErrnoException).code})`, {
      cause,
    });
  }
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
