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
  /** Its fastest instructions for int8, as `int8Instructions` names them; null where nobody told. */
  readonly int8: string | null;
}

/** @param usdPerHour the user's own; without it a list price with its date. */
export function machinePrice(usdPerHour?: number): MachinePrice {
  if (usdPerHour !== undefined) return { usdPerHour, machine: 'as given', date: null, url: null, int8: null };
  const { usdPerHour: listed, machine: name, date, url, int8 } = machine;
  return { usdPerHour: listed, machine: name, date, url, int8 };
}

/** What must be said where the price is of another kind of machine than the figures. @param measuredOn as `thisMachine` tells it. */
export function priceOfAnother({ int8 }: MachinePrice, measuredOn: string): string[] {
  if (int8 === null || measuredOn.includes(` with ${int8},`)) return [];
  return [
    `**The machine with that price has ${int8} for int8; measured was ${measuredOn}.** One kind of processor may be several times as fast as another, so give the price of yours.`,
  ];
}

/** US dollars a note of a machine that is busy all the time. */
export function usdPerNote(usdPerHour: number, notesPerSecond: number): number {
  return usdPerHour / 3600 / notesPerSecond;
}
