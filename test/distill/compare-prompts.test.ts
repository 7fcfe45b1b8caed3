/** If this fails, a prompt would be preferred by luck, or a dearer one without need. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { comparePrompts, type Measured, measureLabels } from '../../src/distill/compare-prompts.ts';
import type { CorpusDocument } from '../../src/distill/corpus.ts';
import type { Counts } from '../../src/evaluation/counts.ts';
import { TextTokenizer } from '../../src/model/tokenizer.ts';
import { MODEL_DIRECTORY } from '../support/model.ts';

/** Thirty documents with four words to find, of which so many are found in each. */
function finding(found: (document: number) => number): Measured {
  const counts: Counts[] = Array.from({ length: 30 }, (_, i) => ({ tp: found(i), fp: 0, fn: 4 - found(i) }));
  return { token: counts, exact: counts, relaxed: counts };
}

const version = (name: string, usdANote: number, measured: Measured) => ({ name, usdANote, measured });

describe('versions of a prompt', () => {
  it('are ranked by F1, and the cheaper is chosen where the best is not ahead beyond chance', () => {
    const versions = [
      version(
        'dear',
        3,
        finding(i => (i % 10 === 0 ? 4 : 3)),
      ),
      version(
        'middle',
        2,
        finding(() => 3),
      ),
      version(
        'cheap',
        1,
        finding(i => (i % 2 === 0 ? 1 : 2)),
      ),
    ];
    const { ranked, best, runnerUp, chosen } = comparePrompts(versions.toReversed());
    assert.deepEqual(
      ranked.map(each => each.name),
      ['dear', 'middle', 'cheap'],
    );
    assert.deepEqual([best, runnerUp?.name], ['dear', 'middle']);
    // three of thirty documents: a resample without any of them is not rare enough
    assert.deepEqual([runnerUp?.beyondChance, chosen.name], [false, 'middle']);
  });

  it('that are equal go to the cheaper, and one that is surely best is chosen whatever it costs', () => {
    const equal = comparePrompts([
      version(
        'dear',
        2,
        finding(() => 3),
      ),
      version(
        'cheap',
        1,
        finding(() => 3),
      ),
    ]);
    assert.deepEqual([equal.best, equal.chosen.name, equal.runnerUp?.beyondChance], ['cheap', 'cheap', false]);
    const sure = comparePrompts([
      version(
        'dear',
        2,
        finding(() => 4),
      ),
      version(
        'cheap',
        1,
        finding(() => 2),
      ),
    ]);
    assert.deepEqual([sure.best, sure.chosen.name, sure.runnerUp?.beyondChance], ['dear', 'dear', true]);
    const alone = comparePrompts([
      version(
        'only',
        1,
        finding(() => 1),
      ),
    ]);
    assert.deepEqual([alone.best, alone.chosen.name, alone.runnerUp], ['only', 'only', undefined]);
  });

  it('are measured on words, exact and overlapping mentions, gold types standing for the task', async () => {
    const tokenizer = new TextTokenizer(join(MODEL_DIRECTORY, 'tokenizer.json'));
    const gold: CorpusDocument = {
      id: 'd',
      split: 'dev',
      text: 'Chest pain and fever; takes aspirin.',
      entities: [
        { start: 0, end: 10, type: 'Sign' },
        { start: 15, end: 20, type: 'Finding' },
        { start: 28, end: 35, type: 'Drug' },
      ],
    };
    const labels = {
      ...gold,
      entities: [
        { start: 6, end: 10, type: 'symptom' },
        { start: 28, end: 35, type: 'other' },
      ],
    };
    const annotator = { name: 'a', documents: new Map([['d', labels]]) };
    const measured = await measureLabels(tokenizer, [gold], annotator, new Map([['symptom', ['Sign', 'Finding']]]));
    assert.deepEqual(measured.get('symptom'), {
      token: [{ tp: 1, fp: 0, fn: 2 }],
      exact: [{ tp: 0, fp: 1, fn: 2 }],
      relaxed: [{ tp: 1, fp: 0, fn: 1 }],
    });
  });
});
