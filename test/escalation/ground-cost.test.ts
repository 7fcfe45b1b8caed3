/**
 * If these fail, one long note or one hostile reply holds up everything behind it. Times are compared with that of cutting the same
 * text into pieces, in the same process: where that takes 1.5 ms, a ratio of 60 is 90 ms.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ground } from '../../src/escalation/ground.ts';
import { seeded } from '../../src/evaluation/bootstrap.ts';
import { toPieces } from '../../src/text/pieces.ts';

const QUOTES = 500;
const CHARACTERS = 100_000;

const random = seeded(5);
const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
const letters = 'abcdefghijklmnopqrstuvwxyz';
const vocabulary = Array.from({ length: 3_000 }, () =>
  Array.from({ length: 3 + Math.floor(random() * 9) }, () => pick([...letters])).join(''),
);
const words: string[] = [];
for (let length = 0; length < CHARACTERS; length += (words.at(-1) as string).length + 1) words.push(pick(vocabulary));
const NOTE = words.join(' ');
const PRESENT = Array.from({ length: QUOTES }, () => {
  const at = Math.floor(random() * (words.length - 3));
  return words.slice(at, at + 1 + Math.floor(random() * 3)).join(' ');
});

/**
 * Of several runs the fastest, since whatever else the machine does only makes them slower; yardstick and grounding take turns, so that
 * both see the same machine.
 */
function ratio(text: string, quotes: readonly string[], times = 7): { ratio: number; ms: number } {
  const given = quotes.map(quote => ({ text: quote }));
  let yardstick = Number.POSITIVE_INFINITY;
  let ms = Number.POSITIVE_INFINITY;
  for (let i = 0; i < times; i++) {
    const from = performance.now();
    toPieces(NOTE);
    const between = performance.now();
    ground(text, given);
    yardstick = Math.min(yardstick, between - from);
    ms = Math.min(ms, performance.now() - between);
  }
  return { ratio: ms / yardstick, ms };
}

const many = (quote: (i: number) => string): string[] => Array.from({ length: QUOTES }, (_, i) => quote(i));

describe('what grounding costs: 500 quotes on a note of 100 kB', () => {
  const ordinary: readonly [string, readonly string[]][] = [
    ['quotes that stand as they are', PRESENT],
    ['quotes in another case', PRESENT.map(quote => quote.toUpperCase())],
    ['misspelt quotes', PRESENT.map(quote => `${quote.slice(0, 5)}q${quote.slice(5)}`)],
    ['quotes that do not occur', many(i => `zz${i} nowhere to be found`)],
    ['quotes of which all but one word occur', PRESENT.map((quote, i) => `${quote} zz${i}`)],
    ['quotes as long as the note', many(i => NOTE.slice(i))],
  ];
  for (const [name, quotes] of ordinary) {
    it(name, t => {
      const { ratio: cost, ms } = ratio(NOTE, quotes);
      t.diagnostic(`${ms.toFixed(0)} ms, ${cost.toFixed(1)} × cutting the text`);
      assert.ok(cost < 60, `${cost.toFixed(1)} × cutting the text`);
    });
  }

  const hostile: readonly [string, (size: number) => string, readonly string[]][] = [
    ['one endless word', size => 'a'.repeat(size), many(i => 'a'.repeat((i % 199) + 1))],
    [
      'one word for ever, all quotes prefixes of each other',
      size => 'a '.repeat(size / 2),
      many(i => 'a '.repeat((i % 99) + 1)),
    ],
    [
      'one word for ever, all quotes wrong at the end',
      size => 'aaa '.repeat(size / 4),
      many(i => `${'aaa '.repeat((i % 45) + 1)}bbb`),
    ],
    [
      'words that all begin alike',
      size => alike(size).join(' '),
      alike(CHARACTERS)
        .slice(0, QUOTES)
        .map(word => `${word}zz`),
    ],
    [
      'brackets that fit everywhere',
      size => 'cold and cough '.repeat(size / 15),
      many(i => `[cold] and cough${' cold and cough'.repeat(i % 9)}`),
    ],
  ];
  for (const [name, text, quotes] of hostile) {
    it(`${name}: grows with the text, not with its square`, t => {
      const small = ratio(text(CHARACTERS / 4), quotes, 5);
      const large = ratio(text(CHARACTERS), quotes, 5);
      const growth = large.ratio / small.ratio;
      t.diagnostic(`${large.ms.toFixed(0)} ms; four times the text takes ${growth.toFixed(1)} times as long`);
      assert.ok(growth < 9, `four times the text takes ${growth.toFixed(1)} times as long`);
      assert.ok(large.ratio < 1_000, `${large.ratio.toFixed(0)} × cutting the text`);
    });
  }
});

function alike(size: number): string[] {
  return Array.from(
    { length: size / 10 },
    (_, i) => `abcd${[...i.toString(10).padStart(5, '0')].map(digit => letters[Number(digit)]).join('')}`,
  );
}
