/** If this fails, nobody can choose teachers by what they are worth, or a mistyped option would choose for them. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readLabelsFolder } from '../../src/commands/labels-folder.ts';
import { clinstream } from '../support/cli.ts';
import { temporaryFolder } from '../support/temporary.ts';

const folder = temporaryFolder('select');
const TEXT = 'Fever and cough since Monday, took aspirin; CANARY no rash, no pain.';
const at = (...words: string[]) =>
  words.map(word => ({ start: TEXT.indexOf(word), end: TEXT.indexOf(word) + word.length }));
const write = (name: string, type: string, count: number, words: (i: number) => string[]): string => {
  const rows = Array.from({ length: count }, (_, i) => ({
    id: `n${i}`,
    split: 'dev',
    text: TEXT,
    entities: at(...words(i)).map(each => ({ ...each, type })),
  }));
  const path = join(folder, name);
  writeFileSync(path, rows.map(each => `${JSON.stringify(each)}\n`).join(''));
  return path;
};
mkdirSync(join(folder, 'gold'));
mkdirSync(join(folder, 'labels'));
write('gold/notes.jsonl', 'Sign', 12, () => ['Fever', 'cough', 'rash', 'pain']);
const left = write('left.jsonl', 'symptom', 12, i => (i % 2 === 0 ? ['Fever', 'cough'] : ['Fever']));
write('right.jsonl', 'symptom', 12, () => ['rash', 'pain']);
write('short.jsonl', 'symptom', 11, () => ['aspirin']);

/** A folder of annotate with these runs. */
function labelsOf(...runs: readonly { readonly teacher: string }[]): string {
  const directory = join(folder, 'runs');
  mkdirSync(directory);
  for (const each of runs) {
    writeFileSync(join(directory, `${each.teacher}.jsonl`), '');
    writeFileSync(join(directory, `${each.teacher}.run.json`), JSON.stringify(each));
  }
  return directory;
}

const BASE = ['distill', 'select', '--corpus', folder, '--file', 'gold/notes.jsonl'];
const ASKED = [...BASE, '--task', 'symptom=Sign,Other', '--annotator', 'left=left.jsonl'];
const run = (...args: string[]) => clinstream(args, { cwd: folder });

