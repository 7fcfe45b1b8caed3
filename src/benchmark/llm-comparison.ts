/** The same notes by several readers: how long, how dear, how well; and how much slower and dearer than the first each other one is. */
import type { Interval } from '../evaluation/bootstrap.ts';

/**
 * - `measured`: in this run, on this machine or by a real provider.
 * - `simulated`: an emulator answered; its time is no provider's.
 * - `published`: by others, elsewhere, on other notes.
 */
export type Provenance = 'measured' | 'simulated' | 'published';

/** How the dollars come about: tokens used times their price, or seconds of a machine. */
export type CostBasis = 'tokens' | 'machine' | 'published' | 'unknown';

export interface TaskQuality {
  readonly task: string;
  readonly documents: number;
  /** Token-level, over these documents. */
  readonly f1: number;
  /** 95 % over documents. */
  readonly interval: Interval;
  /** The first reader's, on the very same documents. */
  readonly ownF1: number;
}

export interface Reader {
  readonly name: string;
  readonly provenance: Provenance;
  /** Under load: seconds over notes. For whoever is asked one note after the other, the same as `secondsAlone`. */
  readonly secondsPerNote: number;
  /** From a note's arrival to its entities, of a note that arrives alone; median. */
  readonly secondsAlone: number;
  /** US dollars; null where nobody knows. */
  readonly usdPerNote: number | null;
  readonly cost: CostBasis;
  readonly quality: readonly TaskQuality[];
  /** Counts that say how the figures came about. */
  readonly about: Readonly<Record<string, number | string>>;
}

export interface Compared extends Reader {
  readonly notesPerSecond: number;
  /** How many times the first reader's; null for itself, and for a simulation, whose times and tokens are nobody's. */
  readonly times: {
    readonly secondsPerNote: number;
    readonly secondsAlone: number;
    readonly usd: number | null;
  } | null;
}

/** The first reader, then the others beside it. */
export function compareReaders(own: Reader, others: readonly Reader[]): Compared[] {
  return [own, ...others].map(reader => ({
    ...reader,
    notesPerSecond: 1 / reader.secondsPerNote,
    times: reader === own || reader.provenance === 'simulated' ? null : timesOf(own, reader),
  }));
}

function timesOf(own: Reader, other: Reader): Compared['times'] {
  return {
    secondsPerNote: other.secondsPerNote / own.secondsPerNote,
    secondsAlone: other.secondsAlone / own.secondsAlone,
    usd: own.usdPerNote === null || other.usdPerNote === null ? null : other.usdPerNote / own.usdPerNote,
  };
}
