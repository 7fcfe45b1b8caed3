/** If this fails, two commits can no longer be compared on the real program, or a comparison leaves something of itself behind. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Comparison } from '../../src/benchmark/compare-report.ts';
import { answersAll } from '../../src/commands/bench/compare-turn.ts';
import { withoutNoteText } from '../../src/commands/bench/without-note-text.ts';
import { cleanEnvironment, clinstream } from '../support/cli.ts';
import { ROOT } from '../support/model.ts';
import { programsWith } from '../support/programs.ts';
import { temporaryFolder } from '../support/temporary.ts';

const NO_CHECKOUT = 'SKIPPED: commits are compared in a git checkout only';
const skip = existsSync(join(ROOT, '.git')) || process.env.CI !== undefined ? false : NO_CHECKOUT;

const folder = temporaryFolder('bench-compare');
/** Where the comparisons put all that they make; nothing may stay there. */
const scratch = join(folder, 'scratch');
mkdirSync(scratch);
const env = { TMPDIR: scratch, TMP: scratch, TEMP: scratch };

const file = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const oneWorker = file('one-worker.json', '{"inference": {"workers": 1}}');
const unknownKey = file('unknown-key.json', '{"inference": {"wokers": 1}}');
const note = (text: string, more: object = {}) =>
  JSON.stringify({
    ...{ noteId: 'n', patientId: text, noteType: 'Note', authoredAt: '2026-03-01', text },
    ...{ deidentification: { method: 'made up', version: '1' } },
    ...more,
  });
const input = file(
  'notes.jsonl',
  [
    note('Takes lisinopril for hypertension.'),
    note('Reports a headache and nausea since Monday.'),
    note('Never attested.', { deidentification: null }),
    note('Asthma, well controlled on albuterol.'),
  ].join('\n'),
);
const compare = (args: readonly string[], more: NodeJS.ProcessEnv = {}) =>
  clinstream(['bench', 'compare', ...args, '--input', input, '--rounds', '1'], { env: { ...env, ...more } });
/** Of ours: onnxruntime leaves files of its own. */
const inScratch = (): string[] => readdirSync(scratch).filter(name => name.startsWith('clinstream-'));
const leftovers = (): string[] => [
  ...inScratch(),
  ...execFileSync('git', ['worktree', 'list', '--porcelain'], { cwd: ROOT, encoding: 'utf8' })
    .split('\n')
    .filter(line => line.includes(scratch)),
];

