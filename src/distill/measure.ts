/** One measure on scored documents: token-level, exact and relaxed counts a document, by the decisions and spans that serve. */
import type { Span } from '../core/span.ts';
import type { Head } from '../core/tokens.ts';
import { type Interval, scoreIntervals, seeded } from '../evaluation/bootstrap.ts';
import { type Counts, type Scores, scores, sum } from '../evaluation/counts.ts';
import { exactCounts, relaxedCounts } from '../evaluation/span-scores.ts';
import { tokenCounts } from '../evaluation/token-scores.ts';
import type { Manifest } from '../model/manifest.ts';
import { CodePointIndex } from '../text/code-points.ts';
import { decodeEntities, probability } from '../text/decode.ts';
import { labelWords, type Words } from '../text/words.ts';
import { hasLearntCorpusHeads, runOf } from './card-method.ts';
import type { CorpusDocument } from './corpus.ts';
import type { ScoredDocument } from './score-documents.ts';
import type { Channel, Measure } from './test-sets.ts';

export interface DocumentCounts {
  readonly token: Counts;
  readonly exact: Counts;
  readonly relaxed: Counts;
}

/** With 95 % intervals over documents. */
export interface Scored extends Scores {
  /** Of F1. */
  readonly interval: Interval;
  readonly precisionInterval: Interval;
  readonly recallInterval: Interval;
}

export interface MeasureResult {
  readonly label: string;
  readonly documents: number;
  readonly token: Scored;
  readonly exact: Scored;
  readonly relaxed: Scored;
}

/** Logits of a document under both outputs of the graph. */
export interface BothOutputs {
  readonly served: ScoredDocument;
  readonly corpus: ScoredDocument;
}

const DECIDED: readonly Head[] = [{ task: 'found', threshold: 0.5, temperature: 1 }];

/** What a measure compares in one document. */
export interface Reading {
  readonly gold: readonly Span[];
  readonly found: readonly Span[];
  /** 1 for each word that is found. */
  readonly inside: Uint8Array;
  /** Calibrated P(Inside) of each word, the largest over the channels. */
  readonly probabilities: Float64Array;
}

export function readDocument(outputs: BothOutputs, manifest: Manifest, measure: Measure): Reading {
  const { document, words } = outputs.served;
  const { margins, probabilities } = decide(outputs, manifest, measure.channels);
  return {
    gold: document.entities.filter(each => measure.types.includes(each.type)),
    found: decodeEntities(new CodePointIndex(document.text), { ...words, logits: margins }, DECIDED).entities,
    inside: Uint8Array.from(margins, margin => (margin >= 0 ? 1 : 0)),
    probabilities,
  };
}

export function countDocument(outputs: BothOutputs, manifest: Manifest, measure: Measure): DocumentCounts {
  return countReading(outputs.served.words, readDocument(outputs, manifest, measure));
}

export function countReading(
  words: Words,
  { gold, found, inside }: Pick<Reading, 'gold' | 'found' | 'inside'>,
): DocumentCounts {
  return {
    token: tokenCounts(labelWords(words, gold), inside),
    exact: exactCounts(gold, found),
    relaxed: relaxedCounts(gold, found),
  };
}

/**
 * Margins: how far each word is beyond its decision threshold, in calibrated logits: ≥ 0 is Inside. The largest over the channels, so
 * that several heads together decide as their union.
 */
function decide(
  { served, corpus }: BothOutputs,
  manifest: Manifest,
  channels: readonly Channel[],
): { margins: Float32Array; probabilities: Float64Array } {
  const margins = new Float32Array(served.words.count).fill(Number.NEGATIVE_INFINITY);
  const probabilities = new Float64Array(served.words.count);
  for (const channel of channels) {
    const { words, at, heads, head } = locate(channel, served.words, corpus.words, manifest);
    const shift = Math.log(head.threshold / (1 - head.threshold));
    for (let i = 0; i < margins.length; i++) {
      const logit = words.logits[i * heads + at] as number;
      margins[i] = Math.max(margins[i] as number, logit / head.temperature - shift);
      probabilities[i] = Math.max(probabilities[i] as number, probability(logit, head.temperature));
    }
  }
  return { margins, probabilities };
}

/** The measures of a set that the model has the heads for: one trained on teachers' labels alone has none of a corpus that learnt. */
export function measurable(manifest: Manifest, measures: readonly Measure[]): Measure[] {
  const { heads } = manifest;
  const corpusHeads = hasLearntCorpusHeads(runOf(manifest)) ? manifest.corpusHeads : [];
  const has = (channel: Channel): boolean =>
    'task' in channel
      ? heads.some(head => head.task === channel.task)
      : corpusHeads.some(head => head.corpus === channel.corpus && head.type === channel.type);
  return measures.filter(({ channels }) => channels.every(has));
}

/** Corpus heads are read at 0.5: they are for comparison, and nothing is tuned for them. */
function locate(
  channel: Channel,
  served: Words,
  corpus: Words,
  manifest: Manifest,
): { words: Words; at: number; heads: number; head: Pick<Head, 'threshold' | 'temperature'> } {
  if ('task' in channel) {
    const at = manifest.heads.findIndex(head => head.task === channel.task);
    return { words: served, at, heads: manifest.heads.length, head: manifest.heads[at] as Head };
  }
  const at = manifest.corpusHeads.findIndex(head => head.corpus === channel.corpus && head.type === channel.type);
  if (at < 0) throw new RangeError(`the model has no head ${channel.corpus}/${channel.type}`);
  return { words: corpus, at, heads: manifest.corpusHeads.length, head: { threshold: 0.5, temperature: 1 } };
}

export function summarise(label: string, documents: readonly DocumentCounts[], seed: number): MeasureResult {
  const score = (kind: keyof DocumentCounts): Scored => {
    const counts = documents.map(each => each[kind]);
    const { precision, recall, f1 } = scoreIntervals(counts, seeded(seed));
    return { ...scores(sum(counts)), interval: f1, precisionInterval: precision, recallInterval: recall };
  };
  return {
    label,
    documents: documents.length,
    token: score('token'),
    exact: score('exact'),
    relaxed: score('relaxed'),
  };
}

/** The corpus's documents, both outputs paired. */
export function pair(
  served: readonly ScoredDocument<CorpusDocument>[],
  corpus: readonly ScoredDocument<CorpusDocument>[],
): BothOutputs[] {
  return served.map((each, i) => ({ served: each, corpus: corpus[i] as ScoredDocument }));
}
