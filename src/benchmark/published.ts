/** Figures of other people, with where and when they were published; they stand in tables under that word and are never mixed with ours. */
import machine from './machine-price.json' with { type: 'json' };
import published from './published.json' with { type: 'json' };

export interface PublishedSystem {
  readonly name: string;
  /** Whether it is a large language model; else a small tagger. */
  readonly language: boolean;
  /** Of one note, one request after the other. */
  readonly seconds: number;
  /** US dollars a note. */
  readonly usd: number;
}

export interface Source {
  readonly source: string;
  readonly url: string;
  /** When it was published, or the price read. */
  readonly date: string;
}

export const PUBLISHED: Source & { readonly systems: readonly PublishedSystem[] } = published.perNote;
export const PUBLISHED_RATIOS: readonly (Source & { readonly what: string; readonly times: number })[] =
  published.ratios;

export interface MachinePrice {
  readonly usdPerHour: number;
  readonly machine: string;
  readonly date: string | null;
  readonly url: string | null;
}

/** @param usdPerHour the user's own; without it a list price with its date. */
export function machinePrice(usdPerHour?: number): MachinePrice {
  if (usdPerHour !== undefined) return { usdPerHour, machine: 'as given', date: null, url: null };
  return { usdPerHour: machine.usdPerHour, machine: machine.machine, date: machine.date, url: machine.url };
}

/** US dollars a note of a machine that is busy all the time. */
export function usdPerNote(usdPerHour: number, notesPerSecond: number): number {
  return usdPerHour / 3600 / notesPerSecond;
}
