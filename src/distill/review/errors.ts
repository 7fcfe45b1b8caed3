/** What a model got wrong in a document, span by span: each false positive and false negative by exact start and end. */
import type { Span } from '../../core/span.ts';
import { sha256Of } from '../../model/manifest.ts';
import type { Words } from '../../text/words.ts';
import type { CorpusDocument } from '../corpus.ts';
import type { Reading } from '../measure.ts';

/** A span that the tagger found and the gold lacks, or the other way round. */
export type ErrorKind = 'fp' | 'fn';

/** What makes an error the same one in another run, whatever model made it. */
export interface ErrorIdentity {
  readonly document: string;
  /** Of the document's text: another text under the same id is another document. */
  readonly textSha256: string;
  /** The measure's label, such as `problem`. */
  readonly task: string;
  readonly kind: ErrorKind;
  readonly start: number;
  readonly end: number;
}

export interface SpanError extends ErrorIdentity {
  /** Mean calibrated probability of the span's words; 0 where it holds no whole word. */
  readonly probability: number;
  /** Whether a span of the other side overlaps it: only then can the border alone be wrong. */
  readonly overlaps: boolean;
}

/** One document under one measure. */
export interface ReviewDocument {
  readonly document: CorpusDocument;
  readonly task: string;
  readonly words: Words;
  readonly reading: Reading;
  readonly errors: readonly SpanError[];
}

export function reviewDocument(document: CorpusDocument, task: string, words: Words, reading: Reading): ReviewDocument {
  const textSha256 = sha256Of(document.text);
  const side = (kind: ErrorKind, own: readonly Span[], other: readonly Span[]): SpanError[] => {
    const right = new Set(other.map(spanKey));
    const wrong = new Map(own.filter(span => !right.has(spanKey(span))).map(span => [spanKey(span), span]));
    return Array.from(wrong.values(), ({ start, end }) => ({
      document: document.id,
      textSha256,
      task,
      kind,
      start,
      end,
      probability: meanProbability(words, reading.probabilities, { start, end }),
      overlaps: other.some(each => each.start < end && each.end > start),
    }));
  };
  const { gold, found } = reading;
  const errors = [...side('fp', found, gold), ...side('fn', gold, found)];
  errors.sort((a, b) => a.start - b.start || a.end - b.end);
  return { document, task, words, reading, errors };
}

export function errorKey({ document, textSha256, task, kind, start, end }: ErrorIdentity): string {
  return JSON.stringify([document, textSha256, task, kind, start, end]);
}

export function spanKey({ start, end }: Span): string {
  return `${start}-${end}`;
}

/**
 * A fixed random order, so that those reviewed first stand for the rest; errors of one document that overlap stay together, by position.
 */
export function inReviewOrder(errors: readonly SpanError[]): SpanError[] {
  return [...Map.groupBy(errors, each => each.document).values()]
    .flatMap(clustersOf)
    .map(cluster => ({ cluster, at: sha256Of(errorKey(cluster[0] as SpanError)) }))
    .sort((a, b) => (a.at < b.at ? -1 : 1))
    .flatMap(({ cluster }) => cluster);
}

function clustersOf(errors: readonly SpanError[]): SpanError[][] {
  const clusters: SpanError[][] = [];
  let end = -1;
  for (const error of [...errors].sort(byPosition)) {
    if (error.start < end) clusters.at(-1)?.push(error);
    else clusters.push([error]);
    end = Math.max(end, error.end);
  }
  return clusters;
}

function byPosition(a: SpanError, b: SpanError): number {
  return a.start - b.start || a.end - b.end || (errorKey(a) < errorKey(b) ? -1 : 1);
}

function meanProbability(words: Words, probabilities: Float64Array, { start, end }: Span): number {
  let [sum, count] = [0, 0];
  for (let i = 0; i < words.count; i++) {
    if ((words.starts[i] as number) < start || (words.ends[i] as number) > end) continue;
    sum += probabilities[i] as number;
    count++;
  }
  return count === 0 ? 0 : sum / count;
}
