/**
 * If this fails, the way from teachers to a tagger that serves breaks somewhere between its commands. The teachers are emulated
 * (simulated labels: the demo's and the quality set's, worse by noise); everything after them is real, only small.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { geminiEmulator } from '../emulators/gemini.ts';
import { Gold, type GoldNote, readGold } from '../emulators/gold.ts';
import { openAiEmulator } from '../emulators/openai.ts';
import { clinstream, rows } from '../support/cli.ts';
import { ROOT } from '../support/model.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { trainerPython } from '../support/trainer.ts';
import { KEY, MODELS, tidied } from '../teachers/support.ts';

const TASKS = ['medication', 'disease', 'symptom'];
const { python, skip } = trainerPython();
const folder = temporaryFolder('distill-train');
const corpus = join(folder, 'corpus');
const data = join(ROOT, 'test/data');

interface Row {
  readonly id: string;
  readonly split: string;
  readonly text: string;
  readonly entities: readonly { readonly start: number; readonly end: number; readonly type: string }[];
}

/** Documents to train on, without labels, and gold ones to choose by: of either so many as a quick training needs. */
function writeCorpus(): GoldNote[] {
  const dev = readFileSync(join(data, 'quality/teacher-dev.jsonl'), 'utf8').split('\n').filter(Boolean).slice(0, 12);
  const gold = dev.map(line => JSON.parse(line) as Row);
  const labels = readFileSync(join(data, 'demo/labels.jsonl'), 'utf8');
  const labelled = new Set(
    labels
      .split('\n')
      .filter(Boolean)
      .map(line => (JSON.parse(line) as { noteId: string }).noteId),
  );
  const held = new Set(gold.map(row => row.text));
  const notes = readFileSync(join(data, 'demo/notes.jsonl'), 'utf8');
  const train = notes
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line) as { noteId: string; text: string })
    .filter(note => labelled.has(note.noteId) && !held.has(note.text))
    .slice(0, 40);
  mkdirSync(join(corpus, 'gold'), { recursive: true });
  const unlabelled = train.map(({ noteId, text }) => ({ id: noteId, split: 'train', text, entities: [] }));
  write('gold/unlabelled.jsonl', unlabelled);
  write('gold/gold.jsonl', gold);
  const quotesOf = ({ text, entities }: Row): GoldNote => {
    const points = Array.from(text);
    const quotes = (task: string) =>
      new Set(entities.filter(each => each.type === task).map(each => points.slice(each.start, each.end).join('')));
    return { text, quotes: Object.fromEntries(TASKS.map(task => [task, [...quotes(task)]])) };
  };
  const files = { notes: join(data, 'demo/notes.jsonl'), labels: join(data, 'demo/labels.jsonl') };
  return [...readGold(files), ...gold.map(quotesOf)];
}

function write(file: string, documents: readonly object[]): void {
  writeFileSync(join(corpus, file), documents.map(row => `${JSON.stringify(row)}\n`).join(''));
}

