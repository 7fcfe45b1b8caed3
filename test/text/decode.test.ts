/** If this fails, an entity's text would not be what stands at its offsets, or a confidence would not be a probability. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Head } from '../../src/core/tokens.ts';
import { CodePointIndex } from '../../src/text/code-points.ts';
import { type Decoded, decodeEntities } from '../../src/text/decode.ts';
import { INSIDE, labelWords, MISSING, OUTSIDE, toWords } from '../../src/text/words.ts';
import { splitWords, trickyText } from './support.ts';

const HEADS: readonly Head[] = [
  { task: 'medication', threshold: 0.5, temperature: 1 },
  { task: 'symptom', threshold: 0.4, temperature: 1.5 },
];

/** @param inside for each word and head: the probability at temperature 1 as a logit. */
function decode(text: string, logits: (word: number, head: number) => number, heads = HEADS): Decoded {
  const tokens = splitWords(text);
  const rows = Float32Array.from({ length: tokens.ids.length * heads.length }, (_, i) =>
    logits(Math.floor(i / heads.length), i % heads.length),
  );
  return decodeEntities(new CodePointIndex(text), toWords(tokens, rows, heads.length), heads);
}

describe('decode', () => {
  it('gives entities whose text stands at their offsets, in any text', () => {
    fc.assert(
      fc.property(trickyText, fc.infiniteStream(fc.double({ min: -6, max: 6, noNaN: true })), (text, stream) => {
        const values = [...stream.take(400)];
        const { entities, tasks } = decode(text, (word, head) => values[(word * 2 + head) % 400] as number);
        const points = [...text];
        let last = 0;
        const ends = new Map<string, number>();
        for (const { task, start, end, text: mention, confidence } of entities) {
          assert.ok(start < end && start >= last);
          assert.equal(points.slice(start, end).join(''), mention);
          assert.ok(confidence > 0 && confidence < 1);
          assert.ok(start >= (ends.get(task) ?? 0), 'no overlap within a task');
          ends.set(task, end);
          last = start;
        }
        for (const { confidence } of tasks) assert.ok(confidence >= 0 && confidence <= 1);
      }),
    );
  });

  it('joins words on one line and splits a list', () => {
    const texts = (text: string): string[] =>
      decode(text, (_, head) => (head === 0 ? 3 : -3)).entities.map(each => each.text);
    assert.deepEqual(texts('insulin glargine'), ['insulin glargine']);
    assert.deepEqual(texts('aspirin\nmetoprolol\r\nzinc'), ['aspirin', 'metoprolol', 'zinc']);
    for (const end of ['\f', '\v', '\x85', '\u2028', '\u2029'])
      assert.deepEqual(texts(`aspirin${end}metoprolol`), ['aspirin', 'metoprolol'], JSON.stringify(end));
  });

  it('keeps an accent that the tokenizer dropped, and drops a mention of marks only', () => {
    const { entities } = decode('cafe\u0301 , x', word => (word < 2 ? 3 : -3), HEADS.slice(0, 1));
    assert.deepEqual(
      entities.map(each => [each.text, each.start, each.end]),
      [['cafe\u0301 ,', 0, 7]],
    );
    assert.deepEqual(decode(', x', word => (word === 0 ? 3 : -3)).entities, []);
  });

  it('falls in confidence for a doubtful finding and for a probable miss alike', () => {
    const confidence = (...logits: number[]): number =>
      (decode('a b c d', word => logits[word] as number, HEADS.slice(0, 1)).tasks[0] as { confidence: number })
        .confidence;
    const sure = confidence(8, -8, -8, -8);
    assert.ok(sure > 0.99);
    assert.ok(confidence(0.2, -8, -8, -8) < 0.75, 'doubtful finding');
    assert.ok(confidence(8, -0.2, -0.2, -8) < 0.75, 'probable misses');
    assert.ok(confidence(-8, -8, -8, -8) > 0.99, 'nothing there');
    assert.ok(confidence(-0.2, -0.2, -8, -8) < 0.35, 'nothing found where something may be');
    assert.equal(decode('', () => 0).tasks[0]?.confidence, 1);
  });

  it('takes the mean logit of a word’s pieces', () => {
    const tokens = { ...splitWords('ab cd ef'), words: Int32Array.of(0, 0, 1) };
    const words = toWords(tokens, Float32Array.of(1, 3, -5), 1);
    assert.deepEqual(
      [words.count, [...words.logits], [...words.starts], [...words.ends]],
      [2, [2, -5], [0, 6], [5, 8]],
    );
  });
});

describe('word labels', () => {
  it('call a word that a span cuts missing, not outside', () => {
    const tokens = splitWords('acetaminophen helps pain');
    const words = toWords(tokens, new Float32Array(3), 1);
    assert.deepEqual(
      [
        ...labelWords(words, [
          { start: 0, end: 5 },
          { start: 20, end: 24 },
        ]),
      ],
      [MISSING, OUTSIDE, INSIDE],
    );
    assert.deepEqual(
      [
        ...labelWords(words, [
          { start: 0, end: 5 },
          { start: 0, end: 13 },
        ]),
      ],
      [INSIDE, OUTSIDE, OUTSIDE],
    );
  });
});
