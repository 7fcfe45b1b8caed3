/** If this fails, thresholds are fitted on notes that the test is made of, or notes are lost that have nothing to do with it. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fittingNotes, leftOutOf } from '../../src/distill/fitting-notes.ts';
import { temporaryFolder } from '../support/temporary.ts';

const words = (count: number, prefix: string): string =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}`).join(' ');
const piece = (text: string, from: number, to: number): string => text.split(' ').slice(from, to).join(' ');

/** Of `[id, split, text]`. */
function fitting(...notes: readonly (readonly [string, string, string])[]) {
  const corpus = temporaryFolder('fitting');
  mkdirSync(join(corpus, 'teacher'));
  const rows = notes.map(([id, split, text]) => `${JSON.stringify({ id, split, text, entities: [] })}\n`);
  writeFileSync(join(corpus, 'teacher/notes.jsonl'), rows.join(''));
  const { notes: kept, fitted } = fittingNotes(corpus);
  assert.deepEqual(leftOutOf([fitted, fitted], corpus), fitted.leftOut);
  assert.deepEqual(leftOutOf([fitted, undefined], corpus), [], 'one fit is not known');
  return { kept: kept.map(each => each.id), leftOut: fitted.leftOut };
}

describe('the notes that thresholds are fitted on', () => {
  it('are the dev notes, without one in which a test note stands', () => {
    const [asked, other] = [words(40, 'a'), words(40, 'b')];
    const test = ['t', 'test', asked] as const;
    const holding = ['holds', 'dev', `${other}\n${asked.toUpperCase()}\n${other}`] as const;
    const found = fitting(['d', 'dev', other], holding, test, ['r', 'train', asked]);
    assert.deepEqual(found, { kept: ['d'], leftOut: ['holds'] });
  });

  it('keep one that shares less than half of a test note', () => {
    // a test note of a hundred shingles: of 56 words it has 49
    const asked = words(107, 'a');
    assert.deepEqual(fitting(['d', 'dev', piece(asked, 0, 56)], ['t', 'test', asked]).leftOut, []);
    assert.deepEqual(fitting(['d', 'dev', piece(asked, 0, 57)], ['e', 'dev', 'x'], ['t', 'test', asked]).leftOut, [
      'd',
    ]);
  });

  it('lose no more of several that hold it together than is needed, those with most first', () => {
    const asked = words(107, 'a');
    const dev = (id: string, from: number, to: number) => [id, 'dev', piece(asked, from, to)] as const;
    const found = fitting(dev('some', 0, 37), dev('more', 30, 77), dev('little', 90, 107), ['t', 'test', asked]);
    assert.deepEqual(found, { kept: ['some', 'little'], leftOut: ['more'] });
  });

  it('are all of them where nothing is tested, and refused where none is left', () => {
    assert.deepEqual(fitting(['d', 'dev', 'one'], ['e', 'dev', 'two']), { kept: ['d', 'e'], leftOut: [] });
    const copy = words(20, 'a');
    assert.throws(() => fitting(['d', 'dev', copy], ['t', 'test', copy]), {
      code: 'CORPUS_MISSING',
      message: /holds no dev documents to fit on: test documents stand in all of them$/,
    });
    assert.throws(() => fitting(['t', 'test', copy]), {
      code: 'CORPUS_MISSING',
      message: /no dev documents to fit on$/,
    });
  });
});
