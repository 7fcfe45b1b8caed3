/** If this fails, the score that decides what leaves the machine would be chosen by accident, or on the notes it is tested on. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { corpusHash } from '../../src/distill/corpus.ts';
import { choose, measureDoubt, renderRouting } from '../../src/distill/doubt.ts';
import { renderDoubt } from '../../src/distill/doubt-table.ts';
import type { WeighedNote } from '../../src/distill/judge-doubts.ts';
import { seeded } from '../../src/evaluation/bootstrap.ts';
import { loadModel } from '../../src/model/manifest.ts';
import { loadRouting, parseRouting, ROUTING_FILE } from '../../src/model/routing.ts';
import { Router } from '../../src/tagging/router.ts';
import { doubtScore } from '../../src/text/doubt-scores.ts';
import { EvidenceGatherer } from '../../src/text/evidence.ts';
import { changedModel } from '../support/changed-model.ts';
import { clinstream, copyOfSources } from '../support/cli.ts';
import { MODEL_DIRECTORY } from '../support/model.ts';
import { temporaryFolder } from '../support/temporary.ts';

/** Notes whose errors are what their word probabilities say, or the opposite of it. */
function notes(count: number, seed: number, errorsOf: (likely: number) => number): WeighedNote[] {
  const random = seeded(seed);
  return Array.from({ length: count }, () => {
    const gatherer = new EvidenceGatherer();
    const doubtful = Math.floor(random() * 6);
    for (let i = 0; i < 20; i++) gatherer.word(i < 10 ? 0.99 : i < 10 + doubtful ? 0.4 : 0.001, i < 10);
    for (let i = 0; i < 10; i++) gatherer.span(0.99 - random() / 1000);
    return { evidence: gatherer.evidence(), counts: { tp: 10, fp: 0, fn: errorsOf(doubtful) }, words: 20 };
  });
}

describe('choosing a doubt score', () => {
  it('takes one that sees the misses, for all tasks, where all agree', () => {
    const { byTask, meanRelativeArea, smallestByTask } = choose(
      new Map([
        ['a', notes(120, 1, doubtful => doubtful)],
        ['b', notes(120, 2, doubtful => 2 * doubtful)],
      ]),
    );
    assert.equal(byTask.a, byTask.b);
    assert.ok((meanRelativeArea['minimum-span'] as number) > 1.2, 'a score that sees no misses is far behind');
    assert.equal(meanRelativeArea[byTask.a as string], 1);
    assert.deepEqual(smallestByTask.a?.beyond, { low: 0, high: 0 });
  });

  it('leaves a task its own score where the common one is surely worse', () => {
    const { byTask } = choose(
      new Map([
        ['a', notes(300, 1, doubtful => doubtful)],
        ['b', notes(300, 2, doubtful => doubtful)],
        // where more words are doubtful, less is wrong: only scores that do not look there are any good
        ['odd', notes(300, 3, doubtful => 5 - doubtful)],
      ]),
    );
    assert.equal(byTask.a, byTask.b);
    assert.notEqual(byTask.odd, byTask.a);
  });
});

