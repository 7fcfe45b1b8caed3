/**
 * If this fails, the way from teachers to a tagger that serves breaks somewhere between its commands. The teachers are emulated
 * (simulated labels: the demo's and the quality set's, worse by noise); everything after them is real, only small.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { loadModel } from '../../src/model/manifest.ts';
import { loadRouting } from '../../src/model/routing.ts';
import { geminiEmulator } from '../emulators/gemini.ts';
import { Gold, type GoldNote, readGold } from '../emulators/gold.ts';
import { openAiEmulator } from '../emulators/openai.ts';
import { clinstream, copyOfSources, rows } from '../support/cli.ts';
import { ROOT } from '../support/model.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { trainerPython } from '../support/trainer.ts';
import { KEY, MODELS, tidied } from '../teachers/support.ts';

const TASKS = ['medication', 'disease', 'symptom'];
const { skip } = trainerPython();
const folder = temporaryFolder('distill-train');
const data = join(ROOT, 'test/data');
/** The README's commands, in its order: what a person copies is what is tested. */
const COMMANDS = [
  ...readFileSync(join(ROOT, 'README.md'), 'utf8').matchAll(/^npm run -s clinstream -- (distill .* corpus .*)$/gm),
];
/** What makes a training of minutes one of seconds, and a model that has hardly learnt anything pass for one. */
const SHORTER: Readonly<Record<string, readonly string[]>> = {
  train: ['--layers', '2', '--steps-scale', '3', '--device', 'cpu', '--precision', 'fp16'],
  promote: ['--max-ece', '0.1', '--max-mb', '60'],
};

interface Row {
  readonly id: string;
  readonly split: string;
  readonly text: string;
  readonly entities: readonly { readonly start: number; readonly end: number; readonly type: string }[];
}

