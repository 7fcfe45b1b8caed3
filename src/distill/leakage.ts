/**
 * Whether a model was trained on what it is judged by. A document is known by its shingles, the runs of eight words in it, without case
 * and punctuation: a copy keeps them through another layout, another id, a few words changed. Only ids leave this file.
 */

export interface Text {
  readonly id: string;
  readonly text: string;
}

export interface Leak {
  /** Of the document that judges. */
  readonly id: string;
  /** The training document that has most of it, and the file that holds it. */
  readonly trainId: string;
  readonly file: string;
  /** Share of the judging document's distinct shingles that stand in that training document. */
  readonly share: number;
}

export interface Leakage {
  /** The worst of each judging document, in the order of the documents. */
  readonly leaks: readonly Leak[];
  /** Judging documents of fewer than eight words: they are alike by chance, and say nothing. */
  readonly tooShort: number;
  readonly trainDocuments: number;
}

export const SHINGLE_WORDS = 8;

/**
 * @param training files with their documents, read one at a time.
 * @param share of a judging document's shingles from which on it is a leak, above 0.
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
  const worst = new Map<number, Leak>();
  let trainDocuments = 0;
  for (const { file, documents } of training) {
    for (const { id: trainId, text } of documents) {
      trainDocuments++;
      for (const [i, shared] of countHolders(shinglesOf(text), holders)) {
        const found = shared / (own[i]?.size as number);
        if (found < share || found <= (worst.get(i)?.share ?? 0)) continue;
        worst.set(i, { id: judging[i]?.id as string, trainId, file, share: found });
      }
    }
  }
  const leaks = [...worst].sort(([a], [b]) => a - b).map(([, leak]) => leak);
  return { leaks, tooShort: own.filter(each => each.size === 0).length, trainDocuments };
}

/** Distinct runs of eight words; none in a shorter text. */
export function shinglesOf(text: string): Set<string> {
  const words = text.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? [];
  const shingles = new Set<string>();
  for (let i = 0; i + SHINGLE_WORDS <= words.length; i++) shingles.add(words.slice(i, i + SHINGLE_WORDS).join(' '));
  return shingles;
}

/** How many of the shingles each judging document holds, by its number. */
function countHolders(shingles: ReadonlySet<string>, holders: ReadonlyMap<string, readonly number[]>) {
  const counts = new Map<number, number>();
  for (const shingle of shingles) {
    for (const i of holders.get(shingle) ?? []) counts.set(i, (counts.get(i) ?? 0) + 1);
  }
  return counts;
}
