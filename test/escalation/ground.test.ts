/** If these fail, an LLM's findings are marked at wrong places, or right ones are thrown away. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SIMILARITY_FLOOR } from '../../src/escalation/fuzzy.ts';
import { ground } from '../../src/escalation/ground.ts';
import { LONGEST_QUOTE } from '../../src/escalation/quote-form.ts';
import { PHRASES, plantedText, points, slice } from './planted.ts';

const quotesOf = (...texts: string[]) => texts.map(text => ({ text }));
const spans = (text: string, ...quotes: string[]) =>
  ground(text, quotesOf(...quotes)).placed.map(({ start, end }) => [start, end]);
const marked = (text: string, ...quotes: string[]) =>
  ground(text, quotesOf(...quotes)).placed.map(placed => placed.text);

describe('grounding, planted answers', () => {
  it('finds every occurrence of a quote that stands as it is, and nothing else', () => {
    fc.assert(
      fc.property(
        plantedText(phrase => fc.constant(phrase)),
        ({ text, planted }) => {
          const { placed, dropped, aligned } = ground(text, quotesOf(...PHRASES));
          assert.deepEqual(
            placed.map(({ start, end, alignment, similarity }) => ({ start, end, alignment, similarity })),
            planted.map(({ start, end }) => ({ start, end, alignment: 'exact', similarity: 1 })),
          );
          const present = new Set(planted.map(each => each.phrase)).size;
          assert.deepEqual(aligned, { exact: present, normalised: 0, fuzzy: 0 });
          assert.equal(dropped.length, PHRASES.length - present);
          assert.ok(dropped.every(each => each.reason === 'not-found'));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('finds what differs in case, spaces, hyphens, line ends and Unicode form only', () => {
    fc.assert(
      fc.property(plantedText(respelled), ({ text, planted }) => {
        const { placed, aligned } = ground(text, quotesOf(...PHRASES));
        const altered = planted.filter(({ phrase, start, end }) => slice(text, start, end) !== phrase);
        const exact = new Set(planted.filter(each => !altered.includes(each)).map(each => each.phrase));
        // a phrase that stands somewhere as quoted is marked as quoted only
        const wanted = planted.filter(each => !exact.has(each.phrase) || !altered.includes(each));
        assert.deepEqual(
          placed.map(({ start, end }) => ({ start, end })),
          wanted.map(({ start, end }) => ({ start, end })),
        );
        assert.equal(aligned.fuzzy, 0);
        for (const each of placed) assert.equal(each.text, slice(text, each.start, each.end));
      }),
      { numRuns: 300 },
    );
  });

  it('finds what is misspelt', () => {
    const long = PHRASES.filter(phrase => slipsOf(phrase).length > 0);
    const once = fc.constantFrom(...long).chain(phrase => plantedText(misspelt, [phrase]));
    fc.assert(
      fc.property(once, ({ text, planted }) => {
        fc.pre(new Set(planted.map(({ start, end }) => slice(text, start, end))).size === 1);
        const { placed } = ground(text, quotesOf(...long));
        assert.deepEqual(
          placed.map(({ start, end, alignment }) => ({ start, end, alignment })),
          planted.map(({ start, end }) => ({ start, end, alignment: 'fuzzy' })),
        );
        for (const { similarity } of placed) assert.ok(similarity >= SIMILARITY_FLOOR && similarity < 1);
      }),
      { numRuns: 300 },
    );
  });

  it('drops what does not occur in any form', () => {
    const foreign = fc.stringMatching(/^[bdgk]{3,12}( [bdgk]{3,12}){0,3}$/);
    fc.assert(
      fc.property(plantedText(respelled), fc.array(foreign, { maxLength: 20 }), ({ text }, quotes) => {
        const { placed, dropped } = ground(text, quotesOf(...quotes));
        assert.deepEqual(placed, []);
        assert.equal(dropped.length, quotes.length);
      }),
    );
  });
});

describe('grounding, any input', () => {
  const crumbs = fc.constantFrom(
    'a',
    'b',
    'ab',
    'A',
    ' ',
    '-',
    ',',
    '😀',
    '\u0301',
    '\r\n',
    'é',
    '患',
    '[',
    ']',
    '\u200b',
    '\ud800',
    '1',
  );
  const anything = (maxLength: number) => fc.array(crumbs, { maxLength }).map(parts => parts.join(''));

  it('keeps its promises about offsets, words, order and counts', () => {
    fc.assert(
      fc.property(anything(60), fc.array(anything(8), { maxLength: 12 }), (text, quotes) => {
        const { placed, dropped, aligned } = ground(text, quotesOf(...quotes));
        assert.equal(aligned.exact + aligned.normalised + aligned.fuzzy + dropped.length, quotes.length);
        const bracketed = quotes.some(quote => quote.includes('['));
        let last = 0;
        for (const { start, end, text: found } of placed) {
          assert.ok(start >= last && end > start && end <= points(text), 'in order, no overlap, inside the text');
          last = end;
          assert.equal(found, slice(text, start, end));
          if (!bracketed) assert.ok(!cutsWord(text, start) && !cutsWord(text, end), 'whole words');
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('agrees with the plain definition of an exact match, position by position', () => {
    const plain = fc
      .array(fc.constantFrom('x', 'b', 'xb', ' ', ',', '😀', 'é', '1'), { minLength: 1, maxLength: 40 })
      .map(parts => parts.join(''));
    const short = fc.array(fc.constantFrom('x', 'b', 'xb', ' ', ',', 'é', '1'), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(
        plain,
        fc.array(
          short.map(parts => parts.join('').trim()),
          { minLength: 1, maxLength: 6 },
        ),
        (text, quotes) => {
          const expected = new Uint8Array(points(text));
          const found = new Set<string>();
          for (const quote of quotes.filter(each => /[\p{L}\p{N}]/u.test(each))) {
            for (let start = 0; start + points(quote) <= points(text); start++) {
              const end = start + points(quote);
              if (slice(text, start, end) !== quote || cutsWord(text, start) || cutsWord(text, end)) continue;
              expected.fill(1, start, end);
              found.add(quote);
            }
          }
          const exact = quotes.filter(quote => found.has(quote));
          const { placed, aligned } = ground(text, quotesOf(...exact));
          const actual = new Uint8Array(points(text));
          for (const { start, end } of placed) actual.fill(1, start, end);
          assert.deepEqual(actual, expected);
          assert.equal(aligned.exact, exact.length);
          assert.equal(ground(text, quotesOf(...quotes)).aligned.exact, exact.length);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('grounding, settled cases', () => {
  it('marks only what brackets hold, only where the whole stands', () => {
    const text = 'a cold room. Denies cold and cough.';
    assert.deepEqual(spans(text, '[cold] and cough'), [[20, 24]]);
    assert.deepEqual(marked(text, '[cold] and [cough]'), ['cold', 'cough']);
    assert.deepEqual(spans('Denies COLD  and cough', '[cold] and cough'), [[7, 11]]);
    assert.deepEqual(marked('hypertension', 'hyper[tension]'), ['tension'], 'a bracket may cut a word');
    assert.deepEqual(marked('HYPERTENSION', 'hyper[tension]'), [], 'but only as quoted');
    assert.deepEqual(marked('name [redacted] here', '[redacted]'), ['[redacted]'], 'the note has the brackets itself');
    assert.deepEqual(marked('cold and coughing', '[cold] and cough'), []);
  });

  it('joins no words over a break that the quote has not, and those of a wrapped line', () => {
    const breaks = [
      '\n\n',
      '\r\n \t\r\n',
      '\r\r',
      '\n- ',
      '\r\n  \u2013 ',
      '\n-',
      ' \u2014 ',
      '\u00a0\u2013\u00a0',
      ' -- ',
    ];
    for (const each of breaks) {
      assert.deepEqual(marked(`chest${each}Pain`, 'chest pain'), [], JSON.stringify(each));
      assert.deepEqual(marked(`severe abdomnal${each}pain`, 'severe abdominal pain'), [], JSON.stringify(each));
      assert.deepEqual(marked(`chest${each}pain, chest  pain`, 'chest pain'), ['chest  pain'], JSON.stringify(each));
      assert.deepEqual(marked(`chest${each}pain`, `chest${each}pain`), [`chest${each}pain`], 'as it was quoted');
      assert.deepEqual(marked(`ABC COLD${each}and cough`, '[cold] and cough'), ['COLD'], 'a context may hold one');
      assert.deepEqual(marked(`ABC COLD${each}and cough`, '[cold and] cough'), []);
      const at = { start: 0, end: [...`chest${each}Pain`].length };
      assert.deepEqual(ground(`chest${each}Pain`, [{ text: 'chest pain', at }]).placed, []);
    }
    for (const each of ['\n', '\r\n', '\r', '\n   ', '-\n', ' - ', '\u2013', '\u2014', ' \u2011 '])
      assert.deepEqual(marked(`Chest${each}pain`, 'chest pain'), [`Chest${each}pain`], JSON.stringify(each));
  });

  it('never takes an abbreviation for a word', () => {
    assert.deepEqual(marked('all is well, she hears with aids', 'ALL', 'AIDS'), []);
    assert.deepEqual(marked('ALL in remission', 'ALL'), ['ALL']);
    assert.deepEqual(marked('Rash and RASH', 'rash'), ['Rash', 'RASH']);
  });

  it('never bends what carries meaning', () => {
    const never: readonly [string, string][] = [
      ['type 2 diabetes mellitus', 'type 1 diabetes mellitus'],
      ['hyperparathyroidism was found', 'hypoparathyroidism'],
      ['limited hip abduction of the lower extremity', 'limited hip adduction of the lower extremity'],
      ['pain and swelling in the left shoulder joint', 'pain and swelling in the right shoulder joint'],
      ['chronic severe wrist pain at night', 'chronic severe waist pain at night'],
      ['no evidence of pneumonia in the lungs', 'some evidence of pneumonia in the lungs'],
      ['a typical migraine headache', 'atypical migraine headache'],
      ['L4-L5 disc herniation with stenosis', 'L3-L4 disc herniation with stenosis'],
      ['normal sinus rhythm on telemetry', 'abnormal sinus rhythm on telemetry'],
      ['breath shortness', 'shortness breath'],
      ['history of chronic hepatitis B', 'chronic hepatitis A'],
      ['V-fib arrest in the field', 'A-fib arrest in the field'],
      ['acute aortic dissection Stanford type B', 'acute aortic dissection Stanford type A'],
      ['cirrhosis Child-Pugh class C', 'cirrhosis Child-Pugh class A'],
      ['progressive dysphasia since May', 'progressive dysphagia'],
      ['distal urethral stricture', 'distal ureteral stricture'],
      ['severe hyperkalemia on admission', 'severe hypercalcemia on admission'],
      ['closed gastrostomy site', 'closed gastrotomy site'],
    ];
    for (const [text, quote] of never) assert.deepEqual(marked(text, quote), [], quote);
  });

  it('cuts no number', () => {
    const cases: readonly [string, string, readonly string[]][] = [
      ['Fever of 101 on Monday, fever of 101.4 on Tuesday.', 'fever of 101', ['Fever of 101']],
      ['Mon 5 mg warfarin, Tue 2.5 mg warfarin', '5 mg warfarin', ['5 mg warfarin']],
      ['metformin 1,000 mg daily', 'metformin 1', []],
      ['BP 120/80', 'BP 120', []],
      ['vitamin B1, 6 and B12.', 'vitamin B1', ['vitamin B1']],
      ['fever of 101.', 'fever of 101', ['fever of 101']],
    ];
    for (const [text, quote, wanted] of cases) {
      const found = marked(text, quote);
      assert.deepEqual(found, wanted, quote);
    }
    const start = 'Tue 2.'.length;
    const quote = { text: '5 mg warfarin', at: { start, end: start + 13 } };
    assert.deepEqual(ground('Tue 2.5 mg warfarin', [quote]).dropped, [{ reason: 'misplaced', length: 13 }]);
  });

  it('takes any apostrophe for one', () => {
    for (const apostrophe of ['\u00b4', '`', '\u2019', '\u2032'])
      assert.deepEqual(marked(`has Crohn${apostrophe}s disease`, "Crohn's disease"), [`Crohn${apostrophe}s disease`]);
    assert.deepEqual(marked('a 5\u2033 laceration', '5" laceration'), ['5\u2033 laceration']);
  });

  it('forgives slips', () => {
    const forgiven: readonly [string, string, string][] = [
      ['history of hypertention.', 'hypertension', 'hypertention'],
      ['a fracture of the left distal radius', 'fracture of left distal radius', 'fracture of the left distal radius'],
      ['she has heart burn at night', 'heartburn', 'heart burn'],
      ['she has heartburn at night', 'heart burn', 'heartburn'],
      ['severe abdomnal pain; abdominal exam', 'severe abdominal pain', 'severe abdomnal pain'],
      ['two seizures', 'seizure', 'seizures'],
      ['severe throbbing headache today', 'a severe throbbing headache', 'severe throbbing headache'],
    ];
    for (const [text, quote, wanted] of forgiven) assert.deepEqual(marked(text, quote), [wanted], quote);
  });

  it('says why it dropped a quote, and never what it said', () => {
    const reasons = (text: string, ...quotes: string[]) => ground(text, quotesOf(...quotes)).dropped;
    assert.deepEqual(reasons('fever', '', ' … ', 'x'.repeat(LONGEST_QUOTE + 1), 'cough'), [
      { reason: 'empty', length: 0 },
      { reason: 'empty', length: 3 },
      { reason: 'too-long', length: LONGEST_QUOTE + 1 },
      { reason: 'not-found', length: 5 },
    ]);
    assert.deepEqual(reasons('bronchiecta and bronchiectb', 'bronchiectz'), [{ reason: 'ambiguous', length: 11 }]);
    assert.deepEqual(reasons('cold and cough, '.repeat(1_001), '[cold] and cough'), [
      { reason: 'ambiguous', length: 16 },
    ]);
  });

  it('marks no words that mention nothing by themselves', () => {
    const text = 'IT came of the flu, and of the OR; the A and the B.';
    const fillers = ['of', 'The', ' and, of the ', 'it'];
    assert.deepEqual(ground(text, quotesOf(...fillers)).placed, []);
    assert.deepEqual(
      ground(text, quotesOf(...fillers)).dropped.map(each => each.reason),
      Array(4).fill('filler'),
    );
    assert.deepEqual(marked(text, 'of the flu', 'OR'), ['of the flu', 'OR']);
  });

  it('makes one of what overlaps, and says how sure it is', () => {
    const text = 'chest pain radiating to left arm';
    assert.deepEqual(marked(text, 'chest pain', 'pain radiating to left arm', 'arm'), [text]);
    const { placed } = ground('worsening Chest pain radiating', quotesOf('chest pain', 'pain radiating'));
    assert.deepEqual(
      placed.map(({ start, end, alignment }) => ({ start, end, alignment })),
      [{ start: 10, end: 30, alignment: 'normalised' }],
    );
    assert.deepEqual(marked('left knee pain, pain', 'pain', 'left knee pain'), ['left knee pain', 'pain']);
  });

  it('believes offsets only where the text agrees', () => {
    const code = { system: 'X', code: '1', display: 'fever' };
    const at = (text: string, start: number, end: number) =>
      ground('😀 Fever, fever', [{ text, at: { start, end }, codes: [code] }]);
    assert.deepEqual(at('fever', 9, 14).placed, [
      { start: 9, end: 14, text: 'fever', alignment: 'exact', similarity: 1, codes: [code] },
    ]);
    assert.deepEqual(at('fever', 2, 7).placed[0]?.alignment, 'normalised');
    for (const [text, start, end] of [
      ['fever', 8, 13],
      ['feve', 9, 13],
      ['fever', 9, 99],
      ['fever', -1, 4],
      ['fever', 14, 9],
      ['fever', 8.5, 13.5],
    ] as const) {
      assert.deepEqual(at(text, start, end).dropped, [{ reason: 'misplaced', length: text.length }], `${start}-${end}`);
    }
  });
});

/** The definition, apart from the code under test: one word, or a letter and its mark, on both sides. */
function cutsWord(text: string, point: number): boolean {
  const before = slice(text, 0, point);
  const after = slice(text, point, points(text));
  if (/\S$/u.test(before) && /^\p{M}/u.test(after)) return true;
  const letter = /([\p{L}\p{N}])[[\p{M}\p{Cf}]--\u200b]*$/v.exec(before)?.[1];
  const next = /^[\p{Cf}--\u200b]*([\p{L}\p{N}])/v.exec(after)?.[1];
  return letter !== undefined && next !== undefined && !/\p{Script=Han}/u.test(letter + next);
}

