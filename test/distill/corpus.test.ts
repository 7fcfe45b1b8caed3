/** If this fails, a bad corpus row would be trained on or measured in silence. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readCorpus } from '../../src/distill/corpus.ts';
import { temporaryFolder } from '../support/temporary.ts';

const folder = temporaryFolder('corpus');
const row = (fields: object = {}): string =>
  JSON.stringify({
    id: 'a',
    split: 'dev',
    text: 'CANARY fever',
    entities: [{ start: 7, end: 12, type: 'symptom' }],
    ...fields,
  });
const mention = (start: number, end: number): object => ({ start, end, type: 'CANARY' });

describe('corpus', () => {
  it('gives the documents of one split', () => {
    writeFileSync(join(folder, 'good.jsonl'), `${row()}\n${row({ id: 'b', split: 'test' })}\n`);
    assert.deepEqual(
      readCorpus(folder, 'good.jsonl', 'test').map(each => each.id),
      ['b'],
    );
  });

  it('takes a mention up to the last code point, wherever a character has two units', () => {
    const entities = [mention(0, 1), mention(12, 13)];
    writeFileSync(join(folder, 'astral.jsonl'), `${row({ text: '😷CANARY feve😷', entities })}\n`);
    assert.deepEqual(readCorpus(folder, 'astral.jsonl', 'dev')[0]?.entities, entities);
  });

  it('names file, line and key of a bad row, and never its text', () => {
    const cases: readonly (readonly [RegExp, string])[] = [
      [/bad\.jsonl:2: entities\.0\.end/, row({ entities: [{ start: 0, end: 'x', type: 'CANARY' }] })],
      [/bad\.jsonl:2: split/, row({ split: 'CANARY' })],
      [/bad\.jsonl:2: row/, '{"text": "CANARY'],
      [/bad\.jsonl:2: entities\.0\.end: must be after start/, row({ entities: [mention(7, 7)] })],
      [/bad\.jsonl:2: entities\.1\.end: must be after start/, row({ entities: [mention(7, 12), mention(9, 8)] })],
      [/bad\.jsonl:2: entities\.1\.end: .* has 12 code points/, row({ entities: [mention(7, 12), mention(7, 13)] })],
      // 14 UTF-16 units
      [
        /bad\.jsonl:2: entities\.0\.end: .* has 13 code points/,
        row({ text: 'CANARY fever😷', entities: [mention(12, 14)] }),
      ],
    ];
    for (const [message, line] of cases) {
      writeFileSync(join(folder, 'bad.jsonl'), `${row()}\n${line}\n`);
      assert.throws(
        () => readCorpus(folder, 'bad.jsonl', 'dev'),
        (error: Error & { code?: string }) =>
          error.code === 'CORPUS_ROW_INVALID' && message.test(error.message) && !error.message.includes('CANARY'),
      );
    }
    assert.throws(() => readCorpus(folder, 'absent.jsonl', 'dev'), { code: 'CORPUS_MISSING' });
  });
});
