/** If this fails, a published or simulated figure passes for a measured one, or a ratio says the wrong thing. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bytes, dollars, duration, significant, table } from '../../src/benchmark/format.ts';
import { compareReaders, type Reader } from '../../src/benchmark/llm-comparison.ts';
import { renderComparison } from '../../src/benchmark/llm-page.ts';
import { machinePrice, PUBLISHED, priceOfAnother, usdPerNote } from '../../src/benchmark/published.ts';

const own: Reader = {
  name: 'clinstream',
  provenance: 'measured',
  ...{ secondsPerNote: 0.02, secondsAlone: 0.05, usdPerNote: 1e-6, cost: 'machine', quality: [], about: {} },
};
const reader = (provenance: Reader['provenance'], more: Partial<Reader> = {}): Reader => ({
  ...own,
  name: `a ${provenance} one`,
  provenance,
  ...{ secondsPerNote: 1, secondsAlone: 1, usdPerNote: 0.01, cost: 'tokens' },
  ...more,
});

describe('readers beside each other', () => {
  it('are so many times slower and dearer', () => {
    const [first, second] = compareReaders(own, [reader('measured')]);
    assert.equal(first?.times, null);
    assert.equal(first?.notesPerSecond, 50);
    assert.deepEqual(second?.times, { secondsPerNote: 50, secondsAlone: 20, usd: 10_000 });
  });

  it('are not compared where the figures are an emulator’s, or nobody knows the cost', () => {
    const [, simulated, free] = compareReaders(own, [reader('simulated'), reader('measured', { usdPerNote: null })]);
    assert.equal(simulated?.times, null);
    assert.equal(free?.times?.usd, null);
  });

  it('have the ratios that the published abstract names', () => {
    const [bert, ...models] = PUBLISHED.systems;
    assert.ok(bert !== undefined && !bert.language);
    const ratios = models.map(({ seconds, usd }) => [Math.round(seconds / bert.seconds), Math.round(usd / bert.usd)]);
    assert.deepEqual(ratios, [
      [12, 85],
      [4, 101],
      [8, 2],
    ]);
  });

  it('cost what a machine costs', () => {
    // a dollar an hour, 100 notes a second: 360,000 notes for a dollar
    assert.ok(Math.abs(usdPerNote(1, 100) - 1 / 360_000) < 1e-15);
    assert.equal(machinePrice(0.3).usdPerHour, 0.3);
    assert.match(machinePrice().date ?? '', /^\d{4}-\d{2}-\d{2}$/);
  });

  it('warn where the list price is of another kind of processor, and not of a price that was given', () => {
    const listed = machinePrice();
    const here = `2 × AMD EPYC with ${listed.int8}, Node v24.21.0`;
    assert.deepEqual(priceOfAnother(listed, here), []);
    assert.match(
      priceOfAnother(listed, '2 × AMD EPYC with AVX-512 VNNI, Node v24.21.0').join(),
      /give the price of yours/,
    );
    assert.match(priceOfAnother(listed, '2 × AMD EPYC, Node v24.21.0').join(), /give the price of yours/);
    assert.deepEqual(priceOfAnother(machinePrice(0.3), '2 × AMD EPYC, Node v24.21.0'), []);
  });

  const pageOf = (readers: readonly Reader[], refused = 0): string =>
    renderComparison({
      ...{ command: 'c', commit: 'c', machine: 'm', model: { name: 'n', version: '1', sha256: 's' } },
      notes: { source: 'notes', count: 3, times: 2, rounds: 1, meanTokens: 500, refused, labelledBy: null },
      machinePrice: machinePrice(1),
      readers: compareReaders(own, readers),
      ...{ events: { noteBytes: 1, entitiesBytes: 1 }, serviceSeconds: [1, 2] },
    });

  it('say of how many notes their figures are, where others have those of more', () => {
    const readers = [3, 2].map(notes => reader('measured', { name: `one of ${notes}`, about: { notes } }));
    const all = pageOf(readers);
    assert.match(all, /\| one of 3 +\|/);
    assert.match(all, /\| one of 2 \(of 2 notes\) +\|/);
    assert.match(pageOf(readers, 1), /\| one of 2 +\|/, 'what the privacy gate refuses nobody read');
  });

  it('say in the table what they are', () => {
    const page = pageOf([reader('simulated'), reader('published')]);
    assert.match(page, /\| a simulated one +\| simulated +\| \(1\) /);
    assert.match(page, /\| a published one +\| published +\| 1 .*\| 50 × +\| 20 × +\| 10,000 × /);
    assert.match(page, /replayed and not measured here/);
    assert.match(page, /emulator on this machine/);
    assert.doesNotMatch(page, /Asked live/);
  });
});

describe('numbers', () => {
  it('have so many digits and no exponent', () => {
    assert.deepEqual(
      [1.234567, 0.000012345, 12_345, 0, 1e-9].map(each => significant(each)),
      ['1.23', '0.0000123', '12,300', '0', '0.000000001'],
    );
    assert.equal(dollars(0.000000513), '$0.000000513');
    assert.equal(duration(0.0123), '12 ms');
    assert.equal(duration(31.04), '31 s');
    assert.equal(bytes(123_456_789), '123 MB');
    assert.equal(bytes(0), '0 B');
  });

  it('stand in aligned tables', () =>
    assert.equal(table(['a', 'b'], [['long one', 'x']]), '| a        | b   |\n|----------|-----|\n| long one | x   |'));
});
