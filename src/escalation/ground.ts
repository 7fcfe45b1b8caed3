/**
 * Places the quotes of one task in the text they were taken from: as they stand, else in the normal form (fold.ts, and over no break), else with slips
 * (fuzzy.ts). A mark is of whole words and its text is the note's own; what cannot be placed is dropped and counted, never guessed.
 */
import type { Code, Quote } from '../teachers/teacher.ts';
import { CodePointIndex } from '../text/code-points.ts';
import { findFuzzy } from './fuzzy.ts';
import type { Alignment, Dropped, DropReason, Grounded, Mark } from './grounded.ts';
import { mergeMarks } from './merge-marks.ts';
import { searchPhrases } from './phrase-search.ts';
import { type Bracketed, type Phrase, type QuoteForm, readQuote } from './quote-form.ts';
import { type Place, SearchedText } from './searched-text.ts';
import { verifyPlace } from './verify-place.ts';

type Outcome = Alignment | DropReason;

/** Quotes with the same text, looked for once. */
interface Wanted {
  readonly form: QuoteForm;
  readonly codes: readonly Code[];
  outcome: Outcome;
}

/**
 * A quote is marked wherever it stands; one with `at` only there; of one with `[brackets]` only what they hold. Marks that overlap
 * become one (merge-marks.ts).
 *
 * Work: one pass over the text for all quotes that stand in it, at most (places × pieces of the longest quote); for each that does
 * not, a bounded number of places (fuzzy.ts). Quotes longer than LONGEST_QUOTE are not looked for.
 */
export function ground(text: string, quotes: readonly Quote[]): Grounded {
  const { marks, outcomes } = markAll(text, quotes);
  const aligned = { exact: 0, normalised: 0, fuzzy: 0 };
  const dropped: Dropped[] = [];
  quotes.forEach((quote, i) => {
    const outcome = outcomes[i] as Outcome;
    if (outcome === 'exact' || outcome === 'normalised' || outcome === 'fuzzy') aligned[outcome]++;
    else dropped.push({ reason: outcome, length: quote.text.length });
  });
  return { placed: mergeMarks(text, marks), dropped, aligned };
}

function markAll(text: string, quotes: readonly Quote[]): { marks: Mark[]; outcomes: Outcome[] } {
  const index = new CodePointIndex(text);
  const marks: Mark[] = [];
  const wanted = new Map<string, Wanted>();
  const each = quotes.map((quote): Wanted | Outcome => {
    if (quote.at !== undefined) {
      const mark = verifyPlace(index, quote, quote.at);
      if (mark === null) return 'misplaced';
      marks.push(mark);
      return mark.alignment;
    }
    const known = wanted.get(quote.text);
    if (known !== undefined) return known;
    const form = readQuote(quote.text);
    if (typeof form === 'string') return form;
    const one: Wanted = { form, codes: quote.codes ?? [], outcome: 'not-found' };
    wanted.set(quote.text, one);
    return one;
  });
  if (wanted.size > 0) search(new SearchedText(text), [...wanted.values()], marks);
  return { marks, outcomes: each.map(one => (typeof one === 'string' ? one : one.outcome)) };
}

/** Fills in the outcomes, and adds to `marks`. */
function search(text: SearchedText, all: readonly Wanted[], marks: Mark[]): void {
  searchStage(all, marks, {
    alignment: 'exact',
    pieces: text.pieces(),
    of: phrase => phrase.exact,
    accepts: ({ exact }, first) => !text.cutsNumber(text.placeOfPieces(first, first + exact.length)),
    place: (first, last) => text.placeOfPieces(first, last),
    parts: ({ parts }, first) => parts.map(part => text.placeOfPart(first, part)),
  });
  searchStage(all.filter(isLost), marks, {
    alignment: 'normalised',
    pieces: text.words,
    of: phrase => phrase.normal,
    accepts: (phrase, first) => isWritten(text, phrase, first),
    place: (first, last) => text.placeOfWords(first, last),
    parts: ({ normalParts }, first) =>
      (normalParts ?? []).map(({ start, end }) => text.placeOfWords(first + start, first + end)),
  });
  for (const one of all.filter(isLost)) {
    if (one.form.bracketed !== null || one.form.literal.cased !== null) continue;
    const windows = findFuzzy(
      text.index,
      one.form.literal.normal,
      (start, end) => !text.isBroken(start, end) && !text.cutsNumber(text.placeOfWords(start, end)),
    );
    one.outcome = typeof windows === 'string' ? windows : 'fuzzy';
    if (typeof windows === 'string') continue;
    for (const { start, end, similarity } of windows)
      marks.push({ ...text.placeOfWords(start, end), alignment: 'fuzzy', similarity, codes: one.codes });
  }
}

/**
 * Whether words that match in the normal form are the phrase: in its case where that says what it means, with whole numbers, and no
 * mark over a break.
 */
function isWritten(text: SearchedText, phrase: Phrase | Bracketed, first: number): boolean {
  const { cased, normal } = phrase;
  if (cased?.some((word, k) => word !== text.cased(first + k))) return false;
  if (text.cutsNumber(text.placeOfWords(first, first + normal.length))) return false;
  const marked = 'normalParts' in phrase ? (phrase.normalParts ?? []) : [{ start: 0, end: normal.length }];
  return !marked.some(({ start, end }) => text.isBroken(first + start, first + end));
}

/** What differs between looking for quotes as they stand and in the normal form. */
interface Stage {
  readonly alignment: Alignment;
  readonly pieces: Iterable<string>;
  readonly of: (phrase: Phrase) => readonly string[];
  readonly accepts: (phrase: Phrase | Bracketed, first: number) => boolean;
  readonly place: (first: number, last: number) => Place;
  readonly parts: (phrase: Bracketed, first: number) => readonly Place[];
}

/** A quote is looked for as it is and, where it has brackets, without them; what its writer really wrote goes first. */
function searchStage(all: readonly Wanted[], marks: Mark[], stage: Stage): void {
  const literal = all.map(one => ({ one, phrase: one.form.literal, bracketed: null }));
  const unbracketed = all.flatMap(one => {
    const { bracketed } = one.form;
    return bracketed === null || (stage.alignment === 'normalised' && bracketed.normalParts === null)
      ? []
      : [{ one, phrase: bracketed, bracketed }];
  });
  const entries = [...literal, ...unbracketed];
  const { matches, found, tooMany } = searchPhrases(
    entries.map(({ phrase, bracketed }) => ({
      pieces: stage.of(phrase),
      bracketed: bracketed !== null,
      accepts: first => stage.accepts(phrase, first),
    })),
    stage.pieces,
  );
  const settled = new Set<number>();
  entries.forEach(({ one }, i) => {
    if (found[i] === 0 || !isLost(one)) return;
    one.outcome = tooMany[i] === 1 ? 'ambiguous' : stage.alignment;
    settled.add(i);
  });
  for (const { phrase: i, first, last } of matches) {
    const { one, bracketed } = entries[i] as (typeof entries)[number];
    if (!settled.has(i)) continue;
    const places = bracketed === null ? [stage.place(first, last)] : stage.parts(bracketed, first);
    for (const place of places) marks.push({ ...place, alignment: stage.alignment, similarity: 1, codes: one.codes });
  }
}

function isLost(one: Wanted): boolean {
  return one.outcome === 'not-found';
}
