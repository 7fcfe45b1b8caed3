/** Which annotators' labels, taken together, are best: every subset in every fusion, as in Vedula et al. (arXiv 2501.00031) by union. */
import { f1Interval, type Interval, seeded } from '../evaluation/bootstrap.ts';
import { type Counts, type Scores, scores, sum } from '../evaluation/counts.ts';
import {
  type Fusion,
  fuse,
  fusionsOf,
  heldOutWeights,
  type VotedDocument,
  type Weights,
  weightsOf,
} from '../evaluation/fusion.ts';
import { tokenCounts } from '../evaluation/token-scores.ts';
import { type Ahead, ahead, SEED } from './ahead.ts';

/** 1023 subsets. */
export const MAX_ANNOTATORS = 10;
const SHOWN = 10;

export interface Priced {
  readonly name: string;
  /** A note, in any unit that all have in common. */
  readonly cost: number;
}

export interface Candidate extends Scores {
  readonly annotators: readonly string[];
  readonly fusion: Fusion;
  /** Of all its annotators together. */
  readonly cost: number;
}

export interface Shown {
  /** From 1. */
  readonly rank: number;
  readonly candidate: Candidate;
  /** 95 % of F1, over documents. */
  readonly interval: Interval;
}

/** A candidate beside the best one. */
export interface Compared extends Ahead {
  readonly candidate: Candidate;
}

export interface Selection {
  /** By F1; where that is equal the cheaper, the smaller, the first by name. */
  readonly ranked: readonly Candidate[];
  /** The first ten, and each annotator alone. */
  readonly shown: readonly Shown[];
  readonly best: Candidate;
  /** The next in rank that ever decides otherwise, where there is one. */
  readonly runnerUp: Compared | undefined;
  /** The cheapest that the best does not beat beyond chance; of equally cheap ones the highest in rank. */
  readonly chosen: Compared;
  /** Of all annotators given, counted on all documents: what `weighted` needs to decide others. */
  readonly weights: Weights;
}

/** @param annotators in the order of the votes, from one to MAX_ANNOTATORS. @throws RangeError */
export function select(documents: readonly VotedDocument[], annotators: readonly Priced[]): Selection {
  if (annotators.length < 1 || annotators.length > MAX_ANNOTATORS)
    throw new RangeError(`from one to ${MAX_ANNOTATORS} annotators can be selected from`);
  const counts = new Map<Candidate, readonly Counts[]>();
  const weights = heldOutWeights(documents);
  for (const subset of subsets(annotators.length)) {
    const own = documents.map(({ gold, votes }, i) => {
      const { prior, evidence } = weights[i] as (typeof weights)[number];
      return { gold, votes: pick(votes, subset), weights: { prior, evidence: pick(evidence, subset) } };
    });
    for (const fusion of fusionsOf(subset.length)) {
      const found = own.map(each => tokenCounts(each.gold, fuse(fusion, each.votes, each.weights)));
      counts.set(candidate(pick(annotators, subset), fusion, found), found);
    }
  }
  const ranked = [...counts.keys()].sort(byRank);
  const best = ranked[0] as Candidate;
  const countsOf = (of: Candidate): readonly Counts[] => counts.get(of) as readonly Counts[];
  const compare = (other: Candidate): Compared => {
    return { candidate: other, ...ahead(countsOf(best), countsOf(other)) };
  };
  const cheaper = ranked.filter(each => each.cost < best.cost).sort((a, b) => a.cost - b.cost);
  return {
    ranked,
    shown: ranked
      .map((each, i) => ({ rank: i + 1, candidate: each }))
      .filter(each => each.rank <= SHOWN || each.candidate.fusion === 'alone')
      .map(each => ({ ...each, interval: f1Interval(countsOf(each.candidate), seeded(SEED)) })),
    best,
    runnerUp: ranked
      .values()
      .map(compare)
      .find(({ difference: { low, high } }) => low !== 0 || high !== 0),
    weights: weightsOf(documents),
    chosen:
      cheaper
        .values()
        .map(compare)
        .find(each => !each.beyondChance) ?? compare(best),
  };
}

/** Each as ascending positions. */
function subsets(size: number): number[][] {
  const positions = Array.from({ length: size }, (_, i) => i);
  return Array.from({ length: 2 ** size - 1 }, (_, i) => positions.filter(at => ((i + 1) >> at) & 1));
}

function pick<T>(from: readonly T[], positions: readonly number[]): T[] {
  return positions.map(at => from[at] as T);
}

function candidate(annotators: readonly Priced[], fusion: Fusion, counts: readonly Counts[]): Candidate {
  return {
    annotators: annotators.map(each => each.name),
    fusion,
    cost: annotators.reduce((cost, each) => cost + each.cost, 0),
    ...scores(sum(counts)),
  };
}

function byRank(a: Candidate, b: Candidate): number {
  const [first, second] = [nameOf(a), nameOf(b)];
  return (
    b.f1 - a.f1 ||
    a.cost - b.cost ||
    a.annotators.length - b.annotators.length ||
    (first < second ? -1 : Number(first > second))
  );
}

export function nameOf({ annotators, fusion }: Pick<Candidate, 'annotators' | 'fusion'>): string {
  return `${annotators.join(' + ')}, ${fusion}`;
}
