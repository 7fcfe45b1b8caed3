/**
 * Whether a model was trained on what it is judged by. A document is known by its shingles, the runs of eight words in it, without case
 * and punctuation: a copy keeps them through another layout, another id, a few words changed, and in pieces, but for those across cuts. A
 * document of fewer words is known by all of them, as a whole document of its own. Only ids leave this file.
 */

export interface Text {
  readonly id: string;
  readonly text: string;
}

export interface Leak {
  /** Of the document that judges. */
  readonly id: string;
  /** Share of the judging document's distinct shingles that stand in training documents, all together. */
  readonly share: number;
  /** How many training documents have some of them. */
  readonly in: number;
  /** The training document that has most, the file that holds it, and its share alone. */
  readonly trainId: string;
  readonly file: string;
  readonly most: number;
}

export interface Leakage {
  /** In the order of the documents. */
  readonly leaks: readonly Leak[];
  /** Judging documents without any word: they say nothing. */
  readonly empty: number;
  readonly trainDocuments: number;
}

export const SHINGLE_WORDS = 8;

/**
 * @param training files with their documents, read one at a time.
 * @param share of a judging document's shingles from which on it is a leak; of 0, one shingle is.
 */
export function findLeaks(
  judging: readonly Text[],
  training: Iterable<{ readonly file: string; readonly documents: Iterable<Text> }>,
  share: number,
): Leakage {
  const own = judging.map(each => shinglesOf(each.text));
  const holders = new Map<string, number[]>();
  own.forEach((shingles, i) => {
    for (const shingle of shingles) {
      const known = holders.get(shingle);
      if (known === undefined) holders.set(shingle, [i]);
      else known.push(i);
    }
  });
  const covered = own.map(() => new Set<string>());
  const worst = new Map<number, Omit<Leak, 'share'>>();
  let trainDocuments = 0;
  for (const { file, documents } of training) {
    for (const { id: trainId, text } of documents) {
      trainDocuments++;
      for (const [i, shared] of sharedByHolder(shinglesOf(text), holders)) {
        for (const shingle of shared) covered[i]?.add(shingle);
        const most = shared.length / (own[i]?.size as number);
        const before = worst.get(i);
        const more = before === undefined || most > before.most;
        const known = more ? { id: judging[i]?.id as string, trainId, file, most } : before;
        worst.set(i, { ...known, in: (before?.in ?? 0) + 1 });
      }
    }
  }
  const leaks = [...worst]
    .sort(([a], [b]) => a - b)
    .map(([i, leak]) => ({ ...leak, share: (covered[i]?.size as number) / (own[i]?.size as number) }))
    .filter(each => each.share >= share);
  return { leaks, empty: own.filter(each => each.size === 0).length, trainDocuments };
}

/** Distinct runs of eight words; of a shorter text, all its words; none of a text without words. */
export function shinglesOf(text: string): Set<string> {
  const words = text.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? [];
  if (words.length === 0) return new Set();
  const shingles = new Set([words.slice(0, SHINGLE_WORDS).join(' ')]);
  for (let i = 1; i + SHINGLE_WORDS <= words.length; i++) shingles.add(words.slice(i, i + SHINGLE_WORDS).join(' '));
  return shingles;
}

/** Which of the shingles each judging document holds, by its number. */
function sharedByHolder(
  shingles: ReadonlySet<string>,
  holders: ReadonlyMap<string, readonly number[]>,
): Map<number, string[]> {
  const shared = new Map<number, string[]>();
  for (const shingle of shingles) {
    for (const i of holders.get(shingle) ?? []) {
      const known = shared.get(i);
      if (known === undefined) shared.set(i, [shingle]);
      else known.push(shingle);
    }
  }
  return shared;
}
