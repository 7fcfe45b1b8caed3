/** If this fails, the card claims a perfect figure, or prints one that is none, where nothing was measured. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { calibrationOf } from '../../src/distill/calibrate.ts';
import { type Parity, renderCard } from '../../src/distill/card.ts';
import { describeMethod, runOf } from '../../src/distill/card-method.ts';
import type { Metrics } from '../../src/distill/evaluate.ts';
import { measurable } from '../../src/distill/measure.ts';
import { TEST_SETS } from '../../src/distill/test-sets.ts';
import { loadModel, type Manifest } from '../../src/model/manifest.ts';
import { directoryOf, MODEL_DIRECTORY, SHIPPED } from '../support/model.ts';

const model = loadModel(MODEL_DIRECTORY);
const committed = JSON.parse(readFileSync(join(MODEL_DIRECTORY, 'metrics.json'), 'utf8')) as Metrics & {
  parity: Parity;
};

describe('the model card', () => {
  it('has a dash where a head has no words to be measured on', () => {
    const { heads } = model.manifest;
    const [dev] = committed.calibration.filter(each => each.split === 'dev');
    assert.ok(dev !== undefined);
    const card = renderCard(
      model,
      {
        ...committed,
        calibration: [dev, { split: 'test', heads: calibrationOf([], heads) }],
        noteConfidence: heads.map(({ task }) => ({ task, area: Number.NaN, meanRisk: Number.NaN })),
      },
      committed.parity,
    );
    for (const { task } of heads) {
      assert.match(
        card,
        new RegExp(`^\\| ${task} \\| [\\d.]+ \\| [\\d.]+ \\| 0\\.\\d{4} \\| 0\\.\\d{4} \\| – \\| – \\|$`, 'm'),
      );
      assert.match(card, new RegExp(`^\\| ${task} \\| – \\| – \\|$`, 'm'));
    }
    assert.ok(!card.includes('NaN'));
  });

  it('says where notes and labels come from of those alone that the shipped models learnt from', () => {
    const OURS =
      /in English|Claude\) under written guidelines|on mtsamples|public transcriptions|from an LLM|guidelines split/;
    for (const name of SHIPPED) {
      const shipped = loadModel(directoryOf(name));
      const metrics = JSON.parse(readFileSync(join(directoryOf(name), 'metrics.json'), 'utf8')) as typeof committed;
      const rendered = renderCard(shipped, metrics, metrics.parity);
      const parts = (card: string): string[] => [
        ...card.split('\n', 4),
        card.slice(card.indexOf('## Intended use'), card.indexOf('To make it again')),
        card.slice(card.indexOf('Further: ')),
      ];
      assert.deepEqual(parts(rendered), parts(readFileSync(join(directoryOf(name), 'MODEL_CARD.md'), 'utf8')));
    }
    const { manifest } = model;
    const another = (data: Metrics['data']): Metrics['data'] =>
      data.map(each => (each.file === 'teacher/notes.jsonl' ? { ...each, sha256: 'f'.repeat(64) } : each));
    const { fitted: _, ...training } = manifest.training;
    const own = { ...training, data: another(training.data as Metrics['data']) };
    const cardOf = (of: object, metrics: Metrics): string =>
      renderCard({ ...model, manifest: { ...manifest, training: { ...training, ...of } } }, metrics, committed.parity);
    const theirs = "the user's notes, labelled by teachers that the user chose";
    const ownMeasured = { ...committed, data: another(committed.data) };
    const card = cardOf(own, ownMeasured);
    assert.doesNotMatch(card, OURS);
    assert.ok(card.includes(`\n| Teacher notes | ${theirs} | train, dev, test |\n`));
    const elsewhere = cardOf({}, ownMeasured);
    assert.match(elsewhere, /^\| Teacher notes \| labels by an LLM \(Claude\) .* \| train \|$/m);
    assert.ok(elsewhere.includes(`\n| Teacher notes | ${theirs} | dev, test |\n`));
    assert.match(elsewhere, /those learnt from are\s+public transcriptions/);
    assert.doesNotMatch(elsewhere, /on real\s+hospital notes/);
    const [set] = committed.results;
    assert.ok(set !== undefined);
    const beside = cardOf({}, { ...committed, results: [...committed.results, { ...set, set: 'gold/mine.jsonl' }] });
    assert.match(beside, /those learnt from are\s+public transcriptions/);
    assert.doesNotMatch(beside, /on real\s+hospital notes/);
  });

  it('says what a training began with, where that was no base as it is', () => {
    const { manifest } = model;
    const cardOf = (run: object): string => {
      const { start: _, layers: __, keptStart: ___, ...plain } = manifest.training.run as Record<string, unknown>;
      const training = { ...manifest.training, run: { ...plain, ...run } };
      return renderCard({ ...model, manifest: { ...manifest, training } }, committed, committed.parity).replaceAll(
        /\s+/g,
        ' ',
      );
    };
    const start = { name: 'other', version: '2.0.0', graph: 'f'.repeat(64) };
    const layers = { kept: 3, of: 6 };
    assert.doesNotMatch(cardOf({}), /It began with/);
    assert.doesNotMatch(cardOf({ start: null, layers: null }), /It began with/);
    assert.match(
      cardOf({ start, layers: null }),
      / It began with the weights of other 2\.0\.0, read back from its int8 graph\. /,
    );
    assert.match(
      cardOf({ start, layers }),
      / It began with 3 of 6 layers, evenly spread, of other 2\.0\.0, read back from its int8 graph\. /,
    );
    assert.doesNotMatch(cardOf({ start, layers: null }), /Every exported weight/);
    assert.match(
      cardOf({ start, layers: null, keptStart: 0.3 }),
      / Every exported weight is 0\.3 of other 2\.0\.0's and 0\.7 of the trained one \(.*; what 2\.0\.0 had learnt from is not said here/,
    );
    assert.match(cardOf({ layers }), / It began with 3 of 6 layers, evenly spread, of minilm\. /);
  });

  it('claims no labels and no heads but those that a training learnt from', () => {
    const { manifest } = model;
    const { start: _, softTeachers: __, softTeacher: ___, ...plain } = manifest.training.run as Record<string, unknown>;
    const trained = (by: string, more: object = {}): Manifest => {
      const run = { ...plain, labels: { by, share: 1, soft: false }, ...more };
      return { ...manifest, training: { ...manifest.training, run } };
    };
    const method = (of: Manifest): string => describeMethod(runOf(of));
    const start = { name: 'other', version: '2.0.0', graph: 'f'.repeat(64) };
    const alone = trained('teacher');
    assert.doesNotMatch(method(alone), /heads of its own|Of the human corpora/);
    assert.match(method(trained('both')), /Every corpus also has heads of its own\. .* Of the human corpora/);
    assert.match(method(trained('human')), /no label of a teacher was used\./);
    assert.doesNotMatch(method(trained('human', { start })), /no label of a teacher/);
    assert.match(method(trained('human', { start })), /beside what it began with and the models it learnt from\./);
    const measures = TEST_SETS.flatMap(each => each.measures);
    const labels = (of: Manifest): string[] => measurable(of, measures).map(({ label }) => label);
    assert.deepEqual(
      labels(alone).filter(label => label.includes('own head')),
      [],
    );
    assert.deepEqual(labels(trained('teacher', { start })), labels(manifest));
  });
});
