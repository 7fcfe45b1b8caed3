/** If this fails, a long, empty or odd note would be cut, refused or tagged at the wrong place by the real model. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { readDemoNotes } from '../../src/commands/demo.ts';
import { type Serving, serveModel } from '../../src/commands/serve-model.ts';
import { loadConfig } from '../../src/config.ts';
import { type Fact, unobserved } from '../../src/core/facts.ts';
import type { Note } from '../../src/core/note.ts';
import type { Entity } from '../../src/core/span.ts';
import type { Tagged } from '../../src/tagging/tagger.ts';
import { MODEL_DIRECTORY } from '../support/model.ts';

const config = loadConfig({ env: {}, overrides: { model: MODEL_DIRECTORY, 'inference.inFlightTokens': 4096 } });
const MENTION = 'He takes metoprolol for atrial fibrillation and has chest pain. ';
const FILLER = 'The visit was scheduled and the family was informed about the next steps. ';

function assertOffsets(text: string, entities: readonly Entity[]): void {
  const points = [...text];
  for (const { start, end, text: mention } of entities) assert.equal(points.slice(start, end).join(''), mention);
}

describe('tagger', () => {
  const facts: Fact[] = [];
  let serving: Serving;
  before(async () => {
    serving = await serveModel(config, fact => facts.push(fact));
  });
  after(() => serving.stop());
  const found = async (text: string): Promise<string[]> =>
    (await serving.tagger.tag(text)).entities.map(each => `${each.task}:${each.text}`);

  it('finds what a reader would', async () => {
    assert.deepEqual(await found(MENTION), [
      'medication:metoprolol',
      'disease:atrial fibrillation',
      'symptom:chest pain',
    ]);
  });

  it('finds a mention on a window border as it does in the middle', async () => {
    // shifted word by word, the mentions cross every place of a window and of its overlap
    const alone = await found(MENTION);
    for (let shift = 0; shift < 200; shift += 3) {
      const text = `${FILLER.repeat(12)}${'and so on '.repeat(shift)}${MENTION}${FILLER.repeat(20)}`;
      assert.deepEqual(await found(text), alone, `shifted by ${shift}`);
    }
  });

  it('takes an empty note and a note of white space', async () => {
    for (const text of ['', ' \r\n\t ', '\u200b']) {
      const { entities, tasks, tokens } = await serving.tagger.tag(text);
      assert.deepEqual([entities, tokens], [[], 0]);
      assert.deepEqual(
        tasks.map(each => each.confidence),
        [1, 1, 1],
      );
    }
  });

  it('takes a megabyte in bounded memory and finds its last word', async () => {
    facts.length = 0;
    const text = `${FILLER.repeat(Math.ceil(1_000_000 / FILLER.length))}💊 ${MENTION}`;
    const { entities, windows } = await serving.tagger.tag(text);
    assert.ok(windows > 500, `${windows}`);
    assertOffsets(text, entities);
    assert.deepEqual(
      entities.slice(-3).map(each => each.text),
      ['metoprolol', 'atrial fibrillation', 'chest pain'],
    );
    const queued = facts.flatMap(fact => (fact.kind === 'queue.changed' ? [fact.tokens] : []));
    assert.ok(Math.max(...queued) <= 4096, 'the windows of one note wait outside the queue');
  });

  it('gives exact offsets on every demo note, and under emoji, accents, CRLF and right-to-left text', async () => {
    const lines = readFileSync(new URL('../data/demo/notes.jsonl', import.meta.url), 'utf8')
      .trim()
      .split('\n');
    const texts = lines.filter((_, i) => i % 20 === 0).map(line => (JSON.parse(line) as Note).text);
    const odd = `💊💊 Aspirin\r\n\tpaté e\u0301 👩‍👩‍👧 כאב ראש migraine\u200b, ألم chest pain 🇩🇪`;
    for (const text of [...texts, odd, texts.join('\r\n')])
      assertOffsets(text, (await serving.tagger.tag(text)).entities);
  });

  it('gives the same entities alone and among many', async () => {
    const alone = await found(MENTION);
    const crowd = await Promise.all(
      Array.from({ length: 40 }, (_, i) => found(i % 2 === 0 ? MENTION : FILLER.repeat(i))),
    );
    crowd.forEach((each, i) => {
      if (i % 2 === 0) assert.deepEqual(each, alone);
    });
  });

  it('answers to the last bit alike, whatever else is being tagged and in whatever order', async () => {
    const notes = (await readDemoNotes()).slice(0, 24).map(note => note.text);
    const tag = (texts: readonly string[]) => Promise.all(texts.map(text => serving.tagger.tag(text)));
    const answers = (all: readonly Tagged[]) => all.map(({ entities, tasks }) => ({ entities, tasks }));
    const forth = answers(await tag(notes));
    const back = answers(await tag([...notes].reverse())).reverse();
    assert.deepEqual(back, forth);
    assert.deepEqual(answers(await tag(notes.slice(7, 8))), forth.slice(7, 8));
  });

  it('loses no note when a session is killed in the middle', async () => {
    facts.length = 0;
    const texts = Array.from({ length: 30 }, () => MENTION + FILLER.repeat(10));
    const all = Promise.all(texts.map(text => found(text)));
    await serving.pool.kill(0);
    const alone = await found(MENTION);
    for (const each of await all) assert.deepEqual(each, alone);
    assert.ok(facts.some(fact => fact.kind === 'worker.replaced'));
  });

  it('refuses to serve from a folder without a model', async () => {
    const nowhere = loadConfig({ env: {}, overrides: { model: '/nonexistent' } });
    await assert.rejects(serveModel(nowhere, unobserved), { code: 'MODEL_MISSING' });
  });
});
