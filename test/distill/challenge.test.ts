/** If this fails, the challenge lines are read other than they are marked, or what the model card says of them no longer holds. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Parity, renderCard } from '../../src/distill/card.ts';
import {
  CHALLENGE_CATEGORIES,
  CHALLENGE_FILE,
  type ChallengeCategory,
  measureChallenge,
  readChallenge,
} from '../../src/distill/challenge.ts';
import type { Metrics } from '../../src/distill/evaluate.ts';
import type { Scored } from '../../src/distill/measure.ts';
import { Scorer } from '../../src/distill/score-documents.ts';
import { loadModel } from '../../src/model/manifest.ts';
import { CodePointIndex } from '../../src/text/code-points.ts';
import { directoryOf, SHIPPED, type Shipped } from '../support/model.ts';
import { temporaryFolder } from '../support/temporary.ts';

const path = join(temporaryFolder('challenge'), 'lines.txt');

describe('challenge lines', () => {
  it('are read with offsets in code points', () => {
    writeFileSync(path, 'unicode\t🤒 {symptom:Fever},\\n{medication:β-blocker}\\theld\ntrap\tseen in May\n');
    assert.deepEqual(readChallenge(path), [
      {
        id: 'challenge-1',
        split: 'test',
        source: 'unicode',
        text: '🤒 Fever,\nβ-blocker\theld',
        entities: [
          { start: 2, end: 7, type: 'symptom' },
          { start: 9, end: 18, type: 'medication' },
        ],
      },
      { id: 'challenge-2', split: 'test', source: 'trap', text: 'seen in May', entities: [] },
    ]);
  });

  it('are refused by file and line where the marking is wrong, and never quoted', () => {
    const cases: readonly (readonly [RegExp, string])[] = [
      [/known category/, ''],
      [/known category/, 'CANARY\tseen'],
      [/known category/, 'trap CANARY'],
      [/brace/, 'trap\t{symptom:CANARY'],
      [/brace/, 'trap\tCANARY} seen'],
      [/brace/, 'trap\t{symptom:CANARY {disease:flu}}'],
      [/known task/, 'trap\t{CANARY}'],
      [/known task/, 'trap\t{procedure:CANARY}'],
      [/empty/, 'trap\tCANARY {symptom:}'],
      [/space at its ends/, 'trap\t{symptom:CANARY }'],
      [/touch/, 'trap\t{symptom:CANARY}{symptom:CANARY}'],
      [/backslash/, 'trap\tCANARY\\x'],
      [/no text/, 'trap\t '],
    ];
    for (const [message, line] of cases) {
      writeFileSync(path, `trap\tseen in May\n${line}\n`);
      assert.throws(
        () => readChallenge(path),
        (error: Error & { code?: string }) =>
          error.code === 'CORPUS_ROW_INVALID' &&
          error.message.startsWith('lines.txt:2: ') &&
          message.test(error.message) &&
          !error.message.includes('CANARY'),
        `${message} for ${line}`,
      );
    }
  });

  it('hold what they are for: every task and category, and many lines with nothing to find', () => {
    const documents = readChallenge();
    assert.ok(documents.length >= 150);
    assert.ok(documents.filter(({ entities }) => entities.length === 0).length >= 40);
    assert.equal(new Set(documents.map(({ text }) => text)).size, documents.length, 'no line twice');
    for (const task of ['medication', 'disease', 'symptom'])
      assert.ok(documents.filter(({ entities }) => entities.some(({ type }) => type === task)).length >= 55, task);
    for (const category of CHALLENGE_CATEGORIES)
      assert.ok(documents.filter(({ source }) => source === category).length >= 12, category);
  });

  it('have at each span the very text that is marked', () => {
    const marked = [...readFileSync(CHALLENGE_FILE, 'utf8').matchAll(/\{(\w+):([^}]+)\}/g)];
    const read = readChallenge().flatMap(({ text, entities }) =>
      entities.map(({ type, start, end }) => [type, new CodePointIndex(text).slice(start, end)]),
    );
    assert.ok(read.length > 250);
    assert.deepEqual(
      read,
      marked.map(([, type, mention]) => [type, mention]),
    );
  });
});

/** Somewhat below what was measured, over the three tasks together: a broken part costs far more. */
const FLOORS: Readonly<Record<Shipped, { token: number; exact: number }>> = {
  'notes-minilm': { token: 0.87, exact: 0.83 },
  'notes-minilm-fast': { token: 0.86, exact: 0.83 },
};

/** Int8 sums are exact, what lies between them is float: on another processor a word next to its threshold may fall to either side. */
const NEAR = 0.01;

for (const name of SHIPPED)
  describe(`${name} on the challenge lines`, () => {
    const { parity, ...metrics } = JSON.parse(
      readFileSync(join(directoryOf(name), 'metrics.json'), 'utf8'),
    ) as Metrics & {
      parity: Parity;
    };
    const model = loadModel(directoryOf(name));

    it('is above its floors and gives the recorded figures again', async () => {
      const scorer = await Scorer.open(model, 'logits', 1);
      const { measures, categories } = measureChallenge(await scorer.score(readChallenge()), model);
      await scorer.stop();
      const all = categories.at(-1);
      assert.equal(all?.lines, readChallenge().length);
      const [token, exact] = [all.token?.f1 ?? 0, all.exact?.f1 ?? 0];
      const figures = `token F1 ${token.toFixed(3)}, exact ${exact.toFixed(3)}`;
      assert.ok(token > FLOORS[name].token && exact > FLOORS[name].exact, figures);
      assert.ok(token < 1, `${figures}: too good to be true`);

      const size = (each: ChallengeCategory) => [each.category, each.lines, each.mentions, each.emptyLines];
      assert.deepEqual(categories.map(size), metrics.challenge.categories.map(size));
      const near = (actual: Scored | null | undefined, recorded: Scored | null | undefined, what: string): void => {
        const apart = Math.abs((actual?.f1 ?? Number.NaN) - (recorded?.f1 ?? Number.NaN));
        assert.ok(apart <= NEAR, `${what}: ${actual?.f1}, recorded ${recorded?.f1}`);
      };
      const recorded = metrics.challenge.categories.at(-1);
      near(all.token, recorded?.token, 'all, token');
      near(all.exact, recorded?.exact, 'all, exact');
      assert.equal(measures.length, 3);
      for (const [i, measure] of measures.entries()) {
        assert.equal(measure.label, metrics.challenge.measures[i]?.label);
        near(measure.token, metrics.challenge.measures[i]?.token, measure.label);
      }
      assert.ok(Math.abs(all.emptyLinesMarked - (recorded?.emptyLinesMarked ?? Number.NaN)) <= 2, 'lines marked');
    });

    it('has a card that says what was recorded', () => {
      const section = (card: string): string =>
        card.slice(card.indexOf('## Challenge'), card.indexOf('## Calibration'));
      const committed = section(readFileSync(join(directoryOf(name), 'MODEL_CARD.md'), 'utf8'));
      assert.match(committed, /\| all \| \d{3} \|/);
      assert.equal(committed, section(renderCard(model, metrics, parity)));
    });
  });
