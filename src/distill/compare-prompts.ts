/** Versions of a prompt by what their labels are worth on the same gold documents, and by what they cost. */
import type { Task } from '../core/span.ts';
import { f1Interval, type Interval, seeded } from '../evaluation/bootstrap.ts';
import { type Counts, type Scores, scores, sum } from '../evaluation/counts.ts';
import { exactCounts, relaxedCounts } from '../evaluation/span-scores.ts';
import { tokenCounts } from '../evaluation/token-scores.ts';
import type { TextTokenizer } from '../model/tokenizer.ts';
import { type Ahead, ahead, SEED } from './ahead.ts';
import { type Annotator, votesOn } from './annotators.ts';
import type { CorpusDocument } from './corpus.ts';

/** Counts of one task, a document each. */
export interface Measured {
  readonly token: readonly Counts[];
  readonly exact: readonly Counts[];
  readonly relaxed: readonly Counts[];
}

export interface Figure extends Scores {
  /** 95 % of F1, over documents. */
  readonly interval: Interval;
}

export interface Figures {
  readonly token: Figure;
  readonly exact: Figure;
  readonly relaxed: Figure;
}

export interface PricedVersion {
  readonly name: string;
  /** US dollars. */
  readonly usdANote: number;
  readonly measured: Measured;
}

export type RankedVersion = Omit<PricedVersion, 'measured'> & Figures;
export type VersionBehind = Ahead & { readonly name: string };

export interface PromptComparison {
  /** By token F1; where that is equal the cheaper, then as they were given. */
  readonly ranked: readonly RankedVersion[];
  readonly best: string;
  readonly runnerUp: VersionBehind | undefined;
  /** The cheapest that the best does not beat beyond chance. */
  readonly chosen: VersionBehind;
}

/** @param documents gold, all of which the annotator has. @param tasks gold types that stand for each. */
export async function measureLabels(
  tokenizer: TextTokenizer,
  documents: readonly CorpusDocument[],
  annotator: Annotator,
  tasks: ReadonlyMap<Task, readonly string[]>,
): Promise<Map<Task, Measured>> {
  const voted = await votesOn(tokenizer, documents, [annotator], tasks);
  return new Map(
    Array.from(tasks, ([task, types]) => {
      const spans = documents.map(({ id, entities }) => ({
        gold: entities.filter(each => types.includes(each.type)),
        found: (annotator.documents.get(id)?.entities ?? []).filter(each => each.type === task),
      }));
      const token = (voted.get(task) ?? []).map(({ gold, votes }) => tokenCounts(gold, votes[0] ?? new Uint8Array()));
      const exact = spans.map(({ gold, found }) => exactCounts(gold, found));
      return [task, { token, exact, relaxed: spans.map(({ gold, found }) => relaxedCounts(gold, found)) }];
    }),
  );
}

export function figuresOf({ token, exact, relaxed }: Measured): Figures {
  const figure = (counts: readonly Counts[]): Figure => ({
    ...scores(sum(counts)),
    interval: f1Interval(counts, seeded(SEED)),
  });
  return { token: figure(token), exact: figure(exact), relaxed: figure(relaxed) };
}

/** @param versions on the same documents; at least one. */
export function comparePrompts(versions: readonly PricedVersion[]): PromptComparison {
  const ranked = versions
    .map(({ name, usdANote, measured }) => ({ name, usdANote, measured, ...figuresOf(measured) }))
    .sort((a, b) => b.token.f1 - a.token.f1 || a.usdANote - b.usdANote);
  const [best, second] = ranked as [(typeof ranked)[number], (typeof ranked)[number] | undefined];
  const behind = (other: (typeof ranked)[number]): VersionBehind => ({
    name: other.name,
    ...ahead(best.measured.token, other.measured.token),
  });
  const cheaper = ranked.filter(each => each.usdANote < best.usdANote).sort((a, b) => a.usdANote - b.usdANote);
  return {
    ranked: ranked.map(({ measured: _, ...each }) => each),
    best: best.name,
    runnerUp: second === undefined ? undefined : behind(second),
    chosen: cheaper.map(behind).find(each => !each.beyondChance) ?? behind(best),
  };
}
