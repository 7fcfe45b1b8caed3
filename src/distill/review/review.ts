/** A model's errors on one split of a gold file, by the heads, thresholds and spans that serve. */
import type { ModelIdentity, VerifiedModel } from '../../model/manifest.ts';
import { corpusHash, readCorpus, type Split } from '../corpus.ts';
import { DistillError } from '../distill-error.ts';
import { measurable, pair, readDocument } from '../measure.ts';
import { type Progress, Scorer } from '../score-documents.ts';
import { type Measure, TEST_SETS } from '../test-sets.ts';
import { inReviewOrder, type ReviewDocument, reviewDocument, type SpanError } from './errors.ts';

export interface Review {
  readonly file: string;
  readonly split: Split;
  readonly goldSha256: string;
  readonly model: ModelIdentity;
  /** Labels of the measures. */
  readonly tasks: readonly string[];
  /** One for each document and task. */
  readonly documents: readonly ReviewDocument[];
  /** In the order in which they are to be reviewed. */
  readonly errors: readonly SpanError[];
}

export interface ReviewOptions {
  readonly corpusDirectory: string;
  readonly file: string;
  readonly split: Split;
  readonly measures: readonly Measure[];
  readonly workers: number;
  readonly progress: Progress;
}

/** What `distill evaluate` measures on a file, of the heads that serve; undefined for a file that it does not know. */
export function servedMeasuresOf(file: string): readonly Measure[] | undefined {
  return TEST_SETS.find(each => each.file === file)?.measures.filter(({ channels }) =>
    channels.every(each => 'task' in each),
  );
}

/** @throws DistillError CORPUS_MISSING, CORPUS_ROW_INVALID */
export async function openReview(model: VerifiedModel, options: ReviewOptions): Promise<Review> {
  const { corpusDirectory, file, split, progress } = options;
  const corpus = readCorpus(corpusDirectory, file, split);
  if (corpus.length === 0) throw new DistillError('CORPUS_MISSING', `${file} holds no ${split} documents`);
  const measures = measurable(model.manifest, options.measures);
  progress(`review: reading ${corpus.length} documents of ${file}`);
  const scorer = await Scorer.open(model, 'logits', options.workers);
  try {
    const scored = await scorer.score(corpus);
    const documents = pair(scored, scored).flatMap(each =>
      measures.map(measure =>
        reviewDocument(
          each.served.document,
          measure.label,
          each.served.words,
          readDocument(each, model.manifest, measure),
        ),
      ),
    );
    return {
      file,
      split,
      goldSha256: corpusHash(corpusDirectory, file),
      model: model.identity,
      tasks: measures.map(each => each.label),
      documents,
      errors: inReviewOrder(documents.flatMap(each => each.errors)),
    };
  } finally {
    await scorer.stop();
  }
}
