/** If this fails, `route explain` would point at words that are not what the tagger is unsure of. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Head } from '../../src/core/tokens.ts';
import { CodePointIndex } from '../../src/text/code-points.ts';
import { decodeEntities } from '../../src/text/decode.ts';
import { doubtfulSpans } from '../../src/text/doubtful-spans.ts';
import { toWords, type Words } from '../../src/text/words.ts';
import { splitWords, trickyText } from './support.ts';

const HEADS: readonly Head[] = [{ task: 'symptom', threshold: 0.5, temperature: 1 }];
const logit = (p: number): number => Math.log(p / (1 - p));

function wordsOf(text: string, probabilities: readonly number[]): Words {
  const tokens = splitWords(text);
  return toWords(
    tokens,
    Float32Array.from(tokens.ids, (_, i) => logit(probabilities[i] ?? 0.001)),
    1,
  );
}

describe('doubtful spans', () => {
  it('are doubtful findings and probable misses, the largest share of the doubt first', () => {
    const text = 'severe chest pain\nnausea today 💊 rash';
    const spans = doubtfulSpans(
      new CodePointIndex(text),
      wordsOf(text, [0.4, 0.9, 0.8, 0.25, 0.001, 0.001, 0.99]),
      HEADS,
      0,
    );
    assert.deepEqual(
      spans.map(({ decided, text: words, start, end, probability, expectedErrors }) => [
        decided,
        words,
        start,
        end,
        probability.toFixed(3),
        expectedErrors.toFixed(3),
      ]),
      [
        ['missed', 'severe', 0, 6, '0.400', '0.400'],
        ['found', 'chest pain', 7, 17, '0.850', '0.300'],
        ['missed', 'nausea', 18, 24, '0.250', '0.250'],
        ['found', 'rash', 33, 37, '0.990', '0.010'],
      ],
    );
  });

  it('stand where they say in any text, and add up to the expected errors', () => {
    const probability = fc.double({ min: 0.02, max: 0.98, noNaN: true });
    fc.assert(
      fc.property(trickyText, fc.array(probability, { minLength: 200, maxLength: 200 }), (text, probabilities) => {
        const index = new CodePointIndex(text);
        const words = wordsOf(text, probabilities);
        const spans = doubtfulSpans(index, words, HEADS, 0);
        const points = [...text];
        for (const { start, end, text: shown } of spans) assert.equal(points.slice(start, end).join(''), shown);
        const { wrong = 0, missed = 0 } = decodeEntities(index, words, HEADS).tasks[0]?.evidence ?? {};
        const sum = spans.reduce((all, each) => all + each.expectedErrors, 0);
        assert.ok(Math.abs(sum - wrong - missed) < 1e-6, `${sum} of ${wrong + missed}`);
        const sizes = spans.map(each => each.expectedErrors);
        assert.deepEqual(
          sizes,
          [...sizes].sort((a, b) => b - a),
        );
      }),
    );
  });
});
