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
      leaks: [{ id: 'gate-0', share: 1, in: 1, trainId: 'train-1', file: 'gold/x.jsonl', most: 1 }],
      empty: 0,
      trainDocuments: 2,
    });
  });

  it('adds up what training documents have, each shingle once, and names the one that has most', () => {
    const note = words(107, 'w');
    const part = (from: number, to: number): string => note.slice(from, to).join(' ');
    // a hundred shingles: of 27 words twenty, of 37 thirty
    const halves = leaksOf([note.join(' ')], [part(0, 27), part(70, 107)]).leaks;
    assert.deepEqual(halves, [
      { id: 'gate-0', share: 0.5, in: 2, trainId: 'train-1', file: 'gold/x.jsonl', most: 0.3 },
    ]);
    assert.deepEqual(leaksOf([note.join(' ')], [part(0, 27), part(71, 107)]).leaks, [], 'a shingle less');
    assert.deepEqual(leaksOf([note.join(' ')], [part(0, 37), part(0, 47), part(10, 47)]).leaks, [], 'the same ones');
    assert.equal(leaksOf([note.join(' ')], [part(0, 40), part(0, 80), part(0, 60)]).leaks[0]?.trainId, 'train-1');
  });

  it('knows a note that was trained on in pieces, over several files', () => {
    const note = words(400, 'w');
    const file = (k: number) => ({
      file: `gold/${k}.jsonl`,
      documents: [{ id: `piece-${k}`, text: note.slice(k * 134, (k + 1) * 134).join(' ') }],
    });
    const { leaks } = findLeaks([{ id: 'whole', text: note.join(' ') }], [0, 1, 2].map(file), 0.5);
    assert.equal(leaks.length, 1);
    assert.ok(leaks[0]?.in === 3 && leaks[0].share > 0.95 && leaks[0].most < 0.33);
  });

  it('knows a document of fewer than eight words by all of them, and by nothing less', () => {
    const texts = ['No fever, no cough.', 'a b c d e f g', '—'];
    const { leaks, empty } = leaksOf(texts, ['NO FEVER\nno cough', 'a b c d e f g.', '…']);
    assert.deepEqual(
      leaks.map(each => [each.id, each.trainId, each.share]),
      [
        ['gate-0', 'train-0', 1],
        ['gate-1', 'train-1', 1],
      ],
    );
    assert.equal(empty, 1);
    assert.deepEqual(leaksOf(['No fever, no cough.'], ['No fever, no cough, no pain.', 'No fever.', '']).leaks, []);
    assert.deepEqual([shinglesOf('a b c d e f g h').size, shinglesOf('a b c d e f g h i').size], [1, 2]);
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
