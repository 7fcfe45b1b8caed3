/** If this fails, the labels of a teacher are paid for twice, sent without leave, or are not what the teacher said. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { readCorpus } from '../../src/distill/corpus.ts';
import type { FaultPlan } from '../emulators/faults.ts';
import { Gold } from '../emulators/gold.ts';
import { openAiEmulator } from '../emulators/openai.ts';
import { cleanEnvironment, clinstream } from '../support/cli.ts';
import { ROOT } from '../support/model.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { CANARY, KEY, MODELS, tidied } from '../teachers/support.ts';

const folder = temporaryFolder('annotate');
const corpus = join(folder, 'corpus');
/** The last has a web address, at which the tripwire fires. */
const TEXTS = [
  `Takes aspirin for a headache; ${CANARY}.`,
  'Gout 🦶 since May, takes colchicine.',
  'Denies nausea. On metformin.',
  'Sees http://example.org about aspirin.',
];
const QUOTES = {
  medication: ['aspirin', 'colchicine', 'metformin'],
  disease: ['Gout'],
  symptom: ['headache', 'nausea'],
};
const SENT = 3;
const TASKS = 3;

mkdirSync(join(corpus, 'notes'), { recursive: true });
writeFileSync(
  join(corpus, 'notes/made.jsonl'),
  TEXTS.map((text, i) => `${JSON.stringify({ id: `d${i}`, split: 'dev', text, entities: [] })}\n`).join(''),
);

let runs = 0;

async function stage(faults: FaultPlan = {}, latencyMs = 0) {
  const gold = new Gold(TEXTS.map(text => ({ text, quotes: QUOTES })));
  const emulator = await tidied(openAiEmulator({ gold, faults, latencyMs, apiKey: KEY, models: MODELS }));
  const out = join(folder, `run-${runs++}`);
  const teacher = {
    name: 'mini',
    kind: 'openai',
    model: 'gpt-4o-mini-2024-07-18',
    baseUrl: `${emulator.url}/v1`,
    keyFrom: 'MINI_KEY',
  };
  const env = {
    CLINSTREAM_ESCALATION_TEACHERS: JSON.stringify([teacher]),
    CLINSTREAM_EGRESS_ALLOW: '127.0.0.1',
    MINI_KEY: KEY,
  };
  const args = argsOf(out);
  const run = (...more: string[]) => clinstream([...args, ...more], { env });
  return { emulator, out, env, args, run };
}

const argsOf = (out: string): string[] => [
  ...['distill', 'annotate', '--corpus', corpus, '--file', 'notes/made.jsonl', '--out', out, '--teacher', 'mini'],
];

const PAID = ['--max-usd', '1', '--deidentified', 'synthetic'];

/** Mentions as text, by document. */
function labels(out: string, teacher = 'mini'): Record<string, string[]> {
  const documents = readCorpus(out, `${teacher}.jsonl`, 'dev');
  return Object.fromEntries(
    documents.map(({ id, text, entities }) => [
      id,
      entities.map(({ start, end, type }) => `${type} ${[...text].slice(start, end).join('')}`),
    ]),
  );
}

const EXPECTED = {
  d0: ['medication aspirin', 'symptom headache'],
  d1: ['medication colchicine', 'disease Gout'],
  d2: ['medication metformin', 'symptom nausea'],
};

