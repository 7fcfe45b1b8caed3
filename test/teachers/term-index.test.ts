/** If these fail, the dictionary's hash table answers otherwise than its terms do. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { TermIndex } from '../../src/teachers/term-index.ts';
import { toNormalWords } from '../../src/text/normal-words.ts';
import { toPieces } from '../../src/text/pieces.ts';

const WORDS = ['alpha', 'Beta', 'gamma', 'é', 'GDS', "'s", 'x,y', 'rashes', '1'];

/** The definition: at each word the longest term whose normal words stand there, then on behind it. */
function byDefinition(terms: readonly string[], text: string): string[] {
  const { words } = toNormalWords(toPieces(text));
  const cased = new Map(terms.map(term => [toNormalWords(toPieces(term)).words, term]));
  const found: string[] = [];
  for (let first = 0; first < words.length; ) {
    const here = [...cased].filter(([own]) => own.every((word, k) => words[first + k] === word));
    const longest = here.sort(([a], [b]) => b.length - a.length)[0];
    if (longest !== undefined) found.push(longest[1]);
    first += longest?.[0].length ?? 1;
  }
  return found;
}

describe('term index', () => {
  it('finds what comparing every term at every place finds', () => {
    const phrase = fc.array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 3 }).map(words => words.join(' '));
    const distinct = fc.uniqueArray(phrase, {
      maxLength: 12,
      selector: term => toNormalWords(toPieces(term)).words.join(' '),
    });
    const text = fc
      .array(fc.constantFrom(...WORDS, '-', '\r\n', '😀'), { maxLength: 30 })
      .map(words => words.join(' '));
    fc.assert(
      fc.property(distinct, text, (terms, given) => {
        const index = new TermIndex(Buffer.from(terms.map(term => `${term}\t\tR\n`).join('')));
        assert.equal(index.size, terms.length);
        const pieces = toPieces(given);
        const found = index.match(pieces, toNormalWords(pieces)).map(match => match.term.name);
        assert.deepEqual(found, byDefinition(terms, given));
      }),
      { numRuns: 1_000 },
    );
  });

  it('takes a plural for its singular, and capitals for an abbreviation only', () => {
    const index = new TermIndex(Buffer.from('Seizure\tS:1\tH\nMI\t\tR\npelvi\t\tR\n'));
    const found = (text: string) => {
      const pieces = toPieces(text);
      return index.match(pieces, toNormalWords(pieces)).map(match => [match.term.name, match.term.code]);
    };
    assert.deepEqual(found('seizures, seizure'), [
      ['Seizure', 'S:1'],
      ['Seizure', 'S:1'],
    ]);
    assert.deepEqual(found('mi amigo has an MI'), [['MI', '']]);
    assert.deepEqual(found('pelvis'), []);
  });
});
