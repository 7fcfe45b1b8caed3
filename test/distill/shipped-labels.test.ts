/** If this fails, labels that ship are not what their page says, carry text that may not be passed on, or lie beside the words they mean. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { readStandOff, withTexts } from '../../src/distill/stand-off.ts';
import { ROOT } from '../support/model.ts';
import { temporaryFolder } from '../support/temporary.ts';

const PATH = join(ROOT, 'models/labels/notes-2.jsonl.gz');
const labels = readStandOff(PATH);

describe('labels that ship', () => {
  it('are as many as their page says, each note once, to train on only, and spans alone', () => {
    const page = readFileSync(join(ROOT, 'models/labels/README.md'), 'utf8');
    const mentions = labels.reduce((sum, { entities }) => sum + entities.length, 0);
    assert.ok(
      page.includes(`${labels.length.toLocaleString('en-US')} notes, ${mentions.toLocaleString('en-US')} mentions`),
    );
    assert.equal(new Set(labels.map(each => each.id)).size, labels.length);
    const keys = new Set(
      gunzipSync(readFileSync(PATH))
        .toString('utf8')
        .matchAll(/"(\w+)":/g)
        .map(([, key]) => key),
    );
    assert.deepEqual([...keys].sort(), ['end', 'entities', 'file', 'id', 'sha256', 'source', 'split', 'start', 'type']);
    for (const { split, entities } of labels) {
      assert.equal(split, 'train');
      entities.forEach(({ start, end, type }, i) => {
        assert.ok(['medication', 'disease', 'symptom'].includes(type));
        assert.ok(start < end && start >= (entities[i - 1]?.end ?? 0), 'in order, none over another');
      });
    }
  });

  it('begin and end within a line and with no space, in the notes of theirs that we may show', () => {
    const notes = readFileSync(join(ROOT, 'test/data/demo/notes.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as { noteId: string; text: string });
    const shown = labels.filter(({ id }) => notes.some(({ noteId }) => noteId === id));
    assert.ok(shown.length > 40, String(shown.length));
    const corpus = temporaryFolder('labels');
    mkdirSync(join(corpus, 'text'));
    const rows = notes.map(({ noteId, text }) => `${JSON.stringify({ id: noteId, text })}\n`).join('');
    for (const file of new Set(shown.map(each => each.file))) writeFileSync(join(corpus, file), gzipSync(rows));
    for (const { text, entities } of withTexts(shown, corpus)) {
      const points = [...text];
      for (const { start, end } of entities) {
        const span = points.slice(start, end).join('');
        assert.match(span, /^\S.*\S$|^\S$/);
      }
    }
  });
});
