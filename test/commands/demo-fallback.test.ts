/**
 * If these fail, the demo of the fallback would claim what the topics do not hold, pass off an emulator's answers as a provider's, or
 * leave the emulator running.
 */
import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, symlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FallbackResult } from '../../src/commands/demo-fallback-report.ts';
import { FALLBACK_DATA, MODEL, TEACHER } from '../../src/commands/demo-fallback-settings.ts';
import type { EntitiesEvent, EscalationEvent, ReviewEvent } from '../../src/events/generated.ts';
import { cleanEnvironment, clinstream, rows } from '../support/cli.ts';
import { ROOT } from '../support/model.ts';
import { temporaryFolder } from '../support/temporary.ts';

const MAIN = join(ROOT, 'src/main.ts');
const folder = temporaryFolder('demo-fallback');
const place = (): string => mkdtempSync(join(folder, 'run-'));
/** Few, and so many that every act has a doubtful one. */
const NOTES = 30;
const REAL_KEY = 'sk-of-a-real-provider';
const DEMO = ['demo', '--fallback', 'simulated', '--notes', String(NOTES)];

async function topic<T>(name: string, cwd: string): Promise<T[]> {
  const { stdout, stderr, code } = await clinstream(['consume', name, '--until-end', '--data', FALLBACK_DATA], { cwd });
  assert.equal(code, 0, stderr);
  return rows<{ value: T }>(stdout).map(({ value }) => value);
}

/** Whether somebody listens there. */
function listens(host: string): Promise<boolean> {
  const [name = '', port] = host.split(':');
  return new Promise(resolve => {
    const socket = connect(Number(port), name);
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

const hostIn = (text: string): string => /listens on (127\.0\.0\.1:\d+)/.exec(text)?.[1] ?? '';

/** It must not take longer, on any machine. */
const LIMIT = { timeout: 90_000, killSignal: 'SIGKILL' } as const;

/** The whole demo. */
async function demo(
  args: readonly string[],
  { cwd, env = {}, main = MAIN }: { cwd: string; env?: NodeJS.ProcessEnv; main?: string },
) {
  const child = spawn(process.execPath, [main, ...args], { cwd, env: cleanEnvironment(env), ...LIMIT });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', text => {
      said[name] += text;
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...said };
}

/** The demo, once its error output has said `words`. */
async function demoUntil(t: TestContext, words: string) {
  const child = spawn(process.execPath, [MAIN, ...DEMO], { cwd: place(), env: cleanEnvironment(), ...LIMIT });
  t.after(() => child.kill('SIGKILL'));
  const said = { stderr: '' };
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  await until(child, words, said);
  const host = hostIn(said.stderr);
  assert.ok(await listens(host), 'the emulator is there');
  return { child, said, closed, host };
}

function until(child: ChildProcessWithoutNullStreams, words: string, said: { stderr: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', text => {
      said.stderr += text;
      if (said.stderr.includes(words)) resolve();
    });
    child.once('close', () => reject(new Error(`it ended before it said: ${words}\n${said.stderr}`)));
  });
}

