/** If this fails, a candidate would be judged by notes counted twice or not at all, or would not be judged by itself. */
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { changedModel, stricterModel } from '../support/changed-model.ts';
import { clinstream, rows } from '../support/cli.ts';
import { MODEL_DIRECTORY } from '../support/model.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { besideTheTagger, readReport, realNotes, type ShadowPlace, startShadow } from './shadow-beside.ts';

const folder = temporaryFolder('shadow');
const candidate = stricterModel(join(folder, 'candidate'));
let logs = 0;

async function freshLog(): Promise<ShadowPlace> {
  const args = ['--data', join(folder, `log-${logs++}`)];
  const call: ShadowPlace['call'] = (more, input = '') => clinstream([...more, ...args], { input });
  assert.equal((await call(['topics', 'create'])).code, 0);
  const names = {
    notes: 'clinical.notes',
    entities: 'clinical.entities',
    deadLetters: 'clinical.dead-letters',
    group: 'clinstream-tagger',
  };
  return { call, names, args, env: {} };
}

async function logWithNotes(count: number): Promise<ShadowPlace> {
  const log = await freshLog();
  await log.call(
    ['produce'],
    realNotes(count)
      .map(({ line }) => line)
      .join('\n'),
  );
  return log;
}

/** What does not depend on when and how often it was started. */
function counted(path: string): Record<string, unknown> {
  const { group, began, starts, updated, speedRatio, tokensPerSecond, state, ...rest } = JSON.parse(
    readFileSync(path, 'utf8'),
  ) as Record<string, unknown> & { state: Record<string, unknown> };
  const { speed, tasks, ...sums } = state;
  // sums of confidences differ in the last digit with the order of partitions
  const rounded = (_key: string, value: unknown) => (typeof value === 'number' ? Number(value.toFixed(6)) : value);
  return { ...rest, ...sums, taskSums: JSON.parse(JSON.stringify(tasks, rounded)) };
}

besideTheTagger('the embedded log', freshLog);

