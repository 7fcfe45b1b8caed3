/** If this fails, one document that a teacher could not decide makes all that was paid for useless, or goes into a training unsaid. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readCorpus } from '../../src/distill/corpus.ts';
import { clinstream } from '../support/cli.ts';
import { temporaryFolder } from '../support/temporary.ts';

const folder = temporaryFolder('fuse');
const TEXT = 'Takes aspirin.';
const ASPIRIN = [{ start: 6, end: 13, type: 'medication' }];
const write = (name: string, ids: readonly string[], fields: object = {}): void =>
  writeFileSync(
    join(folder, name),
    ids.map(id => `${JSON.stringify({ id, split: 'train', text: TEXT, entities: ASPIRIN, ...fields })}\n`).join(''),
  );
const IDS = ['n0', 'n1', 'n2', 'n3'];
const without = (...left: string[]): string[] => IDS.filter(id => !left.includes(id));
mkdirSync(join(folder, 'gold'));
write('gold/notes.jsonl', IDS, { entities: [] });
write('first.jsonl', without('n1'));
write('second.jsonl', without('n3'));
write('unasked.jsonl', []);
write('other.jsonl', IDS, { text: `${TEXT} ` });
const selection = {
  annotators: [{ name: 'first' }, { name: 'second' }],
  tasks: [
    {
      task: 'medication',
      silent: [],
      chosen: { candidate: { annotators: ['first', 'second'], fusion: 'union' } },
      weights: {
        prior: 0,
        evidence: [
          [-1, 1],
          [-1, 1],
        ],
      },
    },
  ],
};
writeFileSync(join(folder, 'selection.json'), JSON.stringify(selection));

const run = (first: string, ...more: string[]) =>
  clinstream(
    [
      ...['distill', 'fuse', '--corpus', folder, '--file', 'gold/notes.jsonl', '--selection', 'selection.json'],
      ...['--annotator', `first=${first}`, '--annotator', 'second=second.jsonl', '--into', 'made', ...more],
    ],
    { cwd: folder },
  );

describe('distill fuse', () => {
  it('wants every document of every chosen teacher, or is told to fuse those that all have', async () => {
    const refused = await run('first.jsonl');
    assert.equal(refused.code, 6);
    assert.match(
      refused.stderr,
      /annotator first: of 4 documents 1 are missing .* first n1: .* leave them out by --covered \[ANNOTATIONS_INCOMPLETE\]/,
    );
    assert.equal(existsSync(join(folder, 'made')), false);
    const covered = await run('first.jsonl', '--covered', '--annotator', 'unasked=unasked.jsonl');
    assert.equal(covered.code, 0, covered.stderr);
    assert.match(
      covered.stdout,
      /: 2 train notes, 2 mentions; medication by first \+ second, union; left out 2 of 4, which not all chosen teachers labelled\n$/,
    );
    const made = readCorpus(join(folder, 'made'), 'teacher/notes.jsonl', 'train');
    assert.deepEqual(
      made.map(each => each.id),
      ['n0', 'n2'],
    );
  });

  it('takes no labels of another text, whatever it is told', async () => {
    const { code, stderr } = await run('other.jsonl', '--covered');
    assert.equal(code, 6);
    assert.match(stderr, /first: .* 4 have another text, first n0 \[ANNOTATIONS_INCOMPLETE\]/);
  });

  it('takes no labels of a folder that are not what was selected: of another task, provider, model or prompt', async () => {
    const [task] = selection.tasks;
    const about = {
      provider: 'openai',
      tasks: ['medication'],
      prompts: { medication: 'a' },
      models: { medication: 'm' },
    };
    const fused = async (run: object, asked: object | undefined, name = 'medication') => {
      mkdirSync(join(folder, 'labels'), { recursive: true });
      write('labels/mini.jsonl', IDS);
      const mini = { teacher: 'mini', usdInAll: 0, labelled: IDS.length, ...run };
      writeFileSync(join(folder, 'labels/mini.run.json'), JSON.stringify(mini));
      const chosen = { candidate: { annotators: ['mini'], fusion: 'alone' } };
      const weights = { prior: 0, evidence: [[-1, 1]] };
      const by = { annotators: [{ name: 'mini', asked }], tasks: [{ ...task, task: name, chosen, weights }] };
      writeFileSync(join(folder, 'mini.json'), JSON.stringify(by));
      const labels = ['--labels', 'labels', '--selection', 'mini.json', '--into', 'by-mini'];
      return clinstream(['distill', 'fuse', '--corpus', folder, '--file', 'gold/notes.jsonl', ...labels], {
        cwd: folder,
      });
    };
    const refused: readonly (readonly [RegExp, object, object | undefined, string?])[] = [
      [/mini was not asked about symptom: annotate .*for it too/, about, undefined, 'symptom'],
      [/mini was not asked about symptom/, about, { ...about, tasks: ['symptom'] }, 'symptom'],
      [/mini was asked about medication with another provider/, about, { ...about, provider: 'gemini' }],
      [/another model than when it was selected/, about, { ...about, models: { medication: 'n' } }],
      [/another prompt \(guidelines/, about, { ...about, prompts: { medication: 'b' } }],
    ];
    for (const [message, run, asked, name] of refused) {
      const { code, stderr } = await fused(run, asked, name);
      assert.deepEqual([code, message.test(stderr), /CONFIG_INVALID/.test(stderr)], [2, true, true], stderr);
      assert.equal(existsSync(join(folder, 'by-mini')), false);
    }
    for (const asked of [about, undefined, { tasks: ['medication'] }]) {
      const { code, stderr } = await fused(about, asked);
      assert.equal(code, 0, stderr);
    }
    const one = ['--annotator', 'first=first.jsonl', '--annotator', 'second=second.jsonl', '--covered'];
    const beside = [...one, '--selection', 'selection.json', '--labels', 'labels', '--into', 'by-both'];
    const args = ['distill', 'fuse', '--corpus', folder, '--file', 'gold/notes.jsonl', ...beside];
    const { code, stderr } = await clinstream(args, { cwd: folder });
    assert.equal(code, 0, `of files named one by one nothing is known: ${stderr}`);
  });

  it('leaves the notes of other splits as they are, how sure their labels are too', async () => {
    const notes = join(folder, 'made/teacher/notes.jsonl');
    const trained = readFileSync(notes, 'utf8');
    assert.match(trained, /"confidence":/);
    write('gold/dev.jsonl', ['d0'], { split: 'dev', entities: [] });
    for (const name of ['first.jsonl', 'second.jsonl']) write(name, ['d0'], { split: 'dev' });
    const { code, stderr } = await run('first.jsonl', '--file', 'gold/dev.jsonl', '--split', 'dev');
    assert.equal(code, 0, stderr);
    assert.ok(readFileSync(notes, 'utf8').startsWith(trained));
    const again = await run('first.jsonl', '--file', 'gold/dev.jsonl', '--split', 'dev');
    assert.doesNotMatch(again.stdout, /are gone/, 'the same ones');
    for (const name of ['gold/dev.jsonl', 'first.jsonl', 'second.jsonl']) write(name, ['d1'], { split: 'dev' });
    const instead = await run('first.jsonl', '--file', 'gold/dev.jsonl', '--split', 'dev');
    assert.match(instead.stdout, /; 1 other dev notes that stood there are gone\n$/);
  });
});