describe('distill select', () => {
  it('prints the tables and writes every candidate', async () => {
    const all = [...ASKED, '--annotator', 'right=right.jsonl', '--cost', 'left=0.5', '--cost', 'right=2'];
    const { code, stdout, stderr } = await run(...all, '--json', 'out/select.json');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /gold\/notes\.jsonl, dev: 12 documents/);
    assert.match(stdout, /^\| 1 \| left \+ right \| union \| 1\.000 \| \.875 \| \.933 \[.*\] \| 2\.5 \|$/m);
    assert.match(stdout, /^Best: left \+ right, union\. Runner-up: right, alone; .*, beyond chance\.$/m);
    assert.match(stdout, /^Chosen: left \+ right, union: the best, for it beats all that cost less beyond chance\.$/m);
    const figures = JSON.parse(readFileSync(join(folder, 'out/select.json'), 'utf8'));
    assert.equal(figures.tasks[0].ranked.length, 5);
    assert.equal(figures.tasks[0].best.f1, 0.93333);
    assert.equal(figures.annotators[0].sha256, createHash('sha256').update(readFileSync(left)).digest('hex'));
    assert.match(figures.command, /--task symptom=Sign,Other --annotator left=left\.jsonl .*--cost right=2$/);
    assert.ok(!JSON.stringify(figures).includes(folder) && !JSON.stringify(figures).includes('CANARY'));
    assert.equal((await run(...all)).stdout, stdout);
  });

  it('leaves out of a task those that mark none of it, and says so', async () => {
    const other = write('other.jsonl', 'disease', 12, () => ['rash']);
    const { code, stdout, stderr } = await run(...ASKED, '--annotator', `other=${other}`, '--task', 'disease=Sign');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /## symptom\n\n\| rank of 1 [\s\S]*Left out: other, which marks none\.[\s\S]*## disease/);
    assert.match(stdout, /## disease[\s\S]*Left out: left, which marks none\./);
    const none = await run(...ASKED, '--task', 'disease=Sign');
    assert.deepEqual([none.code, /none marks any disease/.test(none.stderr)], [2, true]);
  });

  it('wants every document of every teacher, or is told to score those that all have', async () => {
    const some = [...ASKED, '--annotator', 'short=short.jsonl'];
    const refused = await run(...some);
    assert.equal(refused.code, 6);
    assert.match(
      refused.stderr,
      /annotator short: of 12 documents 1 are missing .* first n11: .* leave them out by --covered \[ANNOTATIONS_INCOMPLETE\]/,
    );
    const covered = await run(...some, '--covered');
    assert.match(covered.stdout, /the 11 of 12 documents that all annotators have/);
    for (const { stdout, stderr } of [refused, covered]) assert.ok(!`${stdout}${stderr}`.includes('CANARY'));
  });

  it('takes no teacher of unknown cost for one that costs nothing', async () => {
    write('labels/paid.jsonl', 'symptom', 12, () => ['Fever', 'cough', 'rash', 'pain']);
    const asked = { provider: 'x', tasks: ['symptom'], prompts: { symptom: 'hash' }, models: { symptom: 'm' } };
    const paid = { teacher: 'paid', usdInAll: 1, labelled: 12, ...asked };
    writeFileSync(join(folder, 'labels/paid.run.json'), JSON.stringify(paid));
    const both = [...ASKED, '--labels', 'labels'];
    const refused = await run(...both);
    assert.equal(refused.code, 2);
    assert.match(
      refused.stderr,
      /--cost: known for paid and not for left: .* 0 where it is nothing \[CONFIG_INVALID\]/,
    );
    const priced = await run(...both, '--cost', 'left=2', '--json', 'priced.json');
    assert.match(priced.stdout, /^Chosen: paid, alone/m, priced.stderr);
    const { annotators } = JSON.parse(readFileSync(join(folder, 'priced.json'), 'utf8'));
    const ofTwo = { ...paid, teacher: 'both', usdInAll: 3, tasks: ['symptom', 'disease'] };
    const { costs } = readLabelsFolder(labelsOf(paid, ofTwo));
    assert.deepEqual(
      [...costs],
      [
        ['both', 3 / 12 / 2],
        ['paid', 1 / 12],
      ],
      'a task of a note',
    );
    assert.deepEqual(
      annotators.map((each: { name: string; asked?: object }) => [each.name, each.asked]),
      [
        ['paid', asked],
        ['left', undefined],
      ],
      'what fuse compares with',
    );
    assert.equal((await run(...both, '--cost', 'left=0')).code, 0);
    writeFileSync(join(folder, 'labels/torn.jsonl'), '');
    writeFileSync(join(folder, 'labels/torn.run.json'), '{"teacher": CANARY');
    const torn = await run(...both);
    assert.deepEqual([torn.code, torn.stderr.includes('CANARY')], [2, false], torn.stderr);
    assert.match(torn.stderr, /torn\.run\.json is no run of 'distill annotate' \[CONFIG_INVALID\]/);
  });

  it('tells no annotators apart by five documents', async () => {
    write('gold/five.jsonl', 'Sign', 5, () => ['Fever']);
    const { code, stderr } = await run(...ASKED, '--file', 'gold/five.jsonl');
    assert.equal(code, 6);
    assert.match(stderr, /5 documents are too few .*\[ANNOTATIONS_INCOMPLETE\]/);
  });

  it('tells none apart for a task that fewer than six documents mention, however many there are', async () => {
    const some = (i: number): string[] => (i % 4 === 0 ? ['Fever'] : []);
    write('gold/rare.jsonl', 'Sign', 20, some);
    const rare = write('rare.jsonl', 'symptom', 20, some);
    const asked = [...BASE, '--task', 'symptom=Sign', '--annotator', `rare=${rare}`, '--file', 'gold/rare.jsonl'];
    const { code, stderr } = await run(...asked);
    assert.equal(code, 6);
    assert.match(stderr, /--task symptom: 5 documents that mention it are too few .*\[ANNOTATIONS_INCOMPLETE\]/);
  });

  it('refuses options that cannot be meant', async () => {
    const many = Array.from({ length: 10 }, (_, i) => ['--annotator', `a${i}=left.jsonl`]).flat();
    const cases: readonly (readonly [RegExp, readonly string[]])[] = [
      [/left\.jsonl is read, and would be replaced/, [...ASKED, '--json', 'left.jsonl']],
      [/none is no --annotator \(left\)/, [...ASKED, '--cost', 'none=1']],
      [/left stands there twice/, [...ASKED, '--cost', 'left=1', '--cost', 'left=2']],
      [/left stands there twice/, [...ASKED, '--annotator', 'left=right.jsonl']],
      [/a number from 0/, [...ASKED, '--cost', 'left=NaN']],
      [/a number from 0/, [...ASKED, '--cost', 'left=-1']],
      [/NAME=VALUE is needed/, [...ASKED, '--annotator', 'left.jsonl']],
      [/a type is empty/, [...ASKED, '--task', 'disease=A,,B']],
      [/11 are given, and at most 10/, [...ASKED, ...many]],
      [/--task disease: no document scored has a word of type Sgin/, [...ASKED, '--task', 'disease=Sgin']],
      [/Allowed choices are train, dev, test/, [...ASKED, '--split', 'all']],
      [/nothing holds no labels of 'distill annotate'/, [...BASE, '--task', 'symptom=Sign', '--labels', 'nothing']],
      [/a folder of annotate, or --annotator NAME=FILE/, [...BASE, '--task', 'symptom=Sign']],
    ];
    await Promise.all(
      cases.map(async ([message, args]) => {
        const { code, stderr } = await run(...args);
        assert.match(stderr, message);
        assert.equal(code, 2, args.join(' '));
      }),
    );
  });
});