describe('from teachers to a tagger that serves (simulated teachers)', { skip, timeout: 600_000 }, () => {
  it('annotates, selects, fuses, trains, evaluates, promotes and tags', async () => {
    const known = writeCorpus();
    const common = { apiKey: KEY, models: MODELS };
    const [first, second] = await Promise.all([
      tidied(openAiEmulator({ ...common, gold: new Gold(known, { drop: 0.3, seed: 1 }) })),
      tidied(geminiEmulator({ ...common, gold: new Gold(known, { drop: 0.3, seed: 2 }) })),
    ]);
    const keyFrom = 'SIMULATED_KEY';
    const env = {
      CLINSTREAM_ESCALATION_TEACHERS: JSON.stringify([
        { name: 'mini', kind: 'openai', model: 'gpt-4o-mini-2024-07-18', baseUrl: `${first.url}/v1`, keyFrom },
        { name: 'flash', kind: 'gemini', model: 'gemini-1.5-flash-002', baseUrl: second.url, keyFrom },
      ]),
      CLINSTREAM_EGRESS_ALLOW: '127.0.0.1',
      CLINSTREAM_INFERENCE_WORKERS: '1',
      [keyFrom]: KEY,
    };
    const run = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await clinstream(['distill', ...args], { env, cwd: folder });
      assert.equal(code, 0, `${args[0]}: ${stderr}`);
      return stdout;
    };
    const teachers = ['mini', 'flash', 'dictionary'];
    const by = (split: string) => teachers.flatMap(name => ['--annotator', `${name}=${split}/${name}.jsonl`]);
    const on = (file: string, split: string) => ['--corpus', corpus, '--file', file, '--split', split];
    const asked = ['--max-usd', '5', '--deidentified', 'role-played', '--quiet', '--teacher', ...teachers];
    const gold = on('gold/gold.jsonl', 'dev');
    const unlabelled = on('gold/unlabelled.jsonl', 'train');
    await run('annotate', ...gold, ...asked, '--out', 'dev');
    await run('annotate', ...unlabelled, ...asked, '--out', 'train');
    const tasks = TASKS.flatMap(task => ['--task', `${task}=${task}`]);
    await run('select', ...gold, ...by('dev'), ...tasks, '--json', 'selection.json');
    const fused = await run('fuse', ...unlabelled, '--selection', 'selection.json', ...by('train'), '--into', corpus);
    assert.match(fused, /40 train notes, \d{3,} mentions/);
    // what the person in this story labelled by hand is what the model is calibrated and judged on
    const notes = join(corpus, 'teacher/notes.jsonl');
    writeFileSync(notes, readFileSync(notes, 'utf8') + readFileSync(join(corpus, 'gold/gold.jsonl'), 'utf8'));
    await promisify(execFile)(python, [
      join(ROOT, 'src/distill/trainer/smaller_base.py'),
      ...['--layers', '2', '--out', join(folder, 'base')],
    ]);
    const training = [
      '--base',
      'base',
      '--labels',
      'teacher',
      '--soft-labels',
      '--steps-scale',
      '3',
      '--device',
      'cpu',
    ];
    const tiny = ['--name', 'tiny', '--model-version', '0.0.1', '--out', 'tiny', '--precision', 'fp16'];
    await run('train', '--corpus', corpus, '--run', 'run', ...tiny, ...training);
    const card = readFileSync(join(folder, 'tiny/MODEL_CARD.md'), 'utf8');
    assert.match(card, /a 2-layer BERT encoder \(base, 15\.4 million parameters\)/);
    assert.match(
      card,
      /Training on the teacher's notes alone; no human label was used\..* A mention's confidence was its\s+label/s,
    );
    const made = JSON.parse(readFileSync(join(folder, 'run/run.json'), 'utf8')) as { labels: object };
    assert.deepEqual(made.labels, { by: 'teacher', share: 1, soft: true });
    assert.match(
      readFileSync(join(folder, 'run/curves.html'), 'utf8'),
      /<svg [^>]*>.*dev F1.*<path class="line s0" d="M.*<\/svg>/s,
    );
    const graphs = (await clinstream(['models', 'verify', '--model', 'tiny'], { env, cwd: folder })).stdout;
    assert.match(graphs, /tiny 0\.0\.1/);

    await run('evaluate', '--corpus', corpus, '--model', 'tiny', '--report', 'report');
    const report = JSON.parse(readFileSync(join(folder, 'report/report.json'), 'utf8')) as { model: { name: string } };
    assert.equal(report.model.name, 'tiny');
    const judged = [
      '--candidate',
      'tiny',
      '--store',
      'store',
      '--corpus',
      corpus,
      '--split',
      'dev',
      '--max-ece',
      '0.1',
    ];
    const gates = await run('promote', ...judged);
    assert.match(gates, /^pass {2}f1 symptom: token F1 \.[3-9]\d\d on 12 documents/m);
    assert.match(gates, /^tiny-0\.0\.1-[0-9a-f]{8} serves from now on/m);
    const note = 'The patient reports chest pain, nausea and fever.\n';
    const tagged = await clinstream(['tag', '--model', 'store', '--format', 'jsonl'], {
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
});
