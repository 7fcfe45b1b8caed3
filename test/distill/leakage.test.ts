/** If this fails, a model is judged by what it was trained on and nobody knows, or honest documents are called copies. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { findLeaks, shinglesOf } from '../../src/distill/leakage.ts';

const words = (count: number, prefix: string): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`);
const leaksOf = (judging: readonly string[], training: readonly string[], share = 0.5) =>
  findLeaks(
    judging.map((text, i) => ({ id: `gate-${i}`, text })),
    [{ file: 'gold/x.jsonl', documents: training.map((text, i) => ({ id: `train-${i}`, text })) }],
    share,
  );

describe('leakage', () => {
  it('knows a copy through another case, punctuation and layout', () => {
    const note = 'The patient denies chest pain, and takes metformin (500 mg) for type 2 diabetes.';
    const copy = 'THE PATIENT DENIES CHEST PAIN\r\nAND TAKES METFORMIN 500 MG... FOR TYPE 2 DIABETES';
    assert.deepEqual(leaksOf([note], ['Something else entirely, which is long enough to have shingles.', copy]), {
      leaks: [{ id: 'gate-0', trainId: 'train-1', file: 'gold/x.jsonl', share: 1 }],
      tooShort: 0,
      trainDocuments: 2,
    });
  });

  it('takes the share of one training document, not of all together', () => {
    const note = words(107, 'w');
    const part = (from: number, to: number): string => note.slice(from, to).join(' ');
    assert.equal(leaksOf([note.join(' ')], [part(0, 56), part(50, 107)]).leaks[0]?.share, 0.5);
    assert.deepEqual(leaksOf([note.join(' ')], [part(0, 56), part(51, 107)]).leaks, [], 'neither has half');
    assert.equal(leaksOf([note.join(' ')], [part(0, 40), part(0, 80), part(0, 60)]).leaks[0]?.trainId, 'train-1');
  });

  it('says nothing of fewer than eight words', () => {
    const { leaks, tooShort } = leaksOf(
      ['No fever, no cough.', 'a b c d e f g'],
      ['No fever, no cough.', 'a b c d e f g'],
    );
    assert.deepEqual([leaks, tooShort], [[], 2]);
    assert.equal(shinglesOf('a b c d e f g h').size, 1);
  });

  it('finds every embedded document and none that shares no run of eight words', () => {
    const word = fc.stringMatching(/^[a-z]{1,3}$/);
    const text = fc.array(word, { minLength: 8, maxLength: 60 }).map(each => each.join(' '));
    fc.assert(
      fc.property(text, text, text, (note, before, after) => {
        assert.equal(leaksOf([note], [`${before}\n${note}\n${after}`]).leaks[0]?.share, 1);
        const own = shinglesOf(note);
        const shared = shinglesOf(before).intersection(own).size / own.size;
        assert.equal(leaksOf([note], [before]).leaks.length, shared >= 0.5 ? 1 : 0);
        assert.equal(leaksOf([note.replace(/\S+/g, each => `${each}q`)], [note]).leaks.length, 0);
      }),
    );
  });

  it('reads words of any script', () => {
    const note = 'Пациент отрицает боль в груди и принимает метформин от диабета';
    assert.equal(leaksOf([note], [note.toUpperCase()]).leaks.length, 1);
  });
});
