/** If this fails, a workload is not made of the notes that it claims, or two of its notes cannot be told apart. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sourceOf, WORKLOADS } from '../../src/benchmark/workloads.ts';
import { seeded } from '../../src/evaluation/bootstrap.ts';
import { note } from '../contract/corpus.ts';

const PARAGRAPH = 'The patient was seen for a follow-up of hypertension, and says that lisinopril is taken every day. ';
const NOTES = [1, 2, 3].map(i => note(i, { text: `${PARAGRAPH}${i}\n\nshort\n\n${PARAGRAPH.repeat(4)}` }));

describe('workloads', () => {
  for (const workload of WORKLOADS) {
    it(`${workload}: every note has an id of its own`, () => {
      const next = sourceOf(workload, NOTES, seeded(1));
      const ids = Array.from({ length: 500 }, () => next().noteId);
      assert.equal(new Set(ids).size, 500);
    });
  }

  it('short: paragraphs, and no scraps', () => {
    const next = sourceOf('short', NOTES, seeded(1));
    const texts = new Set(Array.from({ length: 20 }, () => next().text));
    assert.equal(texts.size, 4, 'three first paragraphs and one that all share');
    assert.ok([...texts].every(text => text.length > 80));
  });

  it('reports: whole notes, joined until they are as long as dictated reports', () => {
    const texts = NOTES.map(({ text }) => text);
    const { text } = sourceOf('reports', NOTES, seeded(1))();
    assert.ok(text.length >= 2_400 && text.length < 2_400 + PARAGRAPH.length * 6);
    assert.ok(texts.some(each => text.startsWith(each)));
  });

  it('pages: a hundred of 3,000 characters', () => {
    const { text } = sourceOf('pages', NOTES, seeded(1))();
    assert.ok(text.length >= 300_000 && text.length < 302_000);
  });

  it('mixed: few patients have most of the notes, and some notes are very long', () => {
    const next = sourceOf('mixed', NOTES, seeded(1));
    const notes = Array.from({ length: 4_000 }, next);
    const mine = notes.filter(({ patientId }) => patientId === 'patient-0').length;
    assert.ok(mine > 700 && mine < 1_100, `${mine} of the first patient`);
    const long = notes.filter(({ text }) => text.length > 100_000).length;
    assert.ok(long > 8 && long < 40, `${long} long ones`);
  });

  it('needs notes', () => assert.throws(() => sourceOf('notes', [], seeded(1))(), RangeError));
});
