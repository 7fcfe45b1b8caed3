/** If this fails, labels are put on another text than the one that was labelled, or a test note is trained on. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { sha256Of } from '../../src/model/manifest.ts';
import { here } from '../support/here.ts';
import { temporaryFolder } from '../support/temporary.ts';

const folder = temporaryFolder('attach');
const corpus = join(folder, 'corpus');
const labels = join(folder, 'labels.jsonl.gz');
const TEXTS = new Map([
  ['a', 'Naïve 😀 aspirin was given for a headache that had lasted two days.'],
  ['b', 'She denies fever, cough and chills, and takes no drugs at home at all.'],
]);
mkdirSync(join(corpus, 'text'), { recursive: true });
const asLines = (rows: readonly object[]): string => rows.map(row => `${JSON.stringify(row)}\n`).join('');
writeFileSync(
  join(corpus, 'text/notes.jsonl.gz'),
  gzipSync(asLines(Array.from(TEXTS, ([id, text]) => ({ id, text })))),
);

const row = (id: string, changes: object = {}): object => ({
  ...{ id, split: 'train', source: 'notes', file: 'text/notes.jsonl.gz', sha256: sha256Of(TEXTS.get(id) ?? '') },
  entities: id === 'a' ? [{ start: 8, end: 15, type: 'medication' }] : [],
  ...changes,
});
const attach = async (into: string, ...rows: readonly object[]) => {
  writeFileSync(labels, gzipSync(asLines(rows)));
  return here(['distill', 'attach', '--labels', labels, '--corpus', corpus, '--into', join(folder, into)]);
};
const notesOf = (into: string): string => readFileSync(join(folder, into, 'teacher/notes.jsonl'), 'utf8');
const before = (into: string, ...rows: readonly object[]): string => {
  mkdirSync(join(folder, into, 'teacher'), { recursive: true });
  const text = asLines(rows);
  writeFileSync(join(folder, into, 'teacher/notes.jsonl'), text);
  return text;
};

describe('distill attach', () => {
  it('puts labels on their texts, beside the notes that are there, and twice is as once', async () => {
    const old = before('beside', { id: 'old', split: 'test', text: 'Another note.', entities: [] });
    const { code, stdout, stderr } = await attach('beside', row('a'), row('b'));
    assert.equal(code, 0, stderr);
    assert.match(stdout, /: 2 more notes, 1 mentions\n$/);
    const rows = notesOf('beside')
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    assert.equal(`${JSON.stringify(rows[0])}\n`, old);
    assert.deepEqual(rows[1], {
      ...{ id: 'a', split: 'train', source: 'notes', text: TEXTS.get('a') },
      entities: [{ start: 8, end: 15, type: 'medication' }],
    });
    assert.equal([...String(rows[1]?.text)].slice(8, 15).join(''), 'aspirin', 'offsets are code points');
    const once = notesOf('beside');
    assert.match(
      (await attach('beside', row('a'), row('b'))).stdout,
      /: 0 more notes, 0 mentions; 2 stood there already\n$/,
    );
    assert.equal(notesOf('beside'), once);
    const otherwise = await attach('beside', row('b'), row('a', { entities: [] }));
    assert.deepEqual(
      [otherwise.code, /a stands there already, not with these labels/.test(otherwise.stderr)],
      [6, true],
    );
    assert.equal(notesOf('beside'), once, 'the labels that were there are not lost');
  });

  it('refuses another text, a missing one, spans outside, and rows that are none, and writes nothing', async () => {
    for (const [pattern, wrong] of [
      [/text\/notes\.jsonl\.gz: a is not the text that was labelled/, row('a', { sha256: '0'.repeat(64) })],
      [/text\/notes\.jsonl\.gz has no c, which was labelled/, row('c')],
      [/labels of a: a span lies outside/, row('a', { entities: [{ start: 60, end: 69, type: 'symptom' }] })],
      [/labels\.jsonl\.gz:2: file: /, row('a', { file: '../../etc/passwd' })],
      [/labels\.jsonl\.gz:2: split: /, row('a', { split: 'all' })],
      [/labels\.jsonl\.gz:2: entities\.0\.type: /, row('a', { entities: [{ start: 8, end: 15, type: 'drug' }] })],
      [/labels\.jsonl\.gz: b stands there twice/, row('b', { split: 'dev' })],
    ] as const) {
      const { code, stderr } = await attach('none', row('b'), wrong);
      assert.equal(code, 6);
      assert.match(stderr, pattern);
      assert.match(stderr, /CORPUS_ROW_INVALID/);
      assert.ok(!stderr.includes('aspirin'));
    }
    const lost = await attach('none', row('a', { file: 'text/none.jsonl' }));
    assert.match(lost.stderr, /text\/none\.jsonl: no file of documents can be read there.*CORPUS_MISSING/);
    writeFileSync(join(corpus, 'text/broken.jsonl'), `{"id": "a", "text": "aspirin", "aspirin\n`);
    const broken = await attach('none', row('a', { file: 'text/broken.jsonl' }));
    assert.match(broken.stderr, /text\/broken\.jsonl:1: row: .*CORPUS_ROW_INVALID/);
    assert.ok(!broken.stderr.includes('aspirin'));
    assert.match((await attach('none')).stderr, /labels\.jsonl\.gz holds no labels/);
    assert.ok(!existsSync(join(folder, 'none')));
  });

  it('refuses to train on what is tested or fitted on, under its own id or another', async () => {
    const old = before('tested', { id: 'a', split: 'test', text: 'Something else.', entities: [] });
    const same = await attach('tested', row('a'));
    assert.deepEqual([same.code, /a stands there already, not with these labels/.test(same.stderr)], [6, true]);
    assert.equal(notesOf('tested'), old);
    mkdirSync(join(folder, 'gold/gold'), { recursive: true });
    const gold = { id: 'g', split: 'dev', text: `${TEXTS.get('b')}`, entities: [] };
    writeFileSync(join(folder, 'gold/gold/maccrobat.jsonl'), asLines([gold]));
    const fitted = await attach('gold', row('a'), row('b'));
    assert.match(
      fitted.stderr,
      /gold\/maccrobat\.jsonl: the dev document g would stand in notes to train on, most of it in b/,
    );
    assert.ok(!existsSync(join(folder, 'gold/teacher')));
    const copy = before('copied', { id: 't', split: 'test', text: TEXTS.get('b')?.toUpperCase(), entities: [] });
    const leaking = await attach('copied', row('b'));
    assert.equal(leaking.code, 6);
    assert.match(
      leaking.stderr,
      /the test document t would stand in notes to train on, most of it in b: nothing was written/,
    );
    assert.equal(notesOf('copied'), copy);
  });

  it('refuses it whichever comes first, in one file, or in pieces', async () => {
    const test = (id: string) => row(id, { split: 'test', entities: [] });
    const copies = new Map([...TEXTS, ['c', TEXTS.get('b') ?? '']]);
    const texts = Array.from(copies, ([id, text]) => ({ id, text }));
    const words = `${TEXTS.get('b')}`.split(' ');
    const half = (from: number, to: number): string => words.slice(from, to).join(' ');
    const pieces = { d: half(0, 9), e: half(4, 14) };
    const all = [...texts, ...Object.entries(pieces).map(([id, text]) => ({ id, text }))];
    writeFileSync(join(corpus, 'text/more.jsonl.gz'), gzipSync(asLines(all)));
    const more = (id: string, text: string, split: string): object =>
      row(id, { split, entities: [], file: 'text/more.jsonl.gz', sha256: sha256Of(text) });
    const copy = more('c', copies.get('c') ?? '', 'train');
    const leaks = /the test document b would stand in notes to train on/;
    assert.match((await attach('one', copy, test('b'))).stderr, leaks);
    assert.equal((await attach('train-first', copy)).code, 0);
    assert.match((await attach('train-first', test('b'))).stderr, leaks);
    assert.equal((await attach('halves', test('b'), more('d', pieces.d, 'train'))).code, 0);
    const second = await attach('halves', more('e', pieces.e, 'train'));
    assert.match(second.stderr, leaks);
    before(
      'leaky',
      ...['x', 'y'].map((id, i) => ({ id, split: i ? 'test' : 'train', text: half(0, 14), entities: [] })),
    );
    assert.equal((await attach('leaky', row('a'))).code, 0, 'what leaked before is no matter of these');
  });
});
