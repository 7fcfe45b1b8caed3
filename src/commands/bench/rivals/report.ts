/** What the rounds say of one contender: its speed, how clinstream's stands to it, and whether both found the same. */
import { pairedRatio } from '../../../benchmark/paired-ratio.ts';
import type { Interval } from '../../../evaluation/bootstrap.ts';
import { median } from '../../../evaluation/median.ts';
import { type Agreement, agreementOf } from './agreement.ts';
import type { Contender } from './contenders.ts';
import type { Turn } from './script.ts';

export interface Comparison {
  readonly name: string;
  readonly what: string;
  readonly versions: Readonly<Record<string, string>>;
  /** Median of the rounds. */
  readonly notesPerSecond: number;
  /** clinstream's notes/s over this one's. */
  readonly ratio?: Ratio;
  /** With clinstream's spans, in the round in which they differ most. */
  readonly agreement?: Agreement;
}

interface Ratio {
  /** The clinstream that it is compared with. */
  readonly of: string;
  readonly median: number;
  /** Of the median, 95 %; null for too few rounds. */
  readonly interval: Interval | null;
}

/** @param rounds turns by name. @param notes of one turn. */
export function comparisonOf(
  { name, what, against }: Contender,
  rounds: readonly Readonly<Record<string, Turn>>[],
  notes: number,
): Comparison {
  const turns = rounds.map(round => round[name] as Turn);
  const figures = {
    name,
    what,
    versions: turns[0]?.versions ?? {},
    notesPerSecond: median(turns.map(({ seconds }) => notes / seconds)),
  };
  if (against === undefined) return figures;
  const own = rounds.map(round => round[against] as Turn);
  const pairs = own.map(({ seconds }, i) => ({ A: seconds, B: (turns[i] as Turn).seconds }));
  const { ratio, interval } = pairedRatio(pairs) ?? { ratio: Number.NaN, interval: null };
  const agreements = own.map(({ spans }, i) => agreementOf(spans, (turns[i] as Turn).spans));
  return {
    ...figures,
    ratio: { of: against, median: ratio, interval },
    agreement: agreements.reduce((worst, each) => (each.differingNotes > worst.differingNotes ? each : worst)),
  };
}

export function sentence({ name, notesPerSecond, ratio, agreement }: Comparison): string {
  const speed = `${name}: ${notesPerSecond.toFixed(1)} notes/s`;
  if (ratio === undefined || agreement === undefined) return `${speed}\n`;
  const { interval } = ratio;
  const range = interval === null ? '' : ` (95 %: ${interval.low.toFixed(2)} to ${interval.high.toFixed(2)})`;
  const { spans, differingSpans, differingNotes } = agreement;
  const found = `${spans} spans, ${differingSpans} of them or of clinstream's differ, in ${differingNotes} notes`;
  const share = `agreement ${(100 * agreement.agreement).toFixed(2)} %`;
  return `${speed}; ${ratio.of} / ${name} ${ratio.median.toFixed(2)}${range}; ${found} (${share})\n`;
}