describe('measuring doubt', { timeout: 300_000 }, () => {
  const corpus = temporaryFolder('doubt');
  const source = readFileSync(resolve(import.meta.dirname, '../data/quality/teacher-dev.jsonl'), 'utf8');
  const rows = source
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as { id: string; split: string; entities: { type: string }[] });
  const write = (file: string, documents: readonly object[]): void => {
    writeFileSync(join(corpus, file), documents.map(each => `${JSON.stringify(each)}\n`).join(''));
  };
  const renamed = (types: Readonly<Record<string, string>>): object[] =>
    rows.slice(0, 3).map(row => ({
      ...row,
      entities: row.entities.map(each => ({ ...each, type: types[each.type] ?? each.type })),
    }));
  mkdirSync(join(corpus, 'gold'));
  mkdirSync(join(corpus, 'teacher'));
  write('gold/ncbi_disease.jsonl', renamed({ disease: 'DiseaseClass' }));
  write(
    'gold/maccrobat.jsonl',
    renamed({ medication: 'Medication', disease: 'Disease_disorder', symptom: 'Sign_symptom' }),
  );
  const measure = (model = MODEL_DIRECTORY, progress: (line: string) => void = () => {}) =>
    measureDoubt(loadModel(model), { corpusDirectory: corpus, workers: 2, progress });

  it('chooses and sets thresholds on dev notes only, and reports all sets', async () => {
    const [dev, test] = [rows.slice(8), rows.slice(0, 4).map(row => ({ ...row, split: 'test' }))];
    write('teacher/notes.jsonl', [...dev, ...test]);
    const { report, tasks } = await measure();
    assert.deepEqual(
      report.results.map(({ set, split, task }) => `${set} ${split} ${task}`),
      [
        ...['medication', 'disease', 'symptom'].map(task => `Teacher notes dev ${task}`),
        'NCBI Disease dev disease',
        ...['medication', 'disease', 'symptom'].map(task => `MACCROBAT dev ${task}`),
        ...['medication', 'disease', 'symptom'].map(task => `Teacher notes test ${task}`),
      ],
    );
    for (const { use, scores, notes: count, chosen, risk, best } of report.results) {
      assert.equal(count, use === 'test' ? 4 : use === 'choose' ? dev.length : 3);
      assert.ok(use === 'test' ? scores.length <= 2 : scores.length === 13);
      const area = scores.find(each => each.score === chosen)?.areas.f1Half ?? Number.NaN;
      assert.ok(area >= best.f1Half && risk < 0.5);
    }
    // other test notes, and a dev note that one of them is a copy of: nothing chosen may move
    const others = rows.slice(4, 8).map(row => ({ ...row, split: 'test' }));
    write('teacher/notes.jsonl', [...dev, ...rows.slice(4, 5), ...others]);
    const again = await measure();
    assert.deepEqual(again.tasks, tasks);
    assert.deepEqual(again.report.choice, report.choice);
    assert.deepEqual(
      [report, again.report].map(each => each.fitted.leftOut),
      [[], [rows[4]?.id]],
    );

    assert.deepEqual(report.missing, []);
    const files = ['teacher/notes.jsonl', 'gold/ncbi_disease.jsonl', 'gold/maccrobat.jsonl'];
    assert.deepEqual(
      again.report.data,
      files.map(file => ({ file, sha256: corpusHash(corpus, file) })),
    );
    assert.match(
      renderDoubt(report, { command: 'c', commit: 'c' }),
      /the teacher's dev notes; the other corpora have other guidelines; test was\nonly reported\.\nIn brackets/,
    );
    const routing = { format: 1 as const, model: report.model, tasks, measured: {} };
    assert.deepEqual(parseRouting(renderRouting(routing), 'r.json'), routing);
    for (const { score, rates } of Object.values(tasks)) {
      assert.equal(typeof doubtScore(score as 'balanced', new EvidenceGatherer().evidence()), 'number');
      assert.ok(rates.every(({ rate }) => Math.round(rate * dev.length) > 0));
    }
  });

  it('needs nothing but dev notes: a model that was made of them can escalate by what was measured', async () => {
    const own = temporaryFolder('doubt-own');
    mkdirSync(join(own, 'corpus/teacher'), { recursive: true });
    mkdirSync(join(own, 'corpus/gold'));
    const few = rows.slice(0, 10);
    const lines = (documents: readonly object[]): string => documents.map(each => `${JSON.stringify(each)}\n`).join('');
    writeFileSync(join(own, 'corpus/teacher/notes.jsonl'), lines(few));
    // the file is there, and not the split
    writeFileSync(join(own, 'corpus/gold/ncbi_disease.jsonl'), lines(few.map(row => ({ ...row, split: 'train' }))));
    const model = changedModel(join(own, 'model'), manifest => {
      manifest.name = 'mine';
    });
    rmSync(join(model, ROUTING_FILE));
    // figures go into the checkout of the program
    const root = copyOfSources(join(own, 'checkout'));
    const command = ['distill', 'doubt', '--corpus', join(own, 'corpus'), '--model', model, '--write'];
    const { code, stdout, stderr } = await clinstream(command, { root });
    assert.equal(code, 0, stderr);

    const missing = ['NCBI Disease dev', 'MACCROBAT dev', 'Teacher notes test'];
    for (const set of missing) assert.ok(stderr.includes(`doubt: ${set}: not in the corpus directory`), stderr);
    assert.ok(
      stdout.includes(
        `the teacher's dev notes.\nNot in the corpus directory, or of other tasks, so not measured: ${missing.join(', ')}.\n`,
      ),
    );
    assert.deepEqual(
      [...stdout.matchAll(/^## (.*)$/gm)].map(each => each[1]),
      ['medication', 'disease', 'symptom'].map(task => `Teacher notes, dev: ${task}`),
    );
    const figures = JSON.parse(readFileSync(join(root, 'benchmarks/results/risk-coverage@mine.json'), 'utf8'));
    const data = [{ file: 'teacher/notes.jsonl', sha256: corpusHash(join(own, 'corpus'), 'teacher/notes.jsonl') }];
    assert.deepEqual([figures.missing, figures.data], [missing, data]);

    const routing = loadRouting(loadModel(model));
    assert.deepEqual(routing?.measured.data, data);
    const rules = Object.fromEntries(
      ['medication', 'disease', 'symptom'].map(task => [task, { rate: 0.2, teachers: ['one'] }]),
    );
    const evidence = new EvidenceGatherer().evidence();
    const verdicts = new Router({ routing, rules }).judge({ tasks: [{ task: 'disease', evidence }] });
    assert.deepEqual(
      verdicts.map(({ task, threshold, escalates }) => [task, typeof threshold, escalates]),
      [['disease', 'number', false]],
    );
    assert.throws(() => new Router({ routing, rules: { disease: { rate: 0.01, teachers: ['one'] } } }), {
      code: 'ROUTE_INVALID',
      message: /measured are 0 and 0\.05 to 0\.5/,
    });
  });

  it('measures a model of other tasks by those that the notes have labels of, and says which they have not', async () => {
    const folder = temporaryFolder('doubt-tasks');
    const withTasks = (name: string, tasks: readonly string[]): string =>
      changedModel(join(folder, name), manifest => {
        for (const [index, head] of manifest.heads.entries()) head.task = tasks[index] as string;
      });
    write('teacher/notes.jsonl', rows.slice(8));
    const said: string[] = [];
    const { report, tasks } = await measure(withTasks('one', ['medication', 'device', 'procedure']), line => {
      said.push(line);
    });
    assert.deepEqual(Object.keys(tasks), ['medication']);
    assert.deepEqual(
      report.results.map(({ set, task }) => `${set} ${task}`),
      ['Teacher notes medication', 'MACCROBAT medication'],
    );
    assert.deepEqual(
      report.data.map(({ file }) => file),
      ['teacher/notes.jsonl', 'gold/maccrobat.jsonl'],
      'NCBI has labels of diseases alone',
    );
    assert.match(said.join('\n'), /NCBI Disease dev: the model has no task of it, so not measured/);
    assert.match(said.join('\n'), /device, procedure: teacher\/notes\.jsonl does not say, so no threshold/);
    assert.match(renderDoubt(report, { command: 'c', commit: 'c' }), /the first table,\nthe teacher's dev notes/);
    await assert.rejects(measure(withTasks('none', ['implant', 'device', 'procedure'])), {
      code: 'GATE_DATA_UNFIT',
      message: /the model none of these tasks \(implant, device, procedure\)/,
    });
  });

  it('refuses a corpus without dev notes', async () => {
    write(
      'teacher/notes.jsonl',
      rows.map(row => ({ ...row, split: 'train' })),
    );
    await assert.rejects(measure(), { code: 'CORPUS_MISSING', message: /no dev documents/ });
  });

  it('refuses a single dev note, of which no threshold can be chosen', async () => {
    write('teacher/notes.jsonl', rows.slice(0, 1));
    await assert.rejects(measure(), { code: 'CORPUS_MISSING', message: /two are needed/ });
  });
});
