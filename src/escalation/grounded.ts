/** What grounding makes of a teacher's quotes: places in the text, and for every quote without one the reason. */
import type { Span } from '../core/span.ts';
import type { Code } from '../teachers/teacher.ts';

/** How a quote was found; each kind is only tried when the one before found nothing. */
export type Alignment = 'exact' | 'normalised' | 'fuzzy';

export interface Placed extends Span {
  /** The code points `[start, end)` of the text, whatever the quote said. */
  readonly text: string;
  readonly alignment: Alignment;
  /** 1 unless fuzzy; then at least SIMILARITY_FLOOR. */
  readonly similarity: number;
  readonly codes?: readonly Code[];
}

/**
 * - `not-found`: it stands nowhere.
 * - `ambiguous`: with slips only, and two spellings would do equally well or too many places; or brackets that fit too many places.
 * - `empty`: no letter and no digit.
 * - `filler`: only words such as "of" and "the".
 * - `too-long`: longer than any mention (LONGEST_QUOTE).
 * - `misplaced`: the annotator's own offsets do not hold what it says, or cut a word.
 */
export type DropReason = 'not-found' | 'ambiguous' | 'empty' | 'filler' | 'too-long' | 'misplaced';

export interface Dropped {
  readonly reason: DropReason;
  /** Of the quote, in UTF-16 units. Its text is kept nowhere, so this may be logged. */
  readonly length: number;
}

export interface Grounded {
  /** In text order, without overlaps. */
  readonly placed: readonly Placed[];
  readonly dropped: readonly Dropped[];
  /** How many quotes were found in each way; together with those dropped, all that were given. */
  readonly aligned: Readonly<Record<Alignment, number>>;
}

/** A place before overlaps are merged; both units, so that nothing is converted twice. */
export interface Mark {
  /** In code points, half-open. */
  readonly start: number;
  readonly end: number;
  /** The same in UTF-16 units. */
  readonly from: number;
  readonly to: number;
  readonly alignment: Alignment;
  readonly similarity: number;
  readonly codes: readonly Code[];
}