describe('distill annotate', { timeout: 480_000 }, () => {
  it('writes what a teacher says, in a corpus’s format, and pays for it once', async () => {
    const { emulator, out, run } = await stage();
    const first = await run(...PAID);
    assert.equal(first.code, 3, first.stderr);
    assert.match(first.stderr, /mini: 9 requests, 0 answered before, at most \$0\.02\d\d\n/);
    assert.match(first.stdout, /3 of 4 documents labelled, 1 × medication NOTE_REFUSED, .*, \$0\.\d{4}\n$/);
    assert.deepEqual(labels(out), EXPECTED);
    assert.equal(emulator.asked.all.length, SENT * TASKS);
    const again = await run(...PAID);
    assert.match(
      again.stderr,
      /9 requests, 9 answered before, at most \$0\.0000; \$0\.00\d\d were spent here before\n/,
    );
    assert.match(again.stdout, /\$0\.0000\n$/);
    assert.deepEqual([labels(out), emulator.asked.all.length], [EXPECTED, SENT * TASKS]);
    const report = JSON.parse(readFileSync(join(out, 'mini.run.json'), 'utf8'));
    assert.deepEqual(report.undecided[0], { id: 'd3', task: 'medication', reason: 'NOTE_REFUSED' });
    assert.ok(report.usdInAll > 0 && report.thisRun.usd === 0, 'the labels cost what they did, and this run nothing');
    assert.match(report.prompts.symptom, /^[0-9a-f]{64}$/);
    assert.match(report.models.symptom, /^gpt-4o-mini/);
    assert.equal(statSync(join(out, 'mini.jsonl')).mode & 0o077, 0, 'its owner’s alone');
    for (const said of [first, again, { stdout: JSON.stringify(report), stderr: '' }])
      assert.ok(!`${said.stdout}${said.stderr}`.includes(CANARY) && !`${said.stdout}${said.stderr}`.includes(KEY));
  });

  it('begins no document that may cost more than is left, keeps what is done, and goes on with more', async () => {
    const { emulator, out, run } = await stage();
    const [cap, ...how] = ['0.0089', '--deidentified', 'synthetic'];
    const capped = await run('--max-usd', cap as string, ...how);
    assert.equal(capped.code, 6);
    assert.match(capped.stderr, /documents are left \(\d of mini\) .*\[COST_CAP_REACHED\]/);
    const done = Object.keys(labels(out)).length;
    assert.ok(done > 0 && done < SENT, `${done} labelled`);
    const spent = JSON.parse(readFileSync(join(out, 'mini.run.json'), 'utf8')).usdInAll;
    assert.ok(spent > 0 && spent <= Number(cap), `${spent}`);
    assert.equal((await run(...PAID)).code, 3);
    assert.deepEqual([labels(out), emulator.asked.all.length], [EXPECTED, SENT * TASKS]);
    const nothing = await (await stage()).run('--deidentified', 'synthetic');
    assert.deepEqual([nothing.code, /COST_CAP_REACHED/.test(nothing.stderr)], [6, true], 'by default nothing is spent');
  });

  it('goes on where it was killed, and asks again only what had no answer', async () => {
    const { emulator, out, env, args } = await stage({ about: { metformin: ['hang'] } });
    const run = () =>
      spawn(process.execPath, [join(ROOT, 'src/main.ts'), ...args, ...PAID], {
        env: cleanEnvironment(env),
        stdio: 'ignore',
      });
    const killed = run();
    await emulator.asked.until(all => all.length >= 2 * TASKS + 1);
    await emulator.asked.until(() => emulator.asked.billed().size >= 2);
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    assert.equal(existsSync(join(out, 'mini.jsonl')), false, 'nothing is half written');
    const [code] = await once(run(), 'exit');
    assert.equal(code, 3);
    assert.deepEqual(labels(out), EXPECTED);
    assert.ok(
      emulator.asked.all.length <= SENT * TASKS + 3,
      `${emulator.asked.all.length}: at most those under way again`,
    );
  });

  it('waits for what is paid for when it is interrupted, and asks none of it again', async () => {
    const { emulator, out, env, args, run } = await stage({}, 1_500);
    const child = spawn(process.execPath, [join(ROOT, 'src/main.ts'), ...args, ...PAID, '--quiet'], {
      env: cleanEnvironment(env),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', text => {
      said += String(text);
    });
    await emulator.asked.until(all => all.length > 0);
    child.kill('SIGINT');
    const [code] = await once(child, 'exit');
    assert.equal(code, 130);
    assert.equal(
      said,
      'interrupted: waiting for replies that are paid for\nwhat was answered is kept, so run it again to go on\n',
    );
    assert.equal(existsSync(join(out, 'mini.jsonl')), false);
    const before = emulator.asked.all.length;
    assert.ok(before < SENT * TASKS, `${before} asked`);
    assert.equal((await run(...PAID)).code, 3);
    assert.deepEqual([labels(out), emulator.asked.all.length], [EXPECTED, SENT * TASKS]);
  });

  it('is stopped by a cap that was used up on other days and by other runs', async () => {
    const { emulator, out, env, run } = await stage();
    assert.equal((await run(...PAID, '--task', 'disease')).code, 3);
    const { usdInAll } = JSON.parse(readFileSync(join(out, 'mini.run.json'), 'utf8'));
    const state = new DatabaseSync(join(out, 'state/mini/state.sqlite'));
    state.prepare("UPDATE budget_day SET day = '2020-01-01'").run();
    state.prepare('DELETE FROM reply').run();
    state.close();
    const asked = emulator.asked.all.length;
    const again = await run('--task', 'disease', '--max-usd', String(usdInAll + 0.001), '--deidentified', 'synthetic');
    assert.deepEqual([again.code, emulator.asked.all.length], [6, asked], again.stderr);
    const other = await run(...PAID);
    assert.deepEqual(
      [other.code, /a folder of its own/.test(other.stderr)],
      [2, true],
      'nor does it replace other labels',
    );
    const free = ['--teacher', 'dictionary', '--task', 'disease', '--deidentified', 'synthetic'];
    const both = await clinstream([...argsOf(out), ...free], { env });
    assert.deepEqual(
      [both.code, existsSync(join(out, 'dictionary.jsonl'))],
      [6, true],
      'who is free reads all the same',
    );
  });

  it('asks by guidelines of one’s own, and replaces no labels that another prompt gave', async () => {
    const { emulator, out, run, args, env } = await stage();
    const path = join(folder, 'guidelines.md');
    writeFileSync(path, 'Mark drugs.\n');
    const own = ['--task', 'medication', '--quiet'];
    assert.equal((await run(...PAID, ...own)).code, 3);
    const before = readFileSync(join(out, 'mini.run.json'), 'utf8');
    const mixed = await run(...PAID, ...own, '--guidelines', path);
    assert.deepEqual([mixed.code, /is of another prompt/.test(mixed.stderr)], [2, true]);
    assert.deepEqual([readFileSync(join(out, 'mini.run.json'), 'utf8'), emulator.asked.all.length], [before, SENT]);
    const elsewhere = args.map(each => (each === out ? `${out}-own` : each));
    const told = await clinstream([...elsewhere, ...PAID, ...own, '--guidelines', path], { env });
    assert.equal(told.code, 3, told.stderr);
    assert.equal(emulator.asked.all.length, 2 * SENT);
    assert.equal(new Set(emulator.asked.all.map(each => each.aroundSha256)).size, 2, 'two prompts were sent');
    const configured = JSON.parse(env.CLINSTREAM_ESCALATION_TEACHERS) as object[];
    const inConfig = {
      ...env,
      CLINSTREAM_ESCALATION_TEACHERS: JSON.stringify([{ ...configured[0], guidelines: path }]),
    };
    assert.equal((await clinstream([...elsewhere, ...PAID, ...own], { env: inConfig })).code, 3);
    assert.equal(emulator.asked.all.length, 2 * SENT, 'the same guidelines in the configuration are the same prompt');
  });

  it('replaces no labels that another model gave under the same name', async () => {
    const { emulator, out, run, args, env } = await stage();
    const own = ['--task', 'medication', '--quiet'];
    assert.equal((await run(...PAID, ...own)).code, 3);
    const before = readFileSync(join(out, 'mini.run.json'), 'utf8');
    const [mini] = JSON.parse(env.CLINSTREAM_ESCALATION_TEACHERS) as [object];
    const teachers = JSON.stringify([{ ...mini, model: 'gpt-4o-2024-08-06' }]);
    const other = await clinstream([...args, ...PAID, ...own], {
      env: { ...env, CLINSTREAM_ESCALATION_TEACHERS: teachers },
    });
    assert.deepEqual([other.code, /is of another model/.test(other.stderr)], [2, true], other.stderr);
    assert.deepEqual([readFileSync(join(out, 'mini.run.json'), 'utf8'), emulator.asked.all.length], [before, SENT]);
  });

  it('says what each and all may cost before any is asked, and asks none where a later one’s labels would be replaced', async () => {
    const { emulator, out, env, args, run } = await stage();
    const [mini] = JSON.parse(env.CLINSTREAM_ESCALATION_TEACHERS) as [object];
    const two = { ...env, CLINSTREAM_ESCALATION_TEACHERS: JSON.stringify([mini, { ...mini, name: 'other' }]) };
    const all = [...args, 'other', 'dictionary', ...PAID, '--task', 'disease'];
    assert.equal((await run(...PAID, '--task', 'disease')).code, 3);
    const first = await clinstream(all, { env: two });
    assert.equal(first.code, 3, first.stderr);
    const each = [...first.stderr.matchAll(/^(\w+): \d requests, \d answered before, at most \$(\S+?)(;.*)?$/gm)];
    assert.deepEqual(
      each.map(([, name, usd]) => [name, Number(usd) > 0]),
      [
        ['mini', false],
        ['other', true],
        ['dictionary', false],
      ],
    );
    const total =
      /^all teachers: at most \$(\S+); --max-usd 1 for each of 2 that are paid is \$2\.0000 in all, of which \$0\.00\d\d were spent before$/m;
    assert.equal(total.exec(first.stderr)?.[1], each[1]?.[2]);
    assert.ok(first.stderr.search(total) < first.stderr.indexOf('mini: 4/4 documents'), 'before the first is read');

    rmSync(join(out, 'mini.jsonl'));
    rmSync(join(out, 'state/mini'), { recursive: true });
    const path = join(out, 'other.run.json');
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), split: 'test' }));
    const asked = emulator.asked.all.length;
    const refused = await clinstream(all, { env: two });
    assert.deepEqual([refused.code, /other\.run\.json is of .*test/.test(refused.stderr)], [2, true], refused.stderr);
    writeFileSync(path, '{"teacher": CANARY');
    const torn = await clinstream(all, { env: two });
    assert.deepEqual([torn.code, torn.stderr.includes('CANARY')], [2, false], torn.stderr);
    assert.match(torn.stderr, /other\.run\.json is no run of 'distill annotate'/);
    assert.deepEqual([emulator.asked.all.length, existsSync(join(out, 'mini.jsonl'))], [asked, false]);
  });

  it('reads with the dictionaries on this machine without configuration, sending nothing', async () => {
    const { emulator, out, args } = await stage();
    const { code, stderr } = await clinstream([...args.slice(0, -1), 'dictionary', '--task', 'medication', '--quiet']);
    assert.equal(code, 3, stderr);
    assert.deepEqual(labels(out, 'dictionary'), {
      d0: ['medication aspirin'],
      d1: ['medication colchicine'],
      d2: ['medication metformin'],
    });
    assert.equal(emulator.asked.all.length, 0);
  });

  it('refuses before anything is sent: no word on de-identification, no such teacher, no such task, no such corpus', async () => {
    const { emulator, args, run } = await stage();
    const cases = [
      [await run('--max-usd', '1'), 2, /--deidentified is missing: mini sends the documents to 127\.0\.0\.1/],
      [await clinstream([...args.slice(0, -1), 'nobody']), 2, /no teacher of the name nobody/],
      [await run(...PAID, '--task', 'allergy'), 2, /no --teacher can be asked about allergy/],
      [await run(...PAID, '--task', 'disease', 'disease'), 2, /--task: disease stands there twice/],
      [await run(...PAID, '--teacher', 'mini'), 2, /--teacher: mini stands there twice/],
      [await run('--deidentified', ' '), 2, /--deidentified: it says nothing/],
      [await run(...PAID, '--split', 'test'), 6, /has no test document .*CORPUS_MISSING/],
      [await clinstream([...args.slice(0, -3), join(corpus, 'notes'), '--teacher', 'made']), 2, /would replace/],
      [await run(...PAID, '--max-usd', '-1'), 2, /a number from 0 is needed/],
      [await run(...PAID, '--file', 'missing.jsonl'), 6, /CORPUS_MISSING/],
    ] as const;
    for (const [{ code, stderr }, expected, message] of cases) {
      assert.equal(code, expected, stderr);
      assert.match(stderr, message);
    }
    assert.equal(emulator.asked.all.length, 0);
  });
});
