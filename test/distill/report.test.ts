/** If this fails, the report would show other figures than were measured, quote a note, or need something that is not in it. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { chromium } from 'playwright-core';
import { distillEvaluate, type EvaluateFlags } from '../../src/commands/distill-report.ts';
import { loadConfig } from '../../src/config.ts';
import { corpusHash } from '../../src/distill/corpus.ts';
import type { Metrics, SetResult } from '../../src/distill/evaluate.ts';
import { readCompared } from '../../src/distill/report/compared.ts';
import type { ReportFigures } from '../../src/distill/report/figures.ts';
import { pool, SMALLEST_GROUP } from '../../src/distill/report/groups.ts';
import { curveTable } from '../../src/distill/report/pictures.ts';
import { reliabilityOf } from '../../src/distill/report/trust.ts';
import { intervalRows } from '../../src/evaluation/svg.ts';
import { clinstream, type Result } from '../support/cli.ts';
import { MODEL_DIRECTORY } from '../support/model.ts';
import { browser } from '../support/needs.ts';
import { temporaryFolder } from '../support/temporary.ts';

type Measured = Pick<Metrics, 'data' | 'results'>;

interface Row {
  readonly id: string;
  readonly split: string;
  readonly source: string;
  readonly text: string;
  readonly entities: readonly { readonly start: number; readonly end: number; readonly type: string }[];
}

describe('groups of notes', () => {
  it('pools those that are too small, and loses no note', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.nat(12)), sizes => {
        const groups = Object.entries(sizes).map(([name, size]) => [name, Array<string>(size).fill(name)] as const);
        const pooled = pool(new Map(groups.filter(([, notes]) => notes.length > 0)));
        assert.equal(
          pooled.reduce((all, each) => all + each.notes.length, 0),
          groups.reduce((all, [, notes]) => all + notes.length, 0),
        );
        for (const { group, notes, pooled: parts } of pooled) {
          if (parts.length === 0) assert.ok(notes.length >= SMALLEST_GROUP && notes.every(each => each === group));
          else {
            assert.ok(parts.every(each => each.documents < SMALLEST_GROUP));
            assert.equal(
              parts.reduce((all, each) => all + each.documents, 0),
              notes.length,
            );
          }
        }
      }),
    );
  });
});

describe('reliability', () => {
  it('is what the words say, with a wider interval where fewer documents agree', () => {
    const bins = (inside: number) => [
      { count: 100, p: 5, inside: 5 },
      { count: 10, p: 8, inside },
      { count: 0, p: 0, inside: 0 },
    ];
    const { words, ece, bins: found } = reliabilityOf([bins(6), bins(10), bins(8)]);
    assert.equal(words, 330);
    assert.equal(ece, 0);
    assert.deepEqual(
      found.map(({ words: count, shareInside, interval }) => [count, shareInside, interval]),
      [
        [300, 0.05, { low: 0.05, high: 0.05 }],
        [30, 0.8, { low: 0.6, high: 1 }],
      ],
    );
    assert.ok(reliabilityOf([bins(2), bins(2)]).ece > 0.05);
  });
});

describe('pictures', () => {
  it('hold every point inside their frame, and text stays text', () => {
    const rows = [0, 0.31, 1].map(value => ({
      label: '<b>"x"',
      group: 'a & b',
      marks: [{ series: 0, value, interval: { low: Math.max(0, value - 0.2), high: Math.min(1, value + 0.2) } }],
    }));
    const svg = intervalRows('t', ['s'], rows);
    const [, width = 0] = /viewBox="0 0 (\d+)/.exec(svg)?.map(Number) ?? [];
    const xs = [...svg.matchAll(/ (?:cx|x1|x2)="([-\d.]+)"/g)].map(each => Number(each[1]));
    assert.ok(xs.length > 6 && xs.every(x => x >= 0 && x <= width));
    assert.ok(!svg.includes('<b>') && svg.includes('a &#38; b'));
  });
});

describe('distill evaluate --report', () => {
  const folder = temporaryFolder('report');
  const corpus = join(folder, 'corpus');
  const model = join(folder, 'model');
  const out = join(folder, 'out');
  const write = (file: string, documents: readonly object[]): void =>
    writeFileSync(join(corpus, file), documents.map(each => `${JSON.stringify(each)}\n`).join(''));
  const notes = readFileSync(resolve(import.meta.dirname, '../data/quality/teacher-dev.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Row);
  const retyped = (rows: readonly Row[], types: Readonly<Record<string, string>>): Row[] =>
    rows.map(row => ({
      ...row,
      entities: row.entities.flatMap(each => {
        const type = types[each.type];
        return type === undefined ? [] : [{ ...each, type }];
      }),
    }));
  const evaluate = (...args: string[]): Promise<Result> =>
    clinstream(['distill', 'evaluate', '--corpus', corpus, '--model', model, ...args]);
  const figures = (at = out): ReportFigures => JSON.parse(readFileSync(join(at, 'report.json'), 'utf8'));

  before(async () => {
    mkdirSync(join(corpus, 'gold'), { recursive: true });
    mkdirSync(join(corpus, 'teacher'));
    mkdirSync(join(corpus, 'text'));
    cpSync(MODEL_DIRECTORY, model, { recursive: true });
    const short = [...notes].sort((a, b) => a.text.length - b.text.length).slice(0, 16);
    const test = short.map(row => ({ ...row, split: 'test' }));
    write('teacher/notes.jsonl', [...test, ...short.slice(0, 2)]);
    write('gold/ncbi_disease.jsonl', retyped(test.slice(0, 3), { disease: 'DiseaseClass' }));
    write(
      'gold/maccrobat.jsonl',
      retyped(test.slice(3, 8), { medication: 'Medication', disease: 'Disease_disorder', symptom: 'Sign_symptom' }),
    );
    write('gold/bc5cdr.jsonl', retyped(test.slice(8, 10), { medication: 'Chemical', disease: 'Disease' }));
    write('gold/hpo_gsc.jsonl', retyped(test.slice(10, 12), { symptom: 'Phenotype' }));
    writeFileSync(
      join(corpus, 'text/mtsamples.jsonl.gz'),
      gzipSync(
        test
          .slice(0, 9)
          .map((row, i) => `${JSON.stringify({ id: row.id, noteType: i < 6 ? 'Urology' : 'Letters', text: '' })}\n`)
          .join(''),
      ),
    );
    // a teacher that agrees with the gold where it was asked: four documents of MACCROBAT, one of them under another text
    const labels = [...test.slice(3, 6), { ...(test[6] as Row), text: `${test[6]?.text} ` }];
    write('labels.jsonl', labels);
    const ran = await evaluate('--report', out, '--teacher', `same=${join(corpus, 'labels.jsonl')}`);
    assert.equal(ran.code, 0, ran.stderr);
  });

  it('shows what was measured, by kind of note too', () => {
    const metrics = JSON.parse(readFileSync(join(model, 'metrics.json'), 'utf8')) as Metrics;
    const { results, groupings, reliability, riskCurves, counts } = figures();
    assert.deepEqual(results, metrics.results);
    const byType = groupings.find(each => each.by === 'note type of mtsamples');
    assert.deepEqual(
      byType?.groups.map(({ group, documents, pooled }) => [group, documents, pooled.length]),
      [
        ['Urology', 6, 0],
        ['other', 3, 1],
      ],
    );
    assert.equal(
      groupings[0]?.groups.reduce((all, each) => all + each.documents, 0),
      16,
    );
    for (const { task, split, ece } of reliability) {
      const card = metrics.calibration.find(each => each.split === split)?.heads.find(each => each.task === task);
      assert.equal(ece, card?.ece);
    }
    for (const { task, byConfidence } of riskCurves) {
      const card = metrics.noteConfidence.find(each => each.task === task);
      assert.deepEqual([byConfidence.area, byConfidence.meanRisk], [card?.area, card?.meanRisk]);
    }
    assert.equal(counts.length, 5);
  });

  it('scores a teacher, and the model on just the documents that it labelled', () => {
    const [taught] = figures().taught;
    assert.deepEqual(
      taught?.sets.map(({ set, documents, of, otherText }) => [set, documents, of, otherText]),
      [['MACCROBAT', 3, 5, 1]],
    );
    const measures = taught?.sets[0]?.measures ?? [];
    assert.ok(measures.some(each => each.label === 'problem'));
    for (const { teacher, model: own, difference } of measures) {
      assert.equal(teacher.token.f1, 1);
      assert.equal(own.documents, 3);
      assert.ok(Math.abs(difference.token.difference - (own.token.f1 - 1)) < 1e-4);
    }
  });

  it('draws other models and a learning curve, on the same documents where their counts are known', async () => {
    cpSync(join(out, 'report.json'), join(folder, 'other.json'));
    const { data, ...undated } = figures();
    const known = data.filter(each => each.file !== 'gold/bc5cdr.jsonl');
    assert.deepEqual([known.length, known[0]?.sha256], [4, corpusHash(corpus, 'teacher/notes.jsonl')]);
    writeFileSync(join(folder, 'older.json'), JSON.stringify(undated));
    writeFileSync(join(folder, 'partly.json'), JSON.stringify({ ...undated, data: known }));
    const { code, stderr } = await evaluate(
      ...['--report', join(folder, 'second')],
      ...['--compare', `itself=${join(folder, 'other.json')}`, '--compare', `bare=${join(model, 'metrics.json')}`],
      ...['--compare', `older=${join(folder, 'older.json')}`],
      ...['--curve', `20=${join(folder, 'partly.json')}`, '--curve', `5=${join(folder, 'other.json')}`],
    );
    assert.equal(code, 0, stderr);
    const unknown = [...stderr.matchAll(/^evaluate: (.*) \(.*\): unknown whether by the same gold: (.*)$/gm)];
    assert.deepEqual(
      unknown.map(([, name, sets]) => [name, sets]),
      [
        ['older', 'Teacher notes, NCBI Disease, MACCROBAT, BC5CDR, HPO GSC'],
        ['20 %', 'BC5CDR'],
      ],
    );
    const page = readFileSync(join(folder, 'second/report.html'), 'utf8');
    assert.match(
      page,
      /older: \S+ \S+ [0-9a-f]{12}, unknown whether by the same gold: Teacher notes, .*, HPO GSC\.<\/p>/,
    );
    assert.match(page, /<p>20 %, unknown whether by the same gold: BC5CDR\.<\/p>/);
    const { compared, curve } = figures(join(folder, 'second'));
    assert.deepEqual(
      compared.map(each => [each.name, each.differences.length > 0]),
      [
        ['itself', true],
        ['bare', false],
        ['older', true],
      ],
    );
    for (const { token, exact } of compared[0]?.differences ?? []) {
      assert.deepEqual(token, { difference: 0, interval: { low: 0, high: 0 } });
      assert.equal(exact.difference, 0);
    }
    assert.deepEqual(
      curve.map(each => each.percent),
      [5, 20],
    );
  });

  it("measures the user's own gold beside the sets that it knows, in the output, the card, metrics and report", async () => {
    const own = retyped(notes.slice(0, 5), { medication: 'Drug', disease: 'Finding', symptom: 'Finding' });
    write('gold/mine.jsonl', [...own.slice(0, 3).map(row => ({ ...row, split: 'test' })), ...own.slice(3)]);
    const at = join(folder, 'third');
    const asked = ['--file', 'gold/mine.jsonl', '--task', 'medication=Drug', '--task', 'symptom=Finding'];
    const { code, stdout, stderr } = await evaluate('--report', at, ...asked);
    assert.equal(code, 0, stderr);
    assert.match(
      stdout,
      /^\*\*gold\/mine\.jsonl, test\*\* \(3 documents\)\n(\|?.*\n){3}\| medication \| .*\n\| symptom \| /m,
    );
    const card = readFileSync(join(model, 'MODEL_CARD.md'), 'utf8');
    assert.match(card, /^\| `gold\/mine\.jsonl` \| the user's own gold \| dev, test \|$/m);
    assert.match(card, /^\*\*gold\/mine\.jsonl, dev\*\* \(2 documents\)$/m);
    // of what it learnt from that is known, of the notes measured on it is not
    const rowsOfNotes = [...card.matchAll(/^\| Teacher notes \| (.*) \| (.*) \|$/gm)].map(([, from, uses]) => [
      from,
      uses,
    ]);
    assert.match(rowsOfNotes[0]?.[0] ?? '', /Claude\) under written guidelines/);
    assert.deepEqual(
      [rowsOfNotes[0]?.[1], rowsOfNotes[1]],
      ['train', ["the user's notes, labelled by teachers that the user chose", 'dev, test']],
    );
    const metrics = JSON.parse(readFileSync(join(model, 'metrics.json'), 'utf8')) as Metrics;
    const [measured] = metrics.results.filter(each => each.set === 'gold/mine.jsonl' && each.split === 'test');
    assert.deepEqual(
      measured?.measures.map(each => [each.label, each.documents, each.token.recall > 0.2]),
      [
        ['medication', 3, true],
        ['symptom', 3, true],
      ],
    );
    assert.ok(metrics.command.endsWith(asked.join(' ')), metrics.command);
    const { results, counts, command } = figures(at);
    assert.deepEqual(results, metrics.results);
    assert.equal(counts.at(-1)?.set, 'gold/mine.jsonl');
    assert.ok(command.includes(asked.join(' ')), command);
    assert.match(readFileSync(join(at, 'report.html'), 'utf8'), /<td>gold\/mine\.jsonl<\/td>/);
    const point = { percent: 5, ...readCompared('5 %', join(at, 'report.json')) };
    assert.match(curveTable([point]), /<td>gold\/mine\.jsonl<\/td><td>symptom<\/td><td>[.\d]+ \[/);
  });

  it('refuses what cannot be compared, before any work', async () => {
    const config = loadConfig({ env: {}, overrides: { model } });
    const said: string[] = [];
    const stderr = { write: (text: string) => said.push(text) } as never;
    const io = { stdin: process.stdin, stdout: process.stdout, stderr, env: {}, now: Date.now };
    const refused = (code: string, message: RegExp, flags: Partial<EvaluateFlags>): Promise<void> =>
      assert.rejects(distillEvaluate(config, { corpus, report: out, ...flags }, io), { code, message });
    const file = (name: string, path: string): ReadonlyMap<string, string> => new Map([[name, path]]);
    const changed = (name: string, change: (measured: Measured) => object): string => {
      const measured = JSON.parse(readFileSync(join(folder, 'third/report.json'), 'utf8')) as Measured;
      const path = join(folder, name);
      writeFileSync(path, JSON.stringify({ ...measured, ...change(measured) }));
      return path;
    };
    const committed = file('5', join(MODEL_DIRECTORY, 'metrics.json'));
    const fewer = changed('fewer.json', ({ results }) => {
      const [{ measures, ...set }, ...others] = results as [SetResult, ...SetResult[]];
      return {
        data: [],
        results: [{ ...set, measures: measures.map(each => ({ ...each, documents: 1 })) }, ...others],
      };
    });
    await refused('METRICS_INVALID', /^5 .*measured on 1 .*corpus directory has \d+/, { compare: file('5', fewer) });
    await refused('METRICS_INVALID', /^5 % .*corpus directory has/, { curve: file('5', fewer) });
    const corrected = changed('corrected.json', ({ data }) => ({
      data: data.map(each => (each.file === 'gold/bc5cdr.jsonl' ? { ...each, sha256: '0'.repeat(64) } : each)),
    }));
    const another = /measured on another gold\/bc5cdr\.jsonl \(sha-256 0{12}\) than the corpus directory has/;
    await refused('METRICS_INVALID', another, { compare: file('5', corrected) });
    await refused('METRICS_INVALID', another, { curve: file('5', corrected) });
    await refused('METRICS_INVALID', /another gold\/mine\.jsonl \(.*symptom=Finding\) than .*symptom=Drug/, {
      compare: file('5', join(folder, 'third/report.json')),
      file: 'gold/mine.jsonl',
      task: new Map([
        ['medication', ['Drug']],
        ['symptom', ['Drug']],
      ]),
    });
    await refused('METRICS_INVALID', /manifest\.json: model/, { curve: file('5', join(model, 'manifest.json')) });
    await refused('METRICS_INVALID', /ENOENT/, { compare: file('gone', join(folder, 'gone.json')) });
    await refused('CORPUS_MISSING', /gone\.jsonl/, { teacher: file('gone', join(folder, 'gone.jsonl')) });
    await refused('CONFIG_INVALID', /^--curve: 101 /, { curve: file('101', join(model, 'metrics.json')) });
    await assert.rejects(distillEvaluate(config, { corpus, compare: committed }, io), { code: 'CONFIG_INVALID' });
    const own = (path: string, types: string, task = 'disease'): Partial<EvaluateFlags> => {
      return { file: path, task: new Map([[task, [types]]]) };
    };
    await refused('CONFIG_INVALID', /^--task is of your own gold/, { task: new Map([['disease', ['Finding']]]) });
    await refused('CONFIG_INVALID', /say with --task TASK=TYPES/, { file: 'gold/mine.jsonl' });
    await refused('CONFIG_INVALID', /is measured unasked, as MACCROBAT/, own('gold/maccrobat.jsonl', 'Medication'));
    await refused('CONFIG_INVALID', /the model has no allergy/, own('gold/mine.jsonl', 'Drug', 'allergy'));
    await refused('CORPUS_MISSING', /^disease: no .* mention of type Fnding$/, own('gold/mine.jsonl', 'Fnding'));
    await refused('CORPUS_MISSING', /gone\.jsonl/, own('gold/gone.jsonl', 'Finding'));
    write(
      'gold/untested.jsonl',
      notes.slice(0, 2).map(row => ({ ...row, split: 'train' })),
    );
    await refused('CORPUS_MISSING', /has no dev or test document/, own('gold/untested.jsonl', 'disease'));
    assert.deepEqual(said, [], 'nothing was begun');
  });

  it('quotes no note', () => {
    const report = readFileSync(join(out, 'report.html'), 'utf8') + readFileSync(join(out, 'report.json'), 'utf8');
    const lines = notes.flatMap(each => each.text.split(/[\n.]/)).filter(each => each.trim().length > 12);
    assert.ok(lines.length > 100);
    assert.deepEqual(
      lines.filter(each => report.includes(each.trim())),
      [],
    );
  });

  const { path, skip } = browser();
  it('opens from the disk alone, in light and dark', { skip }, async () => {
    const chrome = await chromium.launch({ executablePath: path, args: ['--no-sandbox'] });
    try {
      const colours = [];
      for (const colorScheme of ['light', 'dark'] as const) {
        const tab = await chrome.newPage({ colorScheme });
        const asked: string[] = [];
        const said: string[] = [];
        tab.on('request', request => void asked.push(request.url()));
        tab.on('console', message => void said.push(message.text()));
        const url = pathToFileURL(join(folder, 'second', 'report.html')).href;
        await tab.goto(url);
        assert.deepEqual([asked, said], [[url], []]);
        assert.equal(await tab.locator('section').count(), 7);
        // scores, models, two groupings; reliability and risk of three heads; a panel for each served measure of the curve
        assert.equal(await tab.locator('svg[role=img]').count(), 4 + 6 + 6 + 9);
        assert.equal(await tab.locator('svg[role=img] .mark').first().isVisible(), true);
        assert.ok(!/NaN|undefined/.test(await tab.content()));
        colours.push(await tab.evaluate('getComputedStyle(document.body).backgroundColor'));
      }
      assert.notEqual(colours[0], colours[1]);
    } finally {
      await chrome.close();
    }
  });
});
