/** If this fails, quotes of an annotator that follows the guideline do not come back as the mentions that it meant. */
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import { readCorpus } from '../../src/distill/corpus.ts';
import { ground } from '../../src/escalation/ground.ts';
import { scores, sum } from '../../src/evaluation/counts.ts';
import { exactCounts } from '../../src/evaluation/span-scores.ts';
import { CodePointIndex } from '../../src/text/code-points.ts';

describe('grounding the labels of real notes', () => {
  it('finds every mention again from its words alone, and hardly any that was not meant', t => {
    const documents = readCorpus(resolve(import.meta.dirname, '../data'), 'quality/teacher-dev.jsonl', 'dev');
    const counts = documents.flatMap(({ text, entities }) => {
      const index = new CodePointIndex(text);
      return ['medication', 'disease', 'symptom'].map(task => {
        const meant = entities.filter(each => each.type === task);
        const quotes = [...new Set(meant.map(({ start, end }) => index.slice(start, end)))].map(quote => ({
          text: quote,
        }));
        const { placed, dropped } = ground(text, quotes);
        assert.deepEqual(dropped, []);
        return exactCounts(meant, placed);
      });
    });
    const total = sum(counts);
    t.diagnostic(`${total.tp} mentions found again, ${total.fn} missed, ${total.fp} not meant`);
    assert.equal(total.fn, 0);
    // strings that were a mention in one place and not in another came with brackets, which the labels no longer have
    assert.ok(scores(total).precision > 0.98);
    assert.ok(total.tp > 500);
  });
});
