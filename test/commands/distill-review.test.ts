/** If this fails, the error browser would lose a verdict, run what a note contains, or answer to a page of another site. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { chromium, type Page } from 'playwright-core';
import { distillReview, type ReviewFlags } from '../../src/commands/distill-review.ts';
import { loadConfig } from '../../src/config.ts';
import type { ReviewSummary } from '../../src/distill/review/summary.ts';
import type { VerdictRow } from '../../src/distill/review/verdicts.ts';
import { cleanEnvironment, clinstream, rows } from '../support/cli.ts';
import { MODEL_DIRECTORY, ROOT } from '../support/model.ts';
import { browser } from '../support/needs.ts';
import { temporaryFolder } from '../support/temporary.ts';

const folder = temporaryFolder('distill-review');
const corpus = join(folder, 'corpus');
const verdicts = join(folder, 'made/by/the/server/verdicts.jsonl');

const MARKUP = '<img src=x onerror="document.title=1">';
const HOSTILE = `💊 Note & "more":\r\n<script>document.title=1</script> ${MARKUP} </pre> is no disease.`;

function hostile(): object {
  const start = [...HOSTILE.slice(0, HOSTILE.indexOf(MARKUP))].length;
  const entities = [{ start, end: start + [...MARKUP].length, type: 'disease' }];
  return { id: 'hostile<b>', split: 'test', source: 'test', text: HOSTILE, entities };
}

const notes = readFileSync(resolve(import.meta.dirname, '../data/quality/teacher-dev.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map(line => JSON.parse(line) as { text: string })
  .slice(0, 4);
mkdirSync(join(corpus, 'teacher'), { recursive: true });
writeFileSync(
  join(corpus, 'teacher/notes.jsonl'),
  [hostile(), ...notes.map(row => ({ ...row, split: 'test' }))].map(each => `${JSON.stringify(each)}\n`).join(''),
);
const ARGS = ['distill', 'review', '--corpus', corpus, '--file', 'teacher/notes.jsonl', '--verdicts', verdicts];

interface Server {
  readonly url: string;
  readonly stderr: () => string;
  /** Exit code. */
  readonly stop: () => Promise<number | null>;
}