describe('from teachers to a tagger that serves (simulated teachers)', { skip, timeout: 900_000 }, () => {
  it("goes the README's way: annotate, select, fuse, train, evaluate, promote, and tag", async () => {
    const keyFrom = 'SIMULATED_KEY';
    const env = {
      CLINSTREAM_ESCALATION_TEACHERS: JSON.stringify(await emulatedTeachers(writeCorpus(), keyFrom)),
      CLINSTREAM_EGRESS_ALLOW: '127.0.0.1',
      CLINSTREAM_INFERENCE_WORKERS: '1',
      [keyFrom]: KEY,
    };
    assert.equal(COMMANDS.length, 10);
    const root = copyOfSources(join(folder, 'checkout'));
    const said: string[] = [];
    for (const [, line = ''] of COMMANDS) {
      const args = (line.match(/"[^"]*"|\S+/g) ?? []).map(word => word.replaceAll('"', ''));
      const name = args[1] as string;
      // figures of doubt go into the checkout of the program
      const where = { env, cwd: folder, ...(name === 'doubt' ? { root } : {}) };
      const { code, stdout, stderr } = await clinstream([...args, ...(SHORTER[name] ?? [])], where);
      assert.equal(code, 0, `${line}: ${stderr}`);
      said.push(stdout);
    }
    assert.match(said[0] as string, /labels\/gold\/o1-mini\.jsonl: 12 of 12 documents labelled, \$0\.\d+/);
    assert.match(said[1] as string, /^## symptom\n.*^Chosen: /ms);
    assert.match(said[4] as string, /40 train notes, \d{3,} mentions/);

    const card = read('runs/mine/model/MODEL_CARD.md');
    assert.ok((said[7] as string).startsWith('**Teacher notes, dev** (10 documents)'), said[7]);
    assert.ok(card.includes((said[7] as string).trim()), 'evaluate prints the scores of the card');
    assert.match(card, /a 2-layer BERT encoder \(MiniLM, 15\.5 million parameters\)/);
    assert.match(
      card,
      /Training on the teacher's notes alone; no human label was used\.\s+A mention's confidence was its\s+label/,
    );
    assert.match(card, /It\s+began\s+with\s+2\s+of\s+6\s+layers,\s+evenly\s+spread,\s+of\s+minilm\./);
    assert.doesNotMatch(card, /Claude\) under written guidelines|mtsamples|public transcriptions/);
    const made = JSON.parse(read('runs/mine/run.json')) as { labels: object; seed: number };
    assert.deepEqual(made.labels, { by: 'teacher', share: 1, soft: true });
    assert.match(read('runs/mine/curves.html'), /<svg [^>]*>.*dev F1.*<path class="line s0" d="M/s);
    const report = JSON.parse(read('runs/mine/report/report.json')) as { model: { name: string } };
    assert.equal(report.model.name, 'mine');

    const routing = loadRouting(loadModel(join(folder, 'runs/mine/model')));
    assert.deepEqual(Object.keys(routing?.tasks ?? {}), TASKS);

    const again = [
      'distill',
      'export',
      '--run',
      'runs/mine',
      '--out',
      'graphs',
      '--corpus',
      'corpus',
      '--precision',
      'int8',
    ];
    const exported = await clinstream(again, { env, cwd: folder });
    assert.equal(exported.code, 0, exported.stderr);
    assert.match(exported.stdout, /^Against the trained model on 10 windows .*^\| int8 \| \d+\.\d \| /ms);
    const graph = (of: string): Buffer => readFileSync(join(folder, of, 'model.int8.onnx'));
    assert.ok(graph('graphs').equals(graph('runs/mine/model')), 'the same run gives the same graph');

    const gates = said.at(-1) as string;
    assert.match(gates, /^pass {2}f1 symptom: token F1 \.[3-9]\d\d, at least [\d.]+, on 8 documents/m);
    assert.match(gates, /^pass {2}routing: escalation thresholds for medication, disease, symptom$/m);
    assert.match(gates, /^mine-1\.0\.0-[0-9a-f]{8} serves from now on/m);
    const note = 'The patient reports chest pain, nausea and fever.\n';
    const tagged = await clinstream(['tag', '--model', 'serving', '--format', 'jsonl'], {
      input: note,
      env,
      cwd: folder,
    });
    assert.equal(tagged.code, 0, tagged.stderr);
    const [answer] = rows<{ entities: { text: string; task: string }[] }>(tagged.stdout);
    assert.ok(
      answer?.entities.some(each => each.task === 'symptom' && each.text.includes('nausea')),
      tagged.stdout,
    );
  });

  it('goes on from what it made, and keeps the share of it that was asked for', async () => {
    const env = { CLINSTREAM_INFERENCE_WORKERS: '1' };
    const distill = (...args: string[]): ReturnType<typeof clinstream> =>
      clinstream(['distill', ...args, '--corpus', 'corpus'], { env, cwd: folder });
    const train = (...args: string[]): ReturnType<typeof clinstream> =>
      distill('train', '--run', 'runs/on', '--labels', 'teacher', '--max-steps', '3', '--device', 'cpu', ...args);
    const start = ['--start', 'runs/mine/model'];
    const kept = [...start, '--keep-start', '0.5'];
    for (const wrong of [kept.slice(2), [...kept, '--layers', '1']]) {
      const { code, stderr } = await train('--out', 'runs/on/model', ...wrong);
      assert.deepEqual([code, /--keep-start: needs --start/.test(stderr)], [2, true], stderr);
    }
    const onto = await train('--out', 'runs/mine/model', ...start);
    assert.deepEqual([onto.code, /--out: is read by --start/.test(onto.stderr)], [2, true], onto.stderr);

    const made = await train('--out', 'runs/on/model', '--name', 'on', ...kept);
    assert.equal(made.code, 0, made.stderr);
    const record = JSON.parse(read('runs/on/model/manifest.json')) as { training: { run: object } };
    assert.ok('keptStart' in record.training.run && record.training.run.keptStart === 0.5);
    assert.match(
      read('runs/on/model/MODEL_CARD.md'),
      /--keep-start\s+0\.5 .*--start mine-1\.0\.0\b.*weight\s+is\s+0\.5\s+of\s+mine/s,
    );
    const graphs: Buffer[] = [];
    for (const [name, share] of Object.entries({ half: '0.5', none: '0' })) {
      const { code, stderr } = await distill(
        ...['export', '--run', 'runs/on', '--out', name, '--precision', 'int8'],
        ...[...start, '--keep-start', share],
      );
      assert.equal(code, 0, stderr);
      graphs.push(readFileSync(join(folder, name, 'model.int8.onnx')));
    }
    const shipped = readFileSync(join(folder, 'runs/on/model/model.int8.onnx'));
    assert.deepEqual(
      graphs.map(each => each.equals(shipped)),
      [true, false],
    );
  });
});

/** So many documents as a quick training needs. @returns what the emulated teachers know. */
function writeCorpus(): GoldNote[] {
  const lines = read(join(data, 'quality/teacher-dev.jsonl')).split('\n').filter(Boolean);
  const gold = lines.slice(0, 20).map((line, i) => ({ ...(JSON.parse(line) as Row), split: i < 12 ? 'dev' : 'test' }));
  const files = { notes: join(data, 'demo/notes.jsonl'), labels: join(data, 'demo/labels.jsonl') };
  const labelled = new Set(rows<{ noteId: string }>(read(files.labels)).map(each => each.noteId));
  const held = new Set(gold.map(row => row.text));
  const unlabelled = rows<{ noteId: string; text: string }>(read(files.notes))
    .filter(note => labelled.has(note.noteId) && !held.has(note.text))
    .slice(0, 50)
    .map(({ noteId, text }, i) => ({ id: noteId, split: i < 40 ? 'train' : 'dev', text, entities: [] }));
  mkdirSync(join(folder, 'corpus/gold'), { recursive: true });
  write('mine', gold);
  write('unlabelled', unlabelled);
  return [...readGold(files), ...gold.map(quotesOf)];
}

function quotesOf({ text, entities }: Row): GoldNote {
  const points = Array.from(text);
  const quotes = (task: string) =>
    new Set(entities.filter(each => each.type === task).map(each => points.slice(each.start, each.end).join('')));
  return { text, quotes: Object.fromEntries(TASKS.map(task => [task, [...quotes(task)]])) };
}

/** The published method's by their names, each with faults of its own. */
async function emulatedTeachers(known: readonly GoldNote[], keyFrom: string): Promise<object[]> {
  const common = { apiKey: KEY, models: MODELS };
  const openAi = await tidied(openAiEmulator({ ...common, gold: new Gold(known, { drop: 0.3, seed: 1 }) }));
  const mini = await tidied(openAiEmulator({ ...common, gold: new Gold(known, { drop: 0.4, seed: 2 }) }));
  const gemini = await tidied(geminiEmulator({ ...common, gold: new Gold(known, { drop: 0.35, seed: 3 }) }));
  return [
    { name: 'gpt-4o', kind: 'openai', model: 'gpt-4o-2024-08-06', baseUrl: `${openAi.url}/v1`, keyFrom },
    { name: 'gpt-4o-mini', kind: 'openai', model: 'gpt-4o-mini-2024-07-18', baseUrl: `${mini.url}/v1`, keyFrom },
    { name: 'o1-mini', kind: 'openai', model: 'o1-mini-2024-09-12', baseUrl: `${openAi.url}/v1`, keyFrom },
    { name: 'gemini-1.5-flash', kind: 'gemini', model: 'gemini-1.5-flash-002', baseUrl: gemini.url, keyFrom },
  ];
}

function read(file: string): string {
  return readFileSync(resolve(folder, file), 'utf8');
}

function write(name: string, documents: readonly object[]): void {
  writeFileSync(join(folder, `corpus/gold/${name}.jsonl`), documents.map(row => `${JSON.stringify(row)}\n`).join(''));
}
