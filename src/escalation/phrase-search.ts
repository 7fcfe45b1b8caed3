/**
 * Many phrases in one pass over a sequence of pieces. Of the phrases that begin at one place only the longest is reported there, since it
 * covers the others; so there are at most as many matches as places, plus those of bracketed phrases, each of which is reported everywhere.
 */
import { PhraseTrie } from './phrase-trie.ts';

export interface Sought {
  readonly pieces: readonly string[];
  /** Matched for the sake of a part of it, which nothing longer covers. */
  readonly bracketed: boolean;
  /** Whether a match that begins at this index counts; all do when absent. */
  readonly accepts?: (first: number) => boolean;
}

/** The pieces `[first, last)` match. */
export interface Match {
  readonly phrase: number;
  readonly first: number;
  readonly last: number;
}

export interface Matches {
  readonly matches: readonly Match[];
  /** 1 for each phrase that stands anywhere, also where a longer one covers it. */
  readonly found: Uint8Array;
  /** 1 for each bracketed phrase that stands at too many places to mean one; none of them is reported. */
  readonly tooMany: Uint8Array;
}

/** A context that fits more places than this says nothing about which is meant. */
export const MOST_BRACKETED_PLACES = 1_000;

export function searchPhrases(phrases: readonly Sought[], pieces: Iterable<string>): Matches {
  const trie = new PhraseTrie();
  phrases.forEach((phrase, i) => {
    trie.add(phrase.pieces, i);
  });
  const ids = Int32Array.from(pieces, piece => trie.id(piece));
  const found = new Uint8Array(phrases.length);
  const places = new Int32Array(phrases.length);
  const matches: Match[] = [];
  for (let first = 0; first < ids.length; first++) {
    let longest = -1;
    let end = first;
    trie.walk(ids, first, (i, last) => {
      const phrase = phrases[i] as Sought;
      if (phrase.accepts !== undefined && !phrase.accepts(first)) return;
      found[i] = 1;
      if (!phrase.bracketed) {
        longest = i;
        end = last;
      } else if ((places[i] as number) <= MOST_BRACKETED_PLACES) {
        places[i] = (places[i] as number) + 1;
        matches.push({ phrase: i, first, last });
      }
    });
    if (longest >= 0) matches.push({ phrase: longest, first, last: end });
  }
  const tooMany = Uint8Array.from(places, count => (count > MOST_BRACKETED_PLACES ? 1 : 0));
  return { matches: matches.filter(match => tooMany[match.phrase] === 0), found, tooMany };
}
