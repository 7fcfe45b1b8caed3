/** If these fail, a long note's findings shift by its sections, count twice, or a word cut by a section's edge is marked in part. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ground } from '../../src/escalation/ground.ts';
import { groundNote } from '../../src/escalation/ground-note.ts';
import { PHRASES, plantedText, points, slice } from './planted.ts';

const quotes = PHRASES.map(text => ({ text }));

describe('grounding a note in sections', () => {
  it('gives what one section would, wherever the sections overlap enough', () => {
    const longest = Math.max(...PHRASES.map(points));
    const sectioned = fc
      .tuple(
        plantedText(phrase => fc.constant(phrase)),
        fc.integer({ min: 2 * longest + 2, max: 120 }),
      )
      .map(([{ text }, size]) => {
        const sections = [];
        const step = size - longest - 1;
        for (let start = 0; start === 0 || start < points(text) - longest - 1; start += step)
          sections.push({ start, end: Math.min(points(text), start + size) });
        return { text, sections };
      });
    fc.assert(
      fc.property(sectioned, ({ text, sections }) => {
        const whole = ground(text, quotes);
        const parts = groundNote(
          text,
          sections.map(section => ({ section, quotes })),
        );
        assert.deepEqual(parts.placed, whole.placed);
        const { exact, normalised, fuzzy } = parts.aligned;
        assert.equal(exact + normalised + fuzzy + parts.dropped.length, sections.length * quotes.length);
      }),
      { numRuns: 300 },
    );
  });

  it('marks no part of a word that an edge cuts', () => {
    const note = '😀 hypertension';
    const sections = [
      { section: { start: 0, end: 7 }, quotes: [{ text: 'hyper' }] },
      { section: { start: 7, end: 14 }, quotes: [{ text: 'tension' }] },
    ];
    assert.deepEqual(groundNote(note, sections).placed, []);
    const whole = groundNote(note, [{ section: { start: 2, end: 14 }, quotes: [{ text: 'hypertension' }] }]);
    assert.deepEqual(
      whole.placed.map(({ start, end }) => slice(note, start, end)),
      ['hypertension'],
    );
  });

  it('keeps the codes of each annotator offset, in offsets of the note', () => {
    const note = 'Ménière 😀 fever';
    const code = { system: 'HPO', code: 'HP:0001945', display: 'Fever' };
    const { placed } = groundNote(note, [
      { section: { start: 8, end: 15 }, quotes: [{ text: 'fever', at: { start: 2, end: 7 }, codes: [code] }] },
      { section: { start: 0, end: 15 }, quotes: [{ text: 'fever', at: { start: 10, end: 15 }, codes: [code] }] },
    ]);
    assert.deepEqual(placed, [{ start: 10, end: 15, text: 'fever', alignment: 'exact', similarity: 1, codes: [code] }]);
  });

  it('refuses a section outside the note', () => {
    assert.throws(() => groundNote('ab', [{ section: { start: 0, end: 3 }, quotes: [] }]), RangeError);
  });
});
