/** Which gold a set was measured by: only figures of one gold can be compared. */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { corpusHash } from './corpus.ts';
import { TEST_SETS, type TestSet } from './test-sets.ts';

export const goldFileSchema = z.object({
  /** Of the corpus directory. */
  file: z.string(),
  sha256: z.string(),
  /** Gold types by measure, where they are not of TEST_SETS. */
  types: z.record(z.string(), z.array(z.string())).optional(),
});

export type GoldFile = Readonly<z.output<typeof goldFileSchema>>;

export function goldFile(corpusDirectory: string, { name, file, measures }: TestSet): GoldFile {
  const gold = { file, sha256: corpusHash(corpusDirectory, file) };
  if (TEST_SETS.some(each => each.name === name)) return gold;
  return { ...gold, types: Object.fromEntries(measures.map(({ label, types }) => [label, [...types].sort()])) };
}

/** @returns undefined where a measurement does not say it. @param set its name. */
export function goldOf(set: string, data: readonly GoldFile[]): GoldFile | undefined {
  const file = TEST_SETS.find(each => each.name === set)?.file ?? set;
  return data.find(each => each.file === file);
}

export function isSameGold(a: GoldFile, b: GoldFile): boolean {
  return isDeepStrictEqual([a.sha256, a.types], [b.sha256, b.types]);
}
