/** What an emulated model knows: notes with their labels. It answers with the labels of a section, made worse by seeded noise. */
import { readFileSync } from 'node:fs';
import { seededUnit } from './random.ts';

export interface GoldNote {
  readonly text: string;
  /** Distinct strings of each task. */
  readonly quotes: Readonly<Record<string, readonly string[]>>;
}

/** Shares in [0, 1], each quote on its own. */
export interface Noise {
  readonly drop?: number;
  /** Of quotes after which one that stands nowhere is added. */
  readonly invent?: number;
  /** Changed in case or white space. */
  readonly alter?: number;
  readonly seed?: number;
}

export class Gold {
  readonly #notes: readonly GoldNote[];
  readonly #noise: Noise;

  constructor(notes: readonly GoldNote[], noise: Noise = {}) {
    this.#notes = notes;
    this.#noise = noise;
  }

  /** In order of first appearance in the section; nothing for a text of no note. */
  quotes(section: string, task: string): string[] {
    const note =
      this.#notes.find(({ text }) => text === section) ?? this.#notes.find(({ text }) => text.includes(section));
    const found = (note?.quotes[task] ?? []).filter(quote => section.includes(quote));
    found.sort((a, b) => section.indexOf(a) - section.indexOf(b));
    return found.flatMap(quote => this.#disturb(quote, `${task} ${section}`));
  }

  #disturb(quote: string, where: string): string[] {
    const { drop = 0, invent = 0, alter = 0, seed = 1 } = this.#noise;
    const chance = (what: string) => seededUnit(`${seed} ${what} ${quote} ${where}`);
    const kept = chance('alter') < alter ? altered(quote) : quote;
    return [
      ...(chance('drop') < drop ? [] : [kept]),
      ...(chance('invent') < invent ? [`${INVENTED} ${Math.floor(chance('which') * 1000)}`] : []),
    ];
  }
}

/** Begins what no note says. */
export const INVENTED = 'invented finding';

function altered(quote: string): string {
  return quote.includes(' ') ? quote.replace(' ', '  ') : quote.toUpperCase();
}

/** Notes (`noteId`, `text`) and labels (`noteId` and a list for each task), joined; a note without labels has no mentions. */
export function readGold({ notes, labels }: { notes: string; labels: string }): GoldNote[] {
  const byId = new Map(rows(labels).map(row => [row.noteId, row]));
  return rows(notes).map(({ noteId, text }) => {
    const { noteId: _, ...quotes } = byId.get(noteId) ?? {};
    return { text: String(text), quotes: quotes as GoldNote['quotes'] };
  });
}

function rows(file: string): Record<string, unknown>[] {
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter(line => line !== '');
  return lines.map(line => JSON.parse(line) as Record<string, unknown>);
}
