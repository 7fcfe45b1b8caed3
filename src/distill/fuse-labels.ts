/** What was chosen on gold notes, applied to others: the labels of each task's teachers made into one label set to train on. */
import { z } from 'zod';
import { type Fusion, fuse, support, type Weights } from '../evaluation/fusion.ts';
import type { TextTokenizer } from '../model/tokenizer.ts';
import { CodePointIndex } from '../text/code-points.ts';
import { decodeEntities } from '../text/decode.ts';
import type { Words } from '../text/words.ts';
import { type Annotator, votesFor, wordsOf } from './annotators.ts';
import { askedSchema } from './asked.ts';
import type { CorpusDocument } from './corpus.ts';

/** The part of `distill select --json` that decides other documents. */
export const selectionSchema = z.object({
  annotators: z.array(z.object({ name: z.string(), asked: askedSchema.optional() })),
  tasks: z
    .array(
      z.object({
        task: z.string(),
        silent: z.array(z.string()),
        chosen: z.object({
          candidate: z.object({
            annotators: z.array(z.string()).min(1),
            fusion: z.enum(['alone', 'union', 'intersection', 'vote', 'weighted']),
          }),
        }),
        weights: z.object({ prior: z.number(), evidence: z.array(z.tuple([z.number(), z.number()])) }),
      }),
    )
    .min(1),
});

export interface ChosenFusion {
  readonly task: string;
  readonly annotators: readonly string[];
  readonly fusion: Fusion;
  /** Of these annotators, in their order. */
  readonly weights: Weights;
}

/** @throws RangeError for weights that are not the annotators' */
export function chosenFusions({ annotators, tasks }: z.output<typeof selectionSchema>): ChosenFusion[] {
  return tasks.map(({ task, silent, chosen: { candidate }, weights: { prior, evidence } }) => {
    const speaking = annotators.map(each => each.name).filter(name => !silent.includes(name));
    if (evidence.length !== speaking.length) throw new RangeError(`${task}: weights of other annotators`);
    const own = candidate.annotators.map(name => evidence[speaking.indexOf(name)]);
    if (own.includes(undefined)) throw new RangeError(`${task}: an annotator that was not given`);
    return { task, ...candidate, weights: { prior, evidence: own as (readonly [number, number])[] } };
  });
}

export interface FusedDocument extends Omit<CorpusDocument, 'entities'> {
  /** `confidence` in (0, 1]: the mean over the mention's words of how far the votes support it. */
  readonly entities: readonly { readonly start: number; end: number; type: string; confidence: number }[];
}

/** @param annotators that all have the documents; those that a task was not chosen for are not asked about it. */
export async function fuseLabels(
  tokenizer: TextTokenizer,
  documents: readonly CorpusDocument[],
  annotators: readonly Annotator[],
  chosen: readonly ChosenFusion[],
): Promise<FusedDocument[]> {
  const answers = new Map(annotators.map(({ name, documents: own }) => [name, own]));
  const fused: FusedDocument[] = [];
  for (const { id, split, source, text } of documents) {
    const words = await wordsOf(tokenizer, text);
    const index = new CodePointIndex(text);
    const entities = chosen.flatMap(each => {
      const asked = each.annotators.map(name => answers.get(name)?.get(id) ?? { entities: [] });
      return mentions(index, words, each, votesFor(words, each.task, asked));
    });
    entities.sort((a, b) => a.start - b.start || a.end - b.end);
    fused.push({ id, split, ...(source === undefined ? {} : { source }), text, entities });
  }
  return fused;
}

/** By the runs of words that serve: a mention is on one line, and holds a letter or a digit. */
function mentions(
  index: CodePointIndex,
  words: Words,
  { task, fusion, weights }: ChosenFusion,
  votes: readonly Uint8Array[],
): FusedDocument['entities'][number][] {
  const logits = Float32Array.from(fuse(fusion, votes, weights), inside => (inside === 1 ? 1 : -1));
  const supported = support(fusion, votes, weights);
  const decided = decodeEntities(index, { ...words, logits }, [{ task, threshold: 0.5, temperature: 1 }]);
  return decided.entities.map(({ start, end }) => {
    const own = supported.filter((_, i) => (words.starts[i] as number) >= start && (words.ends[i] as number) <= end);
    const confidence = own.reduce((sum, each) => sum + each, 0) / own.length;
    return { start, end, type: task, confidence: Math.max(1e-3, Number(confidence.toFixed(3))) };
  });
}
