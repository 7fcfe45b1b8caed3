/** If this fails, the first thing that a stranger tries would not work, or would show numbers that are not so. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { clinstream, rows } from '../support/cli.ts';
import { browser } from '../support/needs.ts';
import { temporaryFolder } from '../support/temporary.ts';

interface Consumed {
  readonly value: {
    readonly noteId: string;
    readonly entities: readonly { task: string; start: number; end: number; text: string }[];
  };
}

describe('clinstream demo', () => {
  const { path, skip } = browser();
  it('tags at least 250 notes, counts what the topics hold, and shows them all on a page', { skip }, async () => {
    const { code, stdout, stderr } = await clinstream(['demo', '--quiet']);
    assert.equal(code, 0, stderr);
    const figure = (pattern: RegExp): number => Number(pattern.exec(stdout)?.[1]);
    const tagged = figure(/(\d+) tagged/);
    assert.ok(tagged >= 250, stdout);
    assert.match(stdout, /throughput +[\d.]+ notes\/s, \d+ tokens\/s/);
    assert.match(stdout, /latency +p50 \d+ ms, p95 \d+ ms/);
    const directory = /--data (\S+)\)/.exec(stdout)?.[1] ?? '';
    const events = rows<Consumed>(
      (await clinstream(['consume', 'clinical.entities', '--until-end', '--data', directory])).stdout,
    );
    assert.equal(new Set(events.map(each => each.value.noteId)).size, tagged);
    for (const task of ['medication', 'disease', 'symptom']) {
      const mentions = events.flatMap(each => each.value.entities.filter(entity => entity.task === task));
      assert.equal(figure(new RegExp(`${task} (\\d+)`)), mentions.length);
    }
    const page = /page +(\S+)/.exec(stdout)?.[1] ?? '';
    const chrome = await chromium.launch({
      executablePath: path,
      args: ['--no-sandbox', '--disable-background-networking'],
    });
    try {
      const tab = await chrome.newPage();
      await tab.goto(pathToFileURL(page).href);
      assert.equal(await tab.locator('article').count(), tagged);
      const marks = await tab.locator('mark').count();
      const all = events.reduce((sum, each) => sum + each.value.entities.length, 0);
      assert.ok(marks >= all, `${marks} highlights for ${all} mentions`);
    } finally {
      await chrome.close();
    }
  });

  it('ends at once, with a code, where its log cannot be opened', async () => {
    const cwd = temporaryFolder('demo');
    writeFileSync(join(cwd, '.clinstream'), '');
    const { code, stderr } = await clinstream(['demo', '--quiet'], { cwd });
    assert.match(stderr, /\[LOG_UNREADABLE\]/);
    assert.equal(code, 5);
  });
});
