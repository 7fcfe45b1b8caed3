/** How well each model's probabilities foretell what the words of gold documents are: by document, on the words that both models have. */
import { clippedLogLoss } from '../evaluation/calibration.ts';
import type { Manifest } from '../model/manifest.ts';
import type { Words } from '../text/words.ts';
import { judged } from './calibrate.ts';
import type { ScoredDocument } from './score-documents.ts';

/** Of one document and head. */
export interface Loss {
  /** Negative log-likelihood, the sum over the words. */
  readonly nats: number;
  readonly words: number;
  /** Of the words, those that are Inside. */
  readonly inside: number;
}

/**
 * @param others the same documents, scored by the model to compare with: tokenizers may split words otherwise, and only words of the same
 * borders count.
 * @returns undefined where there is no head for the task.
 */
export function lossesOf(
  documents: readonly ScoredDocument[],
  others: readonly ScoredDocument[],
  heads: Manifest['heads'],
  task: string,
): Loss[] | undefined {
  const at = heads.findIndex(each => each.task === task);
  const head = heads[at];
  if (head === undefined) return undefined;
  return documents.map(({ document, words }, i) => {
    const common = sharedWords(words, (others[i] as ScoredDocument).words, heads.length);
    const found = judged([{ document, words: common }], task, at, heads.length);
    return {
      nats: clippedLogLoss(found, head.temperature),
      words: found.inside.length,
      inside: found.inside.reduce((sum, each) => sum + each, 0),
    };
  });
}

/** Nats a word. */
export function meanLoss(documents: readonly Loss[]): number {
  const { nats, words } = sumOf(documents);
  return nats / words;
}

/** Nats a word of always saying the share of words that are Inside: what a model knows that reads nothing. */
export function baseRateLoss(documents: readonly Loss[]): number {
  const { words, inside } = sumOf(documents);
  const part = (count: number): number => (count === 0 ? 0 : -(count / words) * Math.log(count / words));
  return part(inside) + part(words - inside);
}

function sumOf(documents: readonly Loss[]): Loss {
  let [nats, words, inside] = [0, 0, 0];
  for (const each of documents) {
    nats += each.nats;
    words += each.words;
    inside += each.inside;
  }
  return { nats, words, inside };
}

function sharedWords(words: Words, other: Words, heads: number): Words {
  const borders = (of: Words, i: number): string => `${of.starts[i]}-${of.ends[i]}`;
  const known = new Set(Array.from({ length: other.count }, (_, i) => borders(other, i)));
  const kept = Array.from({ length: words.count }, (_, i) => i).filter(i => known.has(borders(words, i)));
  if (kept.length === words.count) return words;
  return {
    count: kept.length,
    starts: Int32Array.from(kept, i => words.starts[i] as number),
    ends: Int32Array.from(kept, i => words.ends[i] as number),
    logits: Float32Array.from(kept.flatMap(i => [...words.logits.subarray(i * heads, (i + 1) * heads)])),
  };
}
