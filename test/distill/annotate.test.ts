/** If this fails, annotating a corpus costs more than its user allowed, or loses or mixes up labels on the way. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { type AnnotateOptions, annotate, type Labels } from '../../src/distill/annotate.ts';
import type { CorpusDocument } from '../../src/distill/corpus.ts';

const documentOf = (id: string): CorpusDocument => ({
  id,
  split: 'dev',
  text: `text of ${id}`,
  entities: [{ start: 0, end: 4, type: 'gold' }],
});
const LABELLED: Labels = { kind: 'labelled', spans: [{ start: 5, end: 7 }] };

/** @param costs what each document may cost at most, and does. */
async function run(costs: readonly (readonly [atMost: number, real: number])[], more: Partial<AnnotateOptions> = {}) {
  let spent = 0;
  const seen: string[] = [];
  const documents = costs.map((_, i) => documentOf(String(i)));
  const costOf = (document: CorpusDocument) => costs[Number(document.id)] as readonly [number, number];
  const annotations = await annotate({
    documents,
    tasks: ['symptom'],
    concurrency: 3,
    label: async document => {
      seen.push(document.id);
      await turn();
      spent += costOf(document)[1];
      return LABELLED;
    },
    atMostUsd: document => costOf(document)[0],
    spentUsd: () => spent,
    maxUsd: 0,
    onDone: () => {},
    ...more,
  });
  return { annotations, spent, seen };
}

describe('annotate', () => {
  it('gives the teacher’s labels for those of the corpus, in the order of the corpus', async () => {
    const { annotations } = await run(
      Array.from({ length: 7 }, () => [0, 0] as const),
      {
        tasks: ['disease', 'symptom'],
      },
    );
    assert.deepEqual(
      annotations.labelled.map(each => each.id),
      ['0', '1', '2', '3', '4', '5', '6'],
    );
    assert.deepEqual(annotations.labelled[0], {
      id: '0',
      split: 'dev',
      text: 'text of 0',
      entities: [
        { start: 5, end: 7, type: 'disease' },
        { start: 5, end: 7, type: 'symptom' },
      ],
    });
  });

  it('never spends more than the cap, says what is left, and reads what is free all the same', async () => {
    const cost = fc.tuple(fc.nat(20), fc.nat(20)).map(([a, b]) => [Math.max(a, b), Math.min(a, b)] as const);
    await fc.assert(
      fc.asyncProperty(
        fc.array(cost),
        fc.nat(60),
        fc.integer({ min: 1, max: 5 }),
        async (costs, maxUsd, concurrency) => {
          const { annotations, spent, seen } = await run(costs, { maxUsd, concurrency });
          assert.ok(spent <= maxUsd, `${spent} of ${maxUsd}`);
          assert.equal(annotations.labelled.length, seen.length);
          assert.equal(annotations.left, costs.length - seen.length);
          for (const [i, [atMost]] of costs.entries())
            assert.ok(atMost > 0 || seen.includes(String(i)), 'what is free is never left');
        },
      ),
    );
  });

  it('goes on until nothing more can be afforded, whoever held the money meanwhile', async () => {
    const { annotations, spent } = await run(
      Array.from({ length: 10 }, () => [10, 1] as const),
      { maxUsd: 15 },
    );
    assert.deepEqual([annotations.labelled.length, annotations.left, spent], [6, 4, 6]);
  });

  it('leaves out a document of which a task is undecided, and says why; out of money it is only left', async () => {
    const said: Record<string, Labels> = {
      'disease 1': { kind: 'undecided', reason: 'REPLY_UNUSABLE' },
      'symptom 2': { kind: 'out-of-money' },
    };
    const { annotations } = await run(
      Array.from({ length: 4 }, () => [0, 0] as const),
      { tasks: ['disease', 'symptom'], label: async ({ id }, task) => said[`${task} ${id}`] ?? LABELLED },
    );
    assert.deepEqual(
      [annotations.labelled.map(each => each.id), annotations.undecided, annotations.left],
      [['0', '3'], [{ id: '1', task: 'disease', reason: 'REPLY_UNUSABLE' }], 1],
    );
  });

  it('ends with the first failure, once what is under way has ended', async () => {
    let underWay = 0;
    const failing = run(
      Array.from({ length: 20 }, () => [0, 0] as const),
      {
        label: async ({ id }) => {
          underWay++;
          await turn();
          underWay--;
          if (id === '4') throw new Error('the key is wrong');
          return LABELLED;
        },
      },
    );
    await assert.rejects(failing, /the key is wrong/);
    assert.equal(underWay, 0);
  });
});