describe('clinstream demo --fallback simulated', { timeout: 240_000 }, () => {
  it('says what the topics hold, marks all that is simulated, and leaves nobody behind', async () => {
    const cwd = place();
    // neither teachers nor keys of the user's own are looked at
    const own = [{ name: 'own', kind: 'openai', model: MODEL }];
    const env = { OPENAI_API_KEY: REAL_KEY, CLINSTREAM_ESCALATION_TEACHERS: JSON.stringify(own) };
    const { code, stdout, stderr } = await demo(DEMO, { cwd, env });
    assert.equal(code, 0, stderr);

    const entities = await topic<EntitiesEvent>('clinical.entities', cwd);
    const escalations = await topic<EscalationEvent>('clinical.escalations', cwd);
    const reviews = await topic<ReviewEvent>('clinical.review', cwd);
    const first = entities.filter(each => each.revision === 1);
    const provisional = first.filter(each => each.status === 'PROVISIONAL').map(each => each.noteId);
    const final = entities.filter(each => each.revision === 2 && each.status === 'FINAL').map(each => each.noteId);
    const ends = [...final, ...reviews.map(each => each.noteId)];
    assert.deepEqual(escalations.map(each => each.note.noteId).sort(), provisional.sort());
    assert.deepEqual(ends.sort(), provisional, 'each doubtful note has one end');
    assert.ok(final.length > 0);
    const reasons = reviews.map(each => each.reason);
    for (const reason of ['REPLY_UNUSABLE', 'BUDGET_SPENT']) assert.ok(reasons.includes(reason), reason);
    const answers = entities.filter(each => each.revision === 2).flatMap(each => each.tasks);
    assert.ok(answers.some(each => each.decidedBy === `teacher:${TEACHER}`));
    assert.match(TEACHER, /^simulated/);

    const counts = JSON.parse(readFileSync(join(cwd, FALLBACK_DATA, 'summary.json'), 'utf8')) as FallbackResult;
    assert.equal(counts.simulated, true);
    const { escalated, revised, reviewed, deadLettered, inFlight } = counts.escalations;
    assert.deepEqual(
      [escalated, revised, reviewed, deadLettered, inFlight],
      [provisional.length, final.length, reviews.length, 0, 0],
    );
    assert.ok(
      stdout.includes(`${escalated} = ${revised} revised + ${reviewed} reviewed + 0 dead-lettered + 0 in flight`),
      stdout,
    );
    assert.ok(stdout.includes(`${NOTES} in, ${first.length} tagged`), stdout);

    const host = hostIn(stderr);
    const { requests } = counts;
    assert.deepEqual(requests.hosts, [host], 'nothing was sent anywhere else');
    assert.equal(requests.asked.billedTwice, 0);
    const { inputTokens, outputTokens } = requests.asked;
    const { models } = JSON.parse(readFileSync(join(ROOT, 'src/teachers/prices.json'), 'utf8'));
    const price = models[MODEL].usdPerMillion as { input: number; output: number };
    const usd = (inputTokens * price.input + outputTokens * price.output) / 1e6;
    assert.ok(Math.abs(requests.usd - usd) < 1e-6, `${requests.usd} by the audit trail, ${usd} by the emulator`);
    assert.ok((requests.byOutcome.TEACHER_TIMEOUT ?? 0) >= 3, 'it hung');

    const timeline = stderr.split('\n').filter(line => line !== '');
    for (const line of timeline) assert.match(line, /^ *\d+\.\d s {2}\S/, 'one plain line each');
    const at = (words: string): number => timeline.findIndex(line => line.includes(words));
    const order = ['hangs (simulated)', 'breaker open; the escalator', 'half-open', 'breaker open again'];
    const places = [...order, 'well again (simulated)', 'breaker closed'].map(at);
    assert.deepEqual(
      places,
      places.toSorted((a, b) => a - b),
      stderr,
    );
    // on a slow machine the next probe comes first
    assert.ok(at('tagger goes on') > at('breaker open; the escalator'), stderr);
    assert.ok(!places.includes(-1), stderr);

    const page = readFileSync(join(cwd, FALLBACK_DATA, 'entities.html'), 'utf8');
    assert.match(page, /<h1>[^<]*simulated teacher/);
    const revised2 = [...page.matchAll(/<h2>([^<]*revision 2[^<]*)</g)].map(match => match[1] as string);
    assert.equal(revised2.length, entities.length - first.length);
    for (const heading of revised2) assert.ok(heading.includes('(simulated)'), heading);
    for (const line of stdout.split('\n').filter(each => /^(requests|paid)|\$/.test(each)))
      assert.ok(line.includes('simulated'), line);
    for (const said of [stdout, stderr]) assert.ok(!said.includes(REAL_KEY));
    assert.equal(await listens(host), false, 'the emulator is gone');
  });

  it('ends on SIGINT while the provider hangs, and the emulator with it', async t => {
    const { child, said, closed, host } = await demoUntil(t, 'breaker open');
    child.kill('SIGINT');
    assert.deepEqual(await closed, [130, null], said.stderr);
    assert.match(said.stderr, /interrupted: the demo has stopped/);
    assert.equal(await listens(host), false);
  });

  it('does not leave the emulator behind even when it is killed', async t => {
    const { child, closed, host } = await demoUntil(t, 'model notes-minilm');
    child.kill('SIGKILL');
    await closed;
    // it notices that its input has ended: no more is promised than that it will
    while (await listens(host)) await sleep(50);
  });

  it('says nothing but the result with --quiet', async () => {
    const { code, stdout, stderr } = await demo([...DEMO, '--quiet'], { cwd: place() });
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /escalated +\d+ = /);
  });

  it('says what is missing where test/ is not installed', async () => {
    const cwd = place();
    cpSync(join(ROOT, 'src'), join(cwd, 'src'), { recursive: true });
    for (const name of ['package.json', 'schemas', 'models', 'node_modules'])
      symlinkSync(join(ROOT, name), join(cwd, name));
    const { code, stderr } = await demo(DEMO, { cwd, main: join(cwd, 'src/main.ts') });
    assert.equal(code, 2);
    assert.match(stderr, /simulated teacher is not installed.*clone of the repository \[EMULATOR_MISSING\]/);
  });

  it('refuses --notes where it means nothing', async () => {
    const cwd = place();
    const without = await demo(['demo', '--notes', '20'], { cwd });
    assert.deepEqual([without.code, /--notes goes with --fallback/.test(without.stderr)], [2, true], without.stderr);
    const few = await demo(['demo', '--fallback', 'simulated', '--notes', '3'], { cwd });
    assert.deepEqual([few.code, /takes 10 to 140 notes/.test(few.stderr)], [2, true], few.stderr);
  });
});
