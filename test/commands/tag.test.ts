/** If this fails, the command that most people try first would give wrong rows, lose one, or fill memory. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { cleanEnvironment, clinstream, rows } from '../support/cli.ts';
import { ROOT } from '../support/model.ts';
import { temporaryFolder } from '../support/temporary.ts';

interface TagRow {
  readonly id: string;
  readonly entities: readonly { task: string; start: number; end: number; text: string; confidence: number }[];
  readonly tasks: Readonly<Record<string, { confidence: number }>>;
  readonly error?: { code: string; message: string };
}

const NOTES = 'test/data/notes/notes.jsonl';
const VISIT = 'test/data/notes/clinic-visit.txt';

describe('clinstream tag', () => {
  it('gives one row a note, in input order, with offsets that hold', async () => {
    const { code, stdout } = await clinstream(['tag', NOTES, VISIT, '--format', 'jsonl', '--quiet']);
    assert.equal(code, 0);
    const tagged = rows<TagRow>(stdout);
    assert.deepEqual(
      tagged.map(row => row.id),
      ['a-1', 'a-2', 'a-3', 'clinic-visit.txt'],
    );
    const texts = [
      ...rows<{ text: string }>(readFileSync(join(ROOT, NOTES), 'utf8')).map(row => row.text),
      readFileSync(join(ROOT, VISIT), 'utf8'),
    ];
    tagged.forEach((row, i) => {
      assert.deepEqual(Object.keys(row), ['id', 'entities', 'tasks']);
      assert.deepEqual(Object.keys(row.tasks), ['medication', 'disease', 'symptom']);
      const points = [...(texts[i] as string)];
      for (const { start, end, text, confidence } of row.entities) {
        assert.equal(points.slice(start, end).join(''), text);
        assert.ok(confidence > 0 && confidence < 1);
      }
    });
    const mentions = (i: number): string[] => (tagged[i] as TagRow).entities.map(each => `${each.task}:${each.text}`);
    for (const [i, expected] of [
      [0, 'medication:ibuprofen'],
      [0, 'disease:asthma'],
      [1, 'medication:Warfarin'],
    ] as const) {
      assert.ok(mentions(i).includes(expected), expected);
    }
    for (const expected of [
      'disease:hypertension',
      'medication:metformin',
      'medication:furosemide',
      'symptom:shortness of breath',
    ]) {
      assert.ok(mentions(3).includes(expected), expected);
    }
  });

  it('gives a refused line a row of its own, goes on, and exits 3', async () => {
    const input = '{"id": "1", "text": "fever"}\n{"id": "2", "text": 5}\n{"id": "3", "text": "cough"}\n';
    const { code, stdout, stderr } = await clinstream(['tag', '-', '--quiet'], { input });
    assert.equal(code, 3);
    assert.deepEqual(
      rows<TagRow>(stdout).map(row => row.error?.code),
      [undefined, 'LINE_NOT_A_NOTE', undefined],
    );
    assert.match(stderr, /stdin:2: "text" must be a string \[LINE_NOT_A_NOTE\]/);
  });

  it('gives a file that cannot be read a row of its own, goes on, and exits 3', async () => {
    const folder = temporaryFolder('tag');
    writeFileSync(join(folder, 'a.txt'), 'Takes aspirin.');
    writeFileSync(join(folder, 'b.txt'), 'Fever.');
    const paths = ['a.txt', 'absent.txt', 'b.txt'].map(name => join(folder, name));
    const { code, stdout, stderr } = await clinstream(['tag', ...paths, '--quiet']);
    assert.equal(code, 3);
    assert.deepEqual(
      rows<TagRow>(stdout).map(row => [row.id, row.error?.code]),
      [
        ['a.txt', undefined],
        ['absent.txt', 'FILE_UNREADABLE'],
        ['b.txt', undefined],
      ],
    );
    assert.match(stderr, /cannot read \S+absent\.txt \(ENOENT\) \[FILE_UNREADABLE\]/);
  });

  it('reads standard input as one plain note, and writes a page', async () => {
    const { code, stdout } = await clinstream(['tag', '--format', 'html', '--quiet'], { input: 'Fever <b>& cough' });
    assert.equal(code, 0);
    assert.match(stdout, /^<!doctype html>/);
    assert.match(stdout, /<mark class="t2"[^>]*>Fever<\/mark> &#60;b&#62;&#38; <mark/);
    assert.match(stdout, /<\/html>\n$/);
    const pretty = await clinstream(['tag', '--format', 'pretty', '--quiet'], { input: 'Takes aspirin.' });
    assert.match(pretty.stdout, /Takes \[aspirin\|medication\]\./);
  });

  it('tells what is wrong with an option, a model and a device, each with its exit code', async () => {
    const unreadable = temporaryFolder('tag');
    mkdirSync(join(unreadable, 'manifest.json'));
    const cases: readonly (readonly [number, RegExp, readonly string[], NodeJS.ProcessEnv?])[] = [
      [2, /Allowed choices are pretty, jsonl, html/, ['tag', '--format', 'xml']],
      [2, /unknown command 'tga'/, ['tga']],
      [2, /CLINSTREAM_WORKERS is not an option/, ['tag'], { CLINSTREAM_WORKERS: '3' }],
      [2, /from .*CLINSTREAM_INFERENCE_WORKERS\): must be a number/, ['tag'], { CLINSTREAM_INFERENCE_WORKERS: '' }],
      [4, /there is no model in .*nowhere.* \[MODEL_MISSING\]/, ['tag', '--model', 'nowhere']],
      [4, /manifest\.json \(EISDIR\).* \[MODEL_UNREADABLE\]/, ['tag', '--model', unreadable]],
      [4, /no device can run the model .*cuda.* \[DEVICE_UNAVAILABLE\]/, ['tag', '--device', 'cuda']],
    ];
    await Promise.all(
      cases.map(async ([exit, message, args, env]) => {
        const { code, stderr, stdout } = await clinstream(args, { input: 'x', ...(env === undefined ? {} : { env }) });
        assert.equal(code, exit, `${args.join(' ')}: ${stderr}`);
        assert.match(stderr, message);
        assert.equal(stdout, '');
      }),
    );
  });

  it('holds a bounded number of notes, however slowly its output is read, and ends quietly when the reader goes away', async () => {
    const child = spawn(process.execPath, [join(ROOT, 'src/main.ts'), 'tag', '-', '--quiet'], {
      cwd: ROOT,
      env: cleanEnvironment(),
      stdio: 'pipe',
    });
    let stderr = '';
    child.stderr.on('data', text => {
      stderr += text;
    });
    const closed = new Promise<number | null>(done => child.on('close', done));
    child.stdin.on('error', () => {});
    const line = `${JSON.stringify({ id: 'x', text: 'fever and cough. '.repeat(300) })}\n`;
    let taken = 0;
    // nobody reads its output: sooner or later it must stop reading its input
    const blocked = await new Promise<boolean>(done => {
      const feed = (): void => {
        while (taken < 20_000) {
          taken++;
          if (!child.stdin.write(line)) {
            const timer = setTimeout(() => done(true), 3000);
            child.stdin.once('drain', () => {
              clearTimeout(timer);
              feed();
            });
            return;
          }
        }
        done(false);
      };
      feed();
    });
    assert.ok(blocked && taken < 2000, `${taken} lines were taken`);
    child.stdout.destroy();
    child.stdin.end();
    assert.equal(await closed, 0, stderr);
    assert.equal(stderr, '');
  });
});
