/** If this fails, teachers would be compared on different notes, or on different text. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readAnnotator, scorable, votesOn } from '../../src/distill/annotators.ts';
import { readRows } from '../../src/distill/corpus.ts';
import { TextTokenizer } from '../../src/model/tokenizer.ts';
import { MODEL_DIRECTORY } from '../support/model.ts';
import { temporaryFolder } from '../support/temporary.ts';

const folder = temporaryFolder('annotators');
const row = (id: string, type: string, fields: object = {}): object => ({
  id,
  split: 'dev',
  text: 'CANARY fever and rash',
  entities: [{ start: 7, end: 12, type }],
  ...fields,
});
const file = (name: string, ...rows: object[]): string => {
  const path = join(folder, `${name}.jsonl`);
  writeFileSync(path, rows.map(each => `${JSON.stringify(each)}\n`).join(''));
  return path;
};
const read = (name: string, ...rows: object[]) => readAnnotator(name, file(name, ...rows), 'dev');
const gold = readRows(file('gold', row('1', 'Sign'), row('2', 'Sign'), row('3', 'Other')), 'dev');
const whole = read('whole', row('1', 'symptom'), row('2', 'disease'), row('3', 'symptom'), row('9', 'symptom'));

function refuses(action: () => unknown, code: string, message: RegExp): void {
  assert.throws(action, (error: Error & { code?: string }) => {
    assert.equal(error.code, code);
    assert.match(error.message, message);
    assert.ok(!error.message.includes('CANARY'));
    return true;
  });
}

describe('annotators', () => {
  it('vote on the words of the gold documents', async () => {
    const tokenizer = new TextTokenizer(join(MODEL_DIRECTORY, 'tokenizer.json'));
    const cuts = read(
      'cuts',
      ...['1', '2', '3'].map(id => row(id, 'symptom', { entities: [{ start: 13, end: 20, type: 'symptom' }] })),
    );
    const tasks = new Map([
      ['symptom', ['Sign', 'Other']],
      ['disease', ['Sign']],
    ]);
    const voted = await votesOn(tokenizer, scorable(gold, [whole, cuts], false), [whole, cuts], tasks);
    const [first, second, third] = voted.get('symptom') ?? [];
    assert.deepEqual(Array.from(first?.gold ?? []), [0, 1, 0, 0]);
    // a word that a vote only touches is no vote for it
    assert.deepEqual(
      first?.votes.map(each => Array.from(each)),
      [
        [0, 1, 0, 0],
        [0, 0, 1, 0],
      ],
    );
    assert.deepEqual(Array.from(second?.votes[0] ?? []), [0, 0, 0, 0]);
    assert.deepEqual(Array.from(third?.gold ?? []), [0, 1, 0, 0]);
    assert.deepEqual(Array.from(voted.get('disease')?.[2]?.gold ?? []), [0, 0, 0, 0]);
  });

  it('have every document with the same text', () => {
    const fewer = read('fewer', row('2', 'symptom'));
    const other = read(
      'other',
      row('1', 'x'),
      row('2', 'x', { text: 'CANARY other' }),
      row('3', 'x', { split: 'test' }),
    );
    const message =
      /annotator fewer: of 3 documents 2 are missing and 0 have another text, first 1: .* leave them out by --covered$/;
    refuses(() => scorable(gold, [whole, fewer], false), 'ANNOTATIONS_INCOMPLETE', message);
    refuses(
      () => scorable(gold, [other], false),
      'ANNOTATIONS_INCOMPLETE',
      /1 are missing and 1 have another text, first 3$/,
    );
    refuses(
      () => scorable(gold, [other], true),
      'ANNOTATIONS_INCOMPLETE',
      /0 are missing and 1 have another text, first 2$/,
    );
    assert.deepEqual(
      scorable(gold, [whole, fewer], true).map(each => each.id),
      ['2'],
    );
    refuses(() => scorable(gold, [fewer, read('one', row('1', 'x'))], true), 'ANNOTATIONS_INCOMPLETE', /no document/);
  });

  it('are refused for a missing file, a bad row and a document that stands there twice', () => {
    refuses(() => readAnnotator('a', join(folder, 'absent.jsonl'), 'dev'), 'CORPUS_MISSING', /absent\.jsonl/);
    refuses(() => readAnnotator('a', folder, 'dev'), 'CORPUS_MISSING', /no file/);
    refuses(
      () => read('bad', row('1', 'x'), { ...row('2', 'x'), entities: 'CANARY' }),
      'CORPUS_ROW_INVALID',
      /bad\.jsonl:2: entities/,
    );
    refuses(
      () => read('twice', row('1', 'x'), row('1', 'x')),
      'CORPUS_ROW_INVALID',
      /annotator twice: two dev documents are 1$/,
    );
    refuses(() => scorable([...gold, ...gold], [whole], false), 'CORPUS_ROW_INVALID', /gold: two dev documents are 1$/);
  });
});