describe('distill shadow', { timeout: 480_000 }, () => {
  it('counts every note once, ended in between by a number and by a kill', async () => {
    const { args, call, names } = await logWithNotes(32);
    const [whole, parts] = ['whole', 'parts'].map(name => join(folder, `${name}.json`)) as [string, string];
    const shadow = (report: string, ...more: string[]) =>
      call(['distill', 'shadow', '--candidate', candidate, '--report', report, '--from-beginning', ...more]);
    const drained = ['--until-drained', '--quiet'];
    assert.equal((await shadow(whole, ...drained)).code, 0);
    assert.equal((await shadow(parts, '--max-notes', '5', '--quiet')).code, 0);
    assert.equal(readReport(parts).read, 5);
    const killed = startShadow(['--candidate', candidate, '--report', parts, ...args], {
      CLINSTREAM_STREAM_TRANSACTION_RECORDS: '1',
      CLINSTREAM_STREAM_IN_FLIGHT_RECORDS: '2',
    });
    while (readReport(parts).read < 8) await new Promise(resolve => setTimeout(resolve, 5));
    killed.child.kill('SIGKILL');
    await killed.ended;
    const between = readReport(parts).read;
    assert.ok(between >= 8 && between < 32, `${between} were read when it was killed`);
    assert.equal((await shadow(parts, ...drained)).code, 0);
    assert.equal(readReport(parts).read, 32);
    assert.deepEqual(counted(parts), counted(whole));
    const topics = rows<{ topic: string; records: number; lag: Record<string, number> }>(
      (await call(['topics', 'list', '--format', 'jsonl'])).stdout,
    );
    const lag = topics.find(({ topic }) => topic === names.notes)?.lag;
    assert.deepEqual(lag, { [readReport(whole).group]: 0, [readReport(parts).group]: 0 }, 'a group a report');
    assert.ok(topics.every(({ topic, records }) => topic === names.notes || records === 0));
  });

  it('ends well on SIGTERM, with its report whole and its metrics served until then', async () => {
    const { args, call } = await freshLog();
    const report = join(folder, 'signal.json');
    const shadow = startShadow(['--candidate', candidate, '--report', report, '--metrics-port', '0', ...args]);
    let said = '';
    shadow.child.stderr?.on('data', text => {
      said += String(text);
    });
    await shadow.reads;
    await call(
      ['produce'],
      realNotes(2)
        .map(({ line }) => line)
        .join('\n'),
    );
    while (readReport(report).read < 2) await new Promise(resolve => setTimeout(resolve, 20));
    const url = /health and metrics: (\S+)/.exec(said)?.[1];
    const metrics = await (await fetch(`${url}/metrics`)).text();
    assert.match(metrics, /^clinstream_shadow_notes_total 2$/m);
    assert.match(metrics, /^clinstream_shadow_words_apart_total\{task="symptom"\} \d+$/m);
    assert.match(metrics, /^clinstream_role_state\{role="shadow",state="ready"\} 1$/m);
    shadow.child.kill('SIGTERM');
    const { code, stdout, stderr } = await shadow.ended;
    assert.deepEqual([code, readReport(report).read], [0, 2], stderr);
    assert.match(stdout, /2 notes read, 2 compared\./);
  });

  it('says so when a signal ends it before what was asked for, and goes on from there', async () => {
    const { args, call } = await logWithNotes(2);
    const report = join(folder, 'cut-short.json');
    const bounded = ['--candidate', candidate, '--report', report, '--from-beginning', '--max-notes', '3'];
    const shadow = startShadow([...bounded, ...args]);
    await shadow.reads;
    while (readReport(report).read < 2) await new Promise(resolve => setTimeout(resolve, 20));
    shadow.child.kill('SIGINT');
    const { code, stdout, stderr } = await shadow.ended;
    assert.deepEqual([code, readReport(report).read], [130, 2], stderr);
    assert.match(stdout, /2 notes read, 2 compared\./);
    const rest = await call(['distill', 'shadow', ...bounded, '--until-drained']);
    assert.deepEqual([rest.code, readReport(report).read], [0, 2], rest.stderr);
  });

  it('ends after its time, and warns where nothing can differ', async () => {
    const { call } = await logWithNotes(2);
    const report = join(folder, 'same.json');
    const { code, stderr, stdout } = await call([
      ...['distill', 'shadow', '--candidate', MODEL_DIRECTORY, '--report', report],
      ...['--from-beginning', '--max-notes', '2', '--for', '600'],
    ]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /warning: the candidate is the serving model/);
    for (const { words, mentions, f1, escalates } of Object.values(readReport(report).tasks)) {
      assert.deepEqual([words.onlyServing, words.onlyCandidate, mentions.exact.onlyServing, f1], [0, 0, 0, 1]);
      assert.equal(escalates.differing, 0);
    }
    assert.match(stdout, /the decision to escalate would differ/);
    const timed = await call([
      ...['distill', 'shadow', '--candidate', candidate, '--report', join(folder, 'timed.json'), '--for', '1'],
    ]);
    assert.deepEqual([timed.code, /^0 notes read, 0 compared\.$/m.test(timed.stdout)], [0, true], timed.stderr);
  });

  it('compares no decisions where the candidate has no routing', async () => {
    const { call } = await logWithNotes(2);
    const plain = stricterModel(join(folder, 'plain'));
    writeFileSync(join(plain, 'routing.json'), '');
    const path = join(folder, 'plain.json');
    const args = ['distill', 'shadow', '--candidate', plain, '--report', path, '--from-beginning', '--until-drained'];
    const invalid = await call(args);
    assert.deepEqual([invalid.code, /ROUTING_INVALID/.test(invalid.stderr), existsSync(path)], [4, true, false]);
    rmSync(join(plain, 'routing.json'));
    const { code, stdout } = await call(args);
    assert.equal(code, 0);
    assert.match(stdout, /Whether notes would escalate was not compared/);
    assert.equal(readReport(path).tasks.symptom?.escalates, null);
  });

  it('refuses a candidate that is not what its manifest says, and a report that is about something else', async () => {
    const { call, names } = await logWithNotes(1);
    const broken = stricterModel(join(folder, 'broken'));
    appendFileSync(join(broken, 'tokenizer.json'), ' ');
    const other = changedModel(join(folder, 'other'), manifest => {
      manifest.version = '2.0.0';
    });
    const report = join(folder, 'refused.json');
    const shadow = (model: string, ...more: string[]) =>
      call(['distill', 'shadow', '--candidate', model, '--report', report, '--until-drained', '--quiet', ...more]);
    const refused = await shadow(broken);
    assert.deepEqual([refused.code, /MODEL_FILE_CHANGED/.test(refused.stderr), existsSync(report)], [4, true, false]);
    const listed = rows<{ topic: string; lag: object }>((await call(['topics', 'list', '--format', 'jsonl'])).stdout);
    assert.deepEqual(listed.find(({ topic }) => topic === names.notes)?.lag, {}, 'no group was made');

    assert.equal((await shadow(candidate, '--from-beginning')).code, 0);
    const kept = readFileSync(report, 'utf8');
    const elsewhere = await freshLog();
    const cases = [
      [await shadow(other), 6, /is about another candidate.*SHADOW_REPORT_MISMATCH/],
      [
        await elsewhere.call(['distill', 'shadow', '--candidate', candidate, '--report', report, '--until-drained']),
        6,
        /about another log or cluster.*SHADOW_REPORT_MISMATCH/,
      ],
      [await shadow(join(folder, 'nowhere')), 4, /MODEL_MISSING/],
      [await shadow(candidate, '--every', '0'), 2, /at least 1 is needed/],
    ] as const;
    for (const [{ code, stderr }, expected, message] of cases) {
      assert.match(stderr, message);
      assert.equal(code, expected);
    }
    assert.equal(readFileSync(report, 'utf8'), kept, 'a refused start leaves the report as it was');
    writeFileSync(report, kept.slice(0, 100));
    const half = await shadow(candidate);
    assert.deepEqual([half.code, /SHADOW_REPORT_INVALID/.test(half.stderr)], [6, true]);
  });

  it('ends when another process writes its report', async () => {
    const { args, call } = await freshLog();
    const report = join(folder, 'taken.json');
    const shadow = startShadow(['--candidate', candidate, '--report', report, ...args]);
    await shadow.reads;
    writeFileSync(report, `${readFileSync(report, 'utf8')}\n`);
    await call(
      ['produce'],
      realNotes(1)
        .map(({ line }) => line)
        .join('\n'),
    );
    const { code, stderr } = await shadow.ended;
    assert.deepEqual([code, /SHADOW_REPORT_TAKEN/.test(stderr)], [6, true], stderr);
  });
});
