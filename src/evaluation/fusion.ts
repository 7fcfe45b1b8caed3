/** Several annotators' decisions about the same words made into one. A vote is 1 for Inside, as scores count it. */
import { INSIDE, MISSING } from '../text/words.ts';
import { tokenCounts } from './token-scores.ts';

export interface VotedDocument {
  /** OUTSIDE, INSIDE or MISSING for each word. */
  readonly gold: Uint8Array;
  /** For each annotator, its vote on each word. */
  readonly votes: readonly Uint8Array[];
}

export type Fusion = 'alone' | 'union' | 'intersection' | 'vote' | 'weighted';

/** The fusions that differ for so many annotators: more than half of two is both. */
export function fusionsOf(annotators: number): readonly Fusion[] {
  if (annotators === 1) return ['alone'];
  return annotators === 2 ? ['union', 'intersection', 'weighted'] : ['union', 'intersection', 'vote', 'weighted'];
}

/** @param votes of one annotator or more. @param weights of the same annotators, in the same order. */
export function fuse(fusion: Fusion, votes: readonly Uint8Array[], weights: Weights): Uint8Array {
  switch (fusion) {
    case 'alone':
    case 'union':
      return atLeast(1, votes);
    case 'intersection':
      return atLeast(votes.length, votes);
    case 'vote':
      return atLeast(Math.floor(votes.length / 2) + 1, votes);
    case 'weighted':
      return weigh(votes, weights);
  }
}

function atLeast(needed: number, votes: readonly Uint8Array[]): Uint8Array {
  const inside = new Uint8Array(votes[0]?.length ?? 0);
  for (const own of votes) for (let i = 0; i < inside.length; i++) (inside[i] as number) += own[i] as number;
  return inside.map(count => (count >= needed ? 1 : 0));
}

/** Naive Bayes, in log-odds for Inside. */
export interface Weights {
  readonly prior: number;
  /** For each annotator, what its vote 0 and its vote 1 speak for. */
  readonly evidence: readonly (readonly [number, number])[];
}

/** So much the order of adding may leave of an exact tie. */
const TIE = 1e-9;

function weigh(votes: readonly Uint8Array[], weights: Weights): Uint8Array {
  return Uint8Array.from(oddsOf(votes, weights), each => (each > TIE ? 1 : 0));
}

function oddsOf(votes: readonly Uint8Array[], { prior, evidence }: Weights): Float64Array {
  const odds = new Float64Array(votes[0]?.length ?? 0).fill(prior);
  votes.forEach((own, annotator) => {
    const [outside, inside] = evidence[annotator] as readonly [number, number];
    for (let i = 0; i < odds.length; i++) (odds[i] as number) += own[i] === 1 ? inside : outside;
  });
  return odds;
}

/** For each document, weights counted on all the others: those that decide a document never saw its gold labels. */
export function heldOutWeights(documents: readonly VotedDocument[]): Weights[] {
  const tallies = documents.map(tally);
  const all = tallies.reduce((sum, each) => combine(sum, each, 1), EMPTY);
  return tallies.map(own => weightsFrom(combine(all, own, -1)));
}

/** Weights counted on all the documents: for deciding others. */
export function weightsOf(documents: readonly VotedDocument[]): Weights {
  return weightsFrom(documents.map(tally).reduce((sum, each) => combine(sum, each, 1), EMPTY));
}

/** P(Inside) of each word as far as the votes say: the share of annotators for it, or under `weighted` what the weights give. */
export function support(fusion: Fusion, votes: readonly Uint8Array[], weights: Weights): Float64Array {
  if (fusion === 'weighted') return oddsOf(votes, weights).map(each => 1 / (1 + Math.exp(-each)));
  return Float64Array.from(votes[0] ?? [], (_, i) => votes.filter(own => own[i] === 1).length / votes.length);
}

/** Words of gold Inside and Outside, and for each annotator how many of either it votes for. */
interface Tally {
  readonly inside: number;
  readonly outside: number;
  readonly hits: readonly number[];
  readonly alarms: readonly number[];
}

const EMPTY: Tally = { inside: 0, outside: 0, hits: [], alarms: [] };

function tally({ gold, votes }: VotedDocument): Tally {
  const counts = votes.map(own => tokenCounts(gold, own));
  const [inside, missing] = [INSIDE, MISSING].map(label => gold.filter(each => each === label).length);
  return {
    inside: inside as number,
    outside: gold.length - (inside as number) - (missing as number),
    hits: counts.map(each => each.tp),
    alarms: counts.map(each => each.fp),
  };
}

function combine(sum: Tally, each: Tally, sign: 1 | -1): Tally {
  const add = (to: readonly number[], more: readonly number[]): number[] =>
    more.map((count, i) => (to[i] ?? 0) + sign * count);
  return {
    inside: sum.inside + sign * each.inside,
    outside: sum.outside + sign * each.outside,
    hits: add(sum.hits, each.hits),
    alarms: add(sum.alarms, each.alarms),
  };
}

/** Each rate as if one word more had been seen of either kind, so that none is 0 or 1. */
function weightsFrom({ inside, outside, hits, alarms }: Tally): Weights {
  const odds = (ofInside: number, ofOutside: number): number =>
    Math.log((ofInside + 1) / (inside + 2)) - Math.log((ofOutside + 1) / (outside + 2));
  return {
    prior: Math.log((inside + 1) / (outside + 1)),
    evidence: hits.map((hit, i) => {
      const alarm = alarms[i] as number;
      return [odds(inside - hit, outside - alarm), odds(hit, alarm)];
    }),
  };
}