function serve(): Promise<Server> {
  const child: ChildProcess = spawn(process.execPath, [join(ROOT, 'src/main.ts'), ...ARGS], {
    env: cleanEnvironment({ CLINSTREAM_MODEL: MODEL_DIRECTORY }),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const closed = new Promise<number | null>(done => void child.on('close', done));
  let seen = '';
  return new Promise((done, fail) => {
    child.stderr?.on('data', text => {
      seen += String(text);
      const url = /errors to review at (http:\S+)/.exec(seen)?.[1];
      if (url === undefined) return;
      const stop = (): Promise<number | null> => {
        child.kill('SIGINT');
        return closed;
      };
      done({ url, stderr: () => seen, stop });
    });
    void closed.then(() => fail(new Error(`it ended: ${seen}`)));
  });
}

const saved = (): VerdictRow[] => rows<VerdictRow>(readFileSync(verdicts, 'utf8'));

/** Status and headers of a request that no browser would let a page make. */
function ask(
  url: string,
  { method = 'GET', body = '', ...headers }: Record<string, string>,
): Promise<{ status: number; text: string; cors: string | undefined }> {
  return new Promise((done, fail) => {
    const asked = request(url, { method, headers }, response => {
      let text = '';
      response.on('data', part => {
        text += String(part);
      });
      response.on('end', () =>
        done({ status: response.statusCode ?? 0, text, cors: response.headers['access-control-allow-origin'] }),
      );
    });
    asked.on('error', fail);
    asked.end(body);
  });
}

describe('the error browser', () => {
  const { path, skip } = browser();
  let server: Server;
  before(async () => {
    server = await serve();
  });
  after(() => server.stop());

  it('refuses other sites, other names for this machine, and verdicts that say nothing', async () => {
    const { host, origin } = new URL(server.url);
    const { session } = JSON.parse((await ask(`${server.url}/api/errors`, {})).text) as { session: string };
    const body = JSON.stringify({ session, error: 0, verdict: 'gold-right', reviewer: 'mallory' });
    const json = { method: 'POST', 'content-type': 'application/json' };
    const post = (headers: Record<string, string>) => ask(`${server.url}/api/verdicts`, { ...json, body, ...headers });
    const refused: readonly [number, string, Promise<{ status: number; text: string; cors: string | undefined }>][] = [
      [403, 'ORIGIN_REFUSED', post({})],
      [403, 'ORIGIN_REFUSED', post({ origin: 'https://evil.example' })],
      [403, 'ORIGIN_REFUSED', post({ origin: 'null' })],
      [403, 'ORIGIN_REFUSED', post({ origin: 'http://127.0.0.1:1' })],
      [403, 'HOST_REFUSED', post({ host: 'evil.example', origin: 'http://evil.example' })],
      [403, 'HOST_REFUSED', ask(`${server.url}/api/errors`, { host: `evil.example:${host.split(':')[1]}` })],
      [403, 'CROSS_SITE_REFUSED', ask(`${server.url}/api/errors`, { 'sec-fetch-site': 'cross-site' })],
      [415, 'REQUEST_INVALID', post({ origin, 'content-type': 'text/plain' })],
      [400, 'REQUEST_INVALID', post({ origin, body: '{' })],
      [400, 'VERDICT_INVALID', post({ origin, body: body.replace('gold-right', 'maybe') })],
      [400, 'VERDICT_INVALID', post({ origin, body: body.replace('mallory', ' ') })],
      [404, 'NO_SUCH_ERROR', post({ origin, body: body.replace('"error":0', '"error":99999') })],
      [409, 'PAGE_OUTDATED', post({ origin, body: body.replace(session, 'another') })],
    ];
    for (const [status, code, answer] of refused) {
      const found = await answer;
      assert.deepEqual([found.status, found.text, found.cors], [status, JSON.stringify({ code }), undefined]);
    }
    assert.throws(() => saved(), { code: 'ENOENT' });
  });

  it('keeps what reviewers in several tabs say, shows notes as text, and goes on after a restart', {
    skip,
  }, async () => {
    const chrome = await chromium.launch({ executablePath: path, args: ['--no-sandbox'] });
    const said: string[] = [];
    const open = async (reviewer: string): Promise<Page> => {
      const tab = await (await chrome.newContext()).newPage();
      tab.setDefaultTimeout(120_000); // a busy machine is no failure
      tab.on('console', message => void said.push(message.text()));
      await tab.goto(server.url);
      await tab.locator('body[data-ready]').waitFor();
      await tab.fill('#reviewer', reviewer);
      await tab.keyboard.press('Enter');
      return tab;
    };
    const current = (tab: Page): Promise<string | null> => tab.locator('#list [aria-current=true]').textContent();
    /** Presses a key, and waits for the words of another error. No waitForFunction: that looks once a frame, and a tab behind another may draw none. */
    const judge = async (tab: Page, key: string): Promise<void> => {
      const inView = await tab
        .locator('#list li:has([aria-current=true])')
        .evaluate(row => [...row.parentElement.children].indexOf(row));
      await tab.locator(`#context[data-error="${inView}"]`).waitFor();
      await tab.keyboard.press(key);
      await tab.locator(`#context:not([data-error="${inView}"])`).waitFor();
    };
    const progress = (tab: Page, text: string) => tab.locator('#progress', { hasText: text }).waitFor();
    try {
      const anna = await open('Anna');
      const ben = await open('Ben');
      // the hostile note's only error is in its gold
      await anna.locator('#list button', { hasText: 'onerror' }).click();
      await anna.locator('#about', { hasText: 'hostile<b>' }).waitFor();
      await anna.locator('#context .focus', { hasText: 'onerror' }).waitFor();
      assert.equal((await anna.locator('#context .focus').allTextContents()).join(''), MARKUP);
      await anna.keyboard.press('w');
      await anna.locator('#context', { hasText: /^💊 .* is no disease\.$/s }).waitFor();
      assert.equal(await anna.locator('#context').textContent(), HOSTILE);
      assert.match(await anna.title(), /^Errors to review$/);
      assert.equal(await anna.locator('#context script, #context img').count(), 0);
      // a border cannot be what is wrong with a span that nothing overlaps
      await anna.keyboard.press('3');
      await anna.locator('#problem', { hasText: 'overlaps' }).waitFor();
      await anna.fill('#comment', 'markup');
      await anna.keyboard.press('Enter');
      // what is being written stays, however much of the note is shown
      await anna.keyboard.press('w');
      await anna.keyboard.press('1');
      await progress(anna, '1 of');
      assert.deepEqual(
        saved().map(({ document, kind, verdict, reviewer, comment }) => [document, kind, verdict, reviewer, comment]),
        [['hostile<b>', 'fn', 'tagger-right', 'Anna', 'markup']],
      );
      // a comment is its reviewer's, on the error in view too
      for (const [name, comment] of [
        ['Anna', 'markup'],
        ['Carl', ''],
        ['Anna', 'markup'],
      ] as const) {
        await anna.fill('#reviewer', name);
        await anna.locator('#list button', { hasText: 'onerror' }).click();
        assert.equal(await anna.inputValue('#comment'), comment, name);
      }

      // both at once, from the first error on that nobody has judged
      for (const tab of [anna, ben]) await tab.selectOption('#verdict', 'none');
      for (const tab of [anna, ben]) await tab.locator('#list button:visible').first().click();
      await Promise.all([
        (async () => {
          for (const key of ['2', '4', '1']) await judge(anna, key);
        })(),
        (async () => {
          for (const key of ['1', '1', '2', '2']) await judge(ben, key);
        })(),
      ]);
      await progress(anna, '4 of');
      await progress(ben, '4 of');
      const byReviewer = (name: string) =>
        saved()
          .filter(each => each.reviewer === name)
          .map(each => each.verdict);
      assert.deepEqual(byReviewer('Anna'), ['tagger-right', 'gold-right', 'cannot-tell', 'tagger-right']);
      assert.deepEqual(byReviewer('Ben'), ['tagger-right', 'tagger-right', 'gold-right', 'gold-right']);

      // filters, and a verdict that is changed
      await anna.selectOption('#verdict', 'cannot-tell');
      assert.equal(await anna.locator('#list button:visible').count(), 1);
      const before = await current(anna);
      await anna.keyboard.press('2');
      await anna.locator('#nothing').waitFor();
      assert.match(before ?? '', /cannot tell/);
      await anna.selectOption('#verdict', '');
      await anna.selectOption('#kind', 'fn');
      assert.ok((await anna.locator('#list button:visible').allTextContents()).every(each => each.startsWith('FN ')));

      // a reload, and another start of the program
      await anna.reload();
      await progress(anna, '4 of');
      assert.deepEqual(said, []);
      const { url } = server;
      assert.equal(await server.stop(), 0);
      await anna.keyboard.press('j');
      await anna.keyboard.press('1');
      await anna.locator('#problem', { hasText: /NOT saved|Out of touch|cannot be shown/ }).waitFor();
      assert.equal(saved().length, 9);
      server = await serve();
      assert.notEqual(server.url, url);
      const later = await open('Anna');
      await progress(later, '4 of');
      await later.click('#score');
      await later.locator('#summary-text', { hasText: 'Anna 4, Ben 4' }).waitFor();
      assert.match((await later.locator('#summary-text').textContent()) ?? '', /The review is PARTIAL/);
    } finally {
      await chrome.close();
    }
    const texts = [HOSTILE, ...notes.map(each => each.text)]
      .flatMap(each => each.split(/[\r\n.]/))
      .filter(each => each.trim().length > 12);
    const written = server.stderr() + readFileSync(verdicts, 'utf8');
    assert.deepEqual(
      texts.filter(each => written.includes(each.trim())),
      [],
    );
  });

  it('says what the review has come to, without a page', { skip }, async () => {
    const json = join(folder, 'summary.json');
    const { code, stdout, stderr } = await clinstream([...ARGS, '--summary', '--json', json]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /Reviewers: Anna 4, Ben 4/);
    const summary = JSON.parse(readFileSync(json, 'utf8')) as ReviewSummary;
    const reviewed = summary.tasks.reduce((all, each) => all + each.fp.reviewed + each.fn.reviewed, 0);
    assert.equal(
      reviewed,
      new Set(saved().map(({ document, kind, start, task }) => `${document} ${kind} ${start} ${task}`)).size,
    );
    assert.equal(summary.verdicts.counted, 8);
    // the gold of the hostile note was wrong, says Anna: its false negative is gone
    const disease = summary.tasks.find(each => each.task === 'disease');
    assert.ok((disease?.adjusted.exact.f1 ?? 0) > (disease?.raw.exact.f1 ?? 1));
  });

  it('counts a last line without an end, or says that it is no verdict', { skip }, async () => {
    const summary = async (text: string): Promise<{ summary: ReviewSummary; stderr: string }> => {
      const path = join(folder, 'endless.jsonl');
      const json = join(folder, 'endless.json');
      writeFileSync(path, text);
      const asked = ['--verdicts', path, '--summary', '--json', json];
      const { code, stderr } = await clinstream([...ARGS, ...asked]);
      assert.equal(code, 0, stderr);
      return { summary: JSON.parse(readFileSync(json, 'utf8')) as ReviewSummary, stderr };
    };
    const [first] = saved();
    const whole = await summary(JSON.stringify(first));
    assert.equal(whole.summary.verdicts.counted, 1);
    assert.doesNotMatch(whole.stderr, /half-written/);
    const torn = await summary(JSON.stringify(first).slice(0, -9));
    assert.equal(torn.summary.verdicts.counted, 0);
    assert.match(torn.stderr, /1 half-written lines in the verdicts file are left out/);
  });

  it('refuses what would overwrite or cannot be reviewed', async () => {
    const config = loadConfig({ env: {}, overrides: { model: MODEL_DIRECTORY } });
    const io = { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, env: {}, now: Date.now };
    const review = { corpus, file: 'teacher/notes.jsonl', split: 'test', verdicts, port: 0, summary: true } as const;
    const refused = (code: string, message: RegExp, flags: Partial<ReviewFlags>): Promise<void> =>
      assert.rejects(distillReview(config, { ...review, ...flags }, io), { code, message });
    const wrong = join(folder, 'wrong.jsonl');
    writeFileSync(wrong, '{"verdict":"yes"}\n');
    await refused('CONFIG_INVALID', /^--verdicts: .* is the gold file/, {
      verdicts: join(corpus, 'teacher/notes.jsonl'),
    });
    await refused('CONFIG_INVALID', /^--json is of the summary/, { json: 'x.json', summary: false });
    await refused('CONFIG_INVALID', /^--json: .* is read/, { json: verdicts });
    await refused('CONFIG_INVALID', /^--file: other\.jsonl .*--task/, { file: 'other.jsonl' });
    await refused('CONFIG_INVALID', /^--task: the model has no pain/, { task: new Map([['pain', ['Pain']]]) });
    await refused('CORPUS_MISSING', /holds no dev documents/, { split: 'dev' });
    await refused('VERDICTS_INVALID', /wrong\.jsonl:1: /, { verdicts: wrong });
  });
});
