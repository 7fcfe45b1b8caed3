/** How one kind of fact is told: its log line and its metrics stand together, so that neither exists without the other. */
import type { Fact } from '../core/facts.ts';

export type FactKind = Fact['kind'];
export type FactOf<Kind extends FactKind> = Extract<Fact, { readonly kind: Kind }>;

export type ReportLevel = 'debug' | 'info' | 'warn' | 'error';

/** Names, counts and codes of a log line; nested only where a fact holds numbers by name. */
export type LogFields = Readonly<Record<string, string | number | boolean | Readonly<Record<string, number>>>>;

export interface Report<F extends Fact> {
  /** Facts of every note, batch or transaction are `debug`: at `info` the log's size does not depend on the load. */
  readonly level: ReportLevel | ((fact: F) => ReportLevel);
  /** The same for every fact of the kind. */
  readonly message: string;
  /** Named one by one: a field that a fact has beyond its type never reaches the log. */
  fields(fact: F): LogFields;
  /** Labels take values of bounded sets only: tasks, stages, codes, groups, topics, partitions. Never an id of a note. */
  measure(fact: F): void;
}

export type Reports<Kind extends FactKind> = { readonly [K in Kind]: Report<FactOf<K>> };

/** Buckets of durations, in seconds: a millisecond to a minute. */
export const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