describe('bench compare', { timeout: 240_000 }, () => {
  it('measures a commit against a configuration, and finds the same in the same notes', { skip }, async () => {
    const results = join(folder, 'results');
    const { code, stdout, stderr } = await compare(['HEAD', oneWorker, '--notes', '8', '--write', results]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /warming up: .*\nround 1 of 1: A [\d.]+ notes\/s, B [\d.]+ notes\/s/);
    assert.match(stdout, /The entities of all 6 notes are the same\./);
    assert.equal(readFileSync(join(results, 'compare-HEAD-one-worker.md'), 'utf8'), stdout);
    const result = JSON.parse(readFileSync(join(results, 'compare-HEAD-one-worker.json'), 'utf8')) as Comparison;
    const { A, B } = result.versionsCompared;
    const head = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: ROOT, encoding: 'utf8' });
    assert.ok(head.startsWith(A.commit) && head.startsWith(B.commit.replace('-dirty', '')));
    assert.deepEqual([A.configuration, B.configuration], [{}, { inference: { workers: 1 } }]);
    assert.deepEqual([A.deadLetters, B.deadLetters], [2, 2]);
    assert.deepEqual(A.model, B.model);
    assert.deepEqual(result.answers, { notes: 6, different: 0, unsteady: { A: 0, B: 0 } });
    assert.equal(result.notesPerTurn, 8);
    assert.ok(result.tokensPerTurn > 40);
    assert.equal(result.rounds.length, 1);
    for (const figures of [result.rounds[0]?.A, result.rounds[0]?.B]) {
      const { notesPerSecond, startSeconds, peakBytes, cpuSecondsPerNote } = figures ?? {};
      assert.ok(Number(notesPerSecond) > 0 && Number(startSeconds) > 0);
      if (process.platform === 'linux') assert.ok(Number(peakBytes) > 50e6 && Number(cpuSecondsPerNote) >= 0);
    }
    assert.equal(result.ratios.notesPerSecond?.finding, 'too few rounds');
    assert.match(result.command, /^npm run bench -- compare HEAD \S+one-worker\.json --rounds 1 --notes 8 --input /);
    assert.equal(result.versions.node, process.version);
    assert.match(String(result.versions['onnxruntime-node']), /^\d+\.\d+/);
    assert.equal(result.machine.loadAverage.length, 3);
    assert.deepEqual(leftovers(), []);
  });

  it('says in one line why a program did not run, and leaves nothing behind', { skip }, async () => {
    const { code, stderr } = await compare([`HEAD:${unknownKey}`, '.']);
    assert.equal(code, 2);
    assert.match(stderr, /unknown-key\.json ended with 2: clinstream: inference\.wokers .* \[PROGRAM_FAILED\]\n$/);
    assert.deepEqual(leftovers(), []);
  });

  it('takes a turn of one note for a wrong option', { skip }, async () => {
    const { code, stderr } = await compare(['HEAD', '.', '--notes', '1']);
    assert.equal(code, 2, stderr);
  });

  it('is interrupted by Ctrl-C, and leaves nothing behind', {
    skip: skip || (process.platform !== 'linux' && 'SKIPPED: needs /proc'),
  }, async () => {
    const args = [join(ROOT, 'src/main.ts'), 'bench', 'compare', 'HEAD', '.', '--input', input];
    const child = spawn(process.execPath, args, { cwd: ROOT, env: cleanEnvironment(env), stdio: 'ignore' });
    const ended = once(child, 'exit');
    const turns = join(scratch, 'clinstream-compare-');
    while (programsWith(turns).length === 0 && child.exitCode === null) await sleep(20);
    child.kill('SIGINT');
    assert.deepEqual(await ended, [130, null]);
    assert.deepEqual(programsWith(turns), []);
    assert.deepEqual(leftovers(), []);
  });

  it('refuses what it cannot compare before anything runs', async () => {
    const refused = async (args: readonly string[], code: string, more: NodeJS.ProcessEnv = {}): Promise<void> => {
      const result = await compare(args, more);
      assert.ok(result.stderr.trimEnd().endsWith(`[${code}]`), result.stderr);
      assert.notEqual(result.code, 0);
      assert.equal(result.stdout, '');
    };
    await Promise.all([
      refused(['HEAD', '.'], 'NOT_A_CHECKOUT', { GIT_DIR: join(folder, 'nowhere') }),
      refused(['.', unknownKey], 'CONFIG_INVALID'),
      refused(['.', join(folder, 'absent.json')], 'CONFIG_UNREADABLE'),
      ...(skip === false ? [refused(['no-such-commit', '.'], 'COMMIT_UNKNOWN')] : []),
    ]);
    assert.deepEqual(inScratch(), []);
  });

  it('takes two answers to one note for no answer to another', () => {
    assert.ok(answersAll(['a', 'b'], 1, 3));
    assert.ok(!answersAll(['a', 'a'], 1, 3));
    assert.ok(!answersAll(['a', 'b', 'b'], 1, 3));
    assert.ok(!answersAll(['a'], 1, 3));
  });

  it('repeats no line that quotes a note', () => {
    const notes = [{ text: 'Ms. Canary Example takes 20 mg of lisinopril every morning.' }];
    assert.match(withoutNoteText('error: bad text: takes 20 mg of lisinopril', notes), /withheld/);
    const plain = 'clinstream: there is no log in /tmp/x [LOG_MISSING]';
    assert.equal(withoutNoteText(plain, notes), plain);
    assert.equal(withoutNoteText('', notes), '');
  });
});