function respelled(phrase: string): fc.Arbitrary<string> {
  const space = fc.constantFrom(' ', '  ', '\r\n', '-', ' - ', '\u2011', '\u00a0', '\u2013');
  const word = (text: string) =>
    fc.constantFrom(
      text,
      text.toUpperCase(),
      text[0]?.toUpperCase() + text.slice(1),
      text.normalize('NFD'),
      [...text].map(c => (/[a-z]/.test(c) ? String.fromCodePoint((c.codePointAt(0) as number) + 0xfee0) : c)).join(''),
      text.length > 3 ? `${text.slice(0, 2)}\u00ad${text.slice(2)}` : text,
    );
  const words = phrase.split(/[ -]/);
  return fc
    .tuple(fc.tuple(...words.map(word)), fc.array(space, { minLength: words.length, maxLength: words.length }))
    .map(([spelled, spaces]) => spelled.map((each, i) => (i === 0 ? each : `${spaces[i]}${each}`)).join(''));
}

/** Positions at which a slip may lie: beyond the fourth letter of a word of seven letters or more. */
function slipsOf(phrase: string): number[] {
  return [...phrase.matchAll(/[a-z]{7,}/g)].flatMap(({ index, 0: word }) =>
    Array.from({ length: word.length - 5 }, (_, i) => index + 4 + i),
  );
}

function misspelt(phrase: string): fc.Arbitrary<string> {
  const kinds = ['drop', 'double', 'swap', 'other'] as const;
  return fc.tuple(fc.constantFrom(...slipsOf(phrase)), fc.constantFrom(...kinds)).map(([at, kind]) => {
    const [head, letter, next, tail] = [phrase.slice(0, at), phrase[at], phrase[at + 1] ?? '', phrase.slice(at + 2)];
    if (kind === 'drop') return head + next + tail;
    if (kind === 'double') return `${head}${letter}${letter}${next}${tail}`;
    if (kind === 'swap' && letter !== next) return `${head}${next}${letter}${tail}`;
    return `${head}w${next}${tail}`;
  });
}
