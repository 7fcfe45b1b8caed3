/** If this fails, a tagger is trained on other labels than those that its teachers gave and the selection chose. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Annotator } from '../../src/distill/annotators.ts';
import type { CorpusDocument } from '../../src/distill/corpus.ts';
import { type ChosenFusion, chosenFusions, fuseLabels, selectionSchema } from '../../src/distill/fuse-labels.ts';
import { select } from '../../src/distill/select.ts';
import type { Fusion } from '../../src/evaluation/fusion.ts';
import { TextTokenizer } from '../../src/model/tokenizer.ts';
import { MODEL_DIRECTORY } from '../support/model.ts';

const tokenizer = new TextTokenizer(join(MODEL_DIRECTORY, 'tokenizer.json'));
const text = 'Réports 💊 fever, chest pain\nand rash';
const span = (quote: string, type = 'symptom') => {
  const start = Array.from(text.slice(0, text.indexOf(quote))).length;
  return { start, end: start + Array.from(quote).length, type };
};
const note: CorpusDocument = { id: 'n', split: 'train', text, entities: [] };
const says = (name: string, ...quotes: string[]): Annotator => ({
  name,
  documents: new Map([['n', { ...note, entities: quotes.map(quote => span(quote)) }]]),
});
const annotators = [says('a', 'fever', 'chest pain'), says('b', 'fever', 'rash'), says('c', 'pain')];
const weights = { prior: 0, evidence: annotators.map(() => [-1, 1] as const) };
const fused = async (fusion: Fusion, names = ['a', 'b', 'c'], own: ChosenFusion['weights'] = weights) => {
  const chosen: ChosenFusion[] = [{ task: 'symptom', annotators: names, fusion, weights: own }];
  const [first] = await fuseLabels(tokenizer, [note], annotators, chosen);
  return first?.entities.map(each => [Array.from(text).slice(each.start, each.end).join(''), each.confidence]);
};

describe('labels of several teachers made into one', () => {
  it('keeps what the chosen fusion keeps, with how many teachers are for it', async () => {
    assert.deepEqual(await fused('union'), [
      ['fever', 0.667],
      ['chest pain', 0.5],
      ['rash', 0.333],
    ]);
    assert.deepEqual(await fused('vote'), [
      ['fever', 0.667],
      ['pain', 0.667],
    ]);
    assert.deepEqual(await fused('intersection', ['a', 'b']), [['fever', 1]]);
    assert.deepEqual(await fused('alone', ['c']), [['pain', 1]]);
  });

  it('weighs by what each vote has been worth', async () => {
    const trusted = {
      prior: -1,
      evidence: [
        [0, 0],
        [0, 0],
        [-1, 3],
      ] as const,
    };
    assert.deepEqual(await fused('weighted', ['a', 'b', 'c'], trusted), [['pain', 0.881]]);
  });

  it('never asks a teacher that was not chosen, and keeps tasks apart', async () => {
    const both: ChosenFusion[] = [
      { task: 'symptom', annotators: ['b'], fusion: 'alone', weights },
      { task: 'disease', annotators: ['a', 'c'], fusion: 'union', weights },
    ];
    const [first] = await fuseLabels(tokenizer, [note], annotators, both);
    assert.deepEqual(
      first?.entities.map(each => each.type),
      ['symptom', 'symptom'],
    );
    assert.deepEqual(
      first?.entities.map(each => each.confidence),
      [1, 1],
    );
  });

  it('reads back what select writes, each weight with its own annotator', () => {
    const gold = Uint8Array.from([1, 1, 0, 0, 1, 0, 0, 0]);
    const wrong = gold.map(label => 1 - label);
    const documents = Array.from({ length: 6 }, () => ({ gold, votes: [wrong, gold] }));
    const priced = ['wrong', 'right'].map(name => ({ name, cost: 1 }));
    const selection = { task: 'symptom', silent: ['mute'], ...select(documents, priced) };
    const written = JSON.stringify({ annotators: [{ name: 'mute' }, ...priced], tasks: [selection] });
    const [chosen] = chosenFusions(selectionSchema.parse(JSON.parse(written)));
    assert.deepEqual(chosen?.annotators, ['right']);
    const [outside, inside] = chosen?.weights.evidence[0] ?? [0, 0];
    assert.ok(inside > 0 && outside < 0, 'the weights of the one that is right');
    const cut = JSON.parse(written) as { tasks: { weights: { evidence: unknown[] } }[] };
    cut.tasks[0]?.weights.evidence.pop();
    assert.throws(() => chosenFusions(selectionSchema.parse(cut)), RangeError);
  });
});
