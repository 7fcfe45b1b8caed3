/** If this fails, the page would show another note than the one that was tagged, or would run what a note contains. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chromium } from 'playwright-core';
import { HTML_TAIL, htmlHead, htmlNote } from '../../../src/commands/render/html.ts';
import { segments } from '../../../src/commands/render/segments.ts';
import type { Entity } from '../../../src/core/span.ts';
import { browser } from '../../support/needs.ts';

const TASKS = ['medication', 'disease', 'symptom'];

function find(text: string, mention: string, task: string): Entity {
  const start = [...text.slice(0, text.indexOf(mention))].length;
  return { task, start, end: start + [...mention].length, text: mention, confidence: 0.93 };
}

function page(notes: readonly { id: string; text: string; entities: readonly Entity[] }[]): string {
  const body = notes.map(({ id, text, entities }) => {
    const points = [...text];
    const parts = segments((start, end) => points.slice(start, end).join(''), points.length, entities);
    return htmlNote({ id, parts, entities, tasks: [{ task: 'disease', confidence: 0.5 }] }, TASKS);
  });
  return htmlHead('Notes & mentions', TASKS) + body.join('') + HTML_TAIL;
}

describe('html page', () => {
  const { path, skip } = browser();
  it('shows each note to the letter, its mentions highlighted, and stays inert', { skip }, async () => {
    const text = '\n<script>document.title="hacked"</script> 💊 aspirin for chest\r\npain & "MI"\t</pre>';
    const entities = [
      find(text, 'aspirin', 'medication'),
      find(text, 'chest\r\npain', 'symptom'),
      find(text, 'pain & "MI"', 'disease'),
    ];
    const other = 'no complaints';
    const chrome = await chromium.launch({
      executablePath: path,
      args: ['--no-sandbox', '--disable-background-networking'],
    });
    try {
      const tab = await chrome.newPage();
      await tab.setContent(
        page([
          { id: 'a<b', text, entities },
          { id: 'c', text: other, entities: [] },
        ]),
      );
      assert.equal(await tab.title(), 'Notes & mentions');
      assert.deepEqual(await tab.locator('pre').evaluateAll(all => all.map(each => each.textContent)), [text, other]);
      const marks = await tab.locator('mark.t1').evaluateAll(all => all.map(each => each.textContent));
      assert.equal(marks.join(''), 'pain & "MI"');
      assert.match((await tab.locator('mark.t0').getAttribute('title')) ?? '', /^medication 0\.930 \[44, 51\)$/);
      await tab.fill('#filter', 'aspir');
      assert.deepEqual(
        await tab.locator('article').evaluateAll(all => all.map(each => (each as { hidden?: boolean }).hidden)),
        [false, true],
      );
      await tab.uncheck('input[data-task="0"]');
      assert.equal(await tab.locator('mark.t0.off').count(), 1);
    } finally {
      await chrome.close();
    }
  });
});
