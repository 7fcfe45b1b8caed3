/** Whether two versions find the same in the same notes: a faster one that answers differently is not the same thing made faster. */
import type { Entity } from '../core/span.ts';
import { SIDES, type Side } from './turn-order.ts';

/** What a turn found, by note id. */
export type Answers = ReadonlyMap<string, string>;

export interface Agreement {
  readonly notes: number;
  /** Notes whose entities differ between A and B, in the round in which most did. */
  readonly different: number;
  /** Notes that a side did not answer the same way in all its turns: then A and B may differ by chance. */
  readonly unsteady: Readonly<Record<Side, number>>;
}

/** Task and place of each entity, in any order: confidence may differ in its last digits. */
export function answerOf(entities: readonly Pick<Entity, 'task' | 'start' | 'end'>[]): string {
  return entities
    .map(({ task, start, end }) => `${task} ${start} ${end}`)
    .sort()
    .join('\n');
}

/** @param rounds what both found in each. */
export function agreementOf(rounds: readonly Readonly<Record<Side, Answers>>[]): Agreement {
  const unsteady = (side: Side): number => {
    const turns = rounds.map(round => round[side]);
    return new Set(turns.flatMap(each => [...differing(turns[0] ?? each, each)])).size;
  };
  const [A, B] = SIDES.map(unsteady) as [number, number];
  return {
    notes: Math.max(0, ...rounds.flatMap(({ A: a, B: b }) => [a.size, b.size])),
    different: Math.max(0, ...rounds.map(({ A: a, B: b }) => differing(a, b).size)),
    unsteady: { A, B },
  };
}

/** A note that only one of them answered differs. */
function differing(one: Answers, other: Answers): Set<string> {
  return new Set([...one.keys(), ...other.keys()].filter(note => one.get(note) !== other.get(note)));
}
