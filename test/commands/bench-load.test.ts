/** If this fails, latency under load can no longer be measured. Nothing here asserts how long anything takes. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadStep } from '../../src/benchmark/load-curve.ts';
import { BenchError } from '../../src/commands/bench/bench-error.ts';
import { publishWith } from '../../src/commands/bench/load/all-scenarios.ts';
import { loadName } from '../../src/commands/bench/load/load.ts';
import type { Measured } from '../../src/commands/bench/load/measure.ts';
import { evenly } from '../../src/commands/bench/load/replicas.ts';
import { SCENARIOS, type Scenario } from '../../src/commands/bench/load/scenarios.ts';
import { type ScenariosResult, scenariosPage } from '../../src/commands/bench/load/scenarios-page.ts';
import { Interrupted } from '../../src/commands/signals.ts';
import { partitionOf } from '../../src/streams/partitioner.ts';
import { note } from '../contract/corpus.ts';
import { cleanEnvironment, clinstream } from '../support/cli.ts';
import { ROOT } from '../support/model.ts';
import { programsWith } from '../support/programs.ts';
import { temporaryFolder } from '../support/temporary.ts';

const MAIN = join(ROOT, 'src/main.ts');

const RESULTS = join(ROOT, 'benchmarks/results');
const FEW = ['--seconds', '1', '--backlog-scale', '0.02'];

const committedScenarios = (): ScenariosResult =>
  JSON.parse(readFileSync(join(RESULTS, 'scenarios.json'), 'utf8')) as ScenariosResult;

/** Cells of the rows under the table's head. */
const rowsOf = (page: string): string[][] =>
  page
    .split('\n')
    .filter(line => line.startsWith('| ') && !line.includes('p50'))
    .map(line => line.split('|').map(cell => cell.trim()));

describe('bench load and scenarios', { timeout: 180_000 }, () => {
  it('load: offers each share of what the program carries, loses nothing, and writes only when it is told to', async () => {
    const before = readdirSync(RESULTS);
    const { code, stdout, stderr } = await clinstream(['bench', 'load', '--shares', '0.2,0.5', ...FEW]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /\*\*[\d.]+ notes\/s\*\*/);
    const rows = rowsOf(stdout);
    assert.equal(rows.length, 2);
    for (const [, share, offered] of rows) assert.ok(Number(share) > 0 && Number(offered) > 0, `${share} ${offered}`);
    assert.deepEqual(
      rows.map(row => row.at(-3)),
      ['0', '0'],
      'no note is without its event',
    );
    assert.deepEqual(readdirSync(RESULTS), before);
  });

  it('scenarios: escalates to simulated teachers, and says where a cluster is missing', async () => {
    const { code, stdout, stderr } = await clinstream([
      'bench',
      'scenarios',
      'escalated-5',
      'escalated-20',
      '--away',
      '0',
      '--seconds',
      '1',
      '--backlog-scale',
      '0.1',
    ]);
    assert.equal(code, 0, stderr);
    const [few, many] = rowsOf(stdout);
    assert.equal(many?.[1], 'many notes escalated, teachers simulated');
    const escalated = [few, many].map(row => {
      assert.equal(row?.at(-4), '0', 'no note is without its event');
      return Number(row?.at(-3)?.replace(' %', ''));
    });
    // a fifth in each of three tasks, of two dozen notes that no threshold was measured on: as much as a fifth, not as much as all three
    const [fewer = Number.NaN, more = Number.NaN] = escalated;
    assert.ok(more > 15 && more < 40 && fewer < more / 2, `${fewer} and ${more} % escalated`);
    const refused = await clinstream(['bench', 'scenarios', 'kafka']);
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /needs a cluster.*CONFIG_INVALID/);
  });

  it('scenarios: refuses a share at which nothing is ever caught up, before anything is measured', async () => {
    for (const share of ['1.1', '1']) {
      const { code, stdout, stderr } = await clinstream([
        'bench',
        'scenarios',
        'short',
        'notes',
        '--away-share',
        share,
        ...FEW,
      ]);
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, /--away-share 1.*--away 0 .*CONFIG_INVALID/);
      assert.doesNotMatch(stderr, /notes\/s/);
    }
  });

  it('scenarios: refuses a catch-up without the scenario that tells its rate', async () => {
    const { code, stdout, stderr } = await clinstream(['bench', 'scenarios', 'short', '--away', '5', ...FEW]);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /--away 5.*scenario notes .*CONFIG_INVALID/);
  });

  it('scenarios: publishes what was measured before a catch-up that failed, and fails', async () => {
    const published: unknown[] = [];
    const publish = async (away: unknown): Promise<void> => void published.push(away);
    const late = new BenchError('NOT_CAUGHT_UP', '9 notes that waited were not caught up within 40 s');
    await assert.rejects(
      publishWith(() => Promise.reject(late), publish),
      late,
    );
    assert.deepEqual(published, [{ failed: late.message }]);
    const committed = committedScenarios();
    const page = scenariosPage({ ...committed, catchUp: { failed: late.message } });
    assert.ok(page.endsWith(`\nCatch-up: ${late.message}.\n`));
    await assert.rejects(
      publishWith(() => Promise.reject(new Interrupted()), publish),
      Interrupted,
    );
    assert.equal(published.length, 1);
  });

  it('scenarios: says by tokens what load each was measured at', () => {
    const committed = committedScenarios();
    const page = scenariosPage(committed);
    assert.equal(page, readFileSync(join(RESULTS, 'scenarios.md'), 'utf8'), 'the page is made from the file beside it');
    const [any] = committed.scenarios as [Measured];
    const [step] = any.steps as [LoadStep];
    // half as many notes a second as at the most, each with half as many tokens
    const [saturation, steps] = [
      { ...any.saturation, notesPerSecond: 20, tokensPerSecond: 10_000 },
      [{ ...step, offered: 10, achieved: 10, tokensPerSecond: 2_500, latency: { ...step.latency, notes: 600 } }],
    ];
    const one = scenariosPage({ ...committed, scenarios: [{ ...any, meanTokens: 500, saturation, steps }] });
    assert.match(one, /\| 500 \| 20\.0 \| 10000 \| 0\.25: 600 notes of 250 tokens \|/);
  });

  it('load: writes what is on Kafka beside what is on the embedded log, and takes no folder of a log', async () => {
    const [notes, reports, kafka] = ['notes', 'reports', 'kafka'].map(name =>
      SCENARIOS.find(each => each.name === name),
    );
    assert.ok(notes && reports && kafka);
    const onKafka = (scenario: Scenario): Scenario => ({ ...scenario, transport: 'kafka' });
    assert.deepEqual(
      [notes, onKafka(notes), reports, onKafka(reports), kafka].map(each => loadName(each, false)),
      ['load', 'load-kafka', 'load-reports', 'load-reports-kafka', 'load-kafka'],
    );
    assert.equal(loadName(onKafka(notes), true), 'held-kafka');
    for (const command of ['load', 'scenarios']) {
      const { code, stderr } = await clinstream(['bench', command, '--data', 'log']);
      assert.equal(code, 2);
      assert.match(stderr, /unknown option '--data'/);
    }
  });

  it('ends what it started when it is interrupted', {
    skip: process.platform !== 'linux' && 'needs /proc',
  }, async () => {
    // of its own: other tests measure too
    const scratch = temporaryFolder('bench-load');
    const args = [MAIN, 'bench', 'load', '--shares', '0.1', '--seconds', '300', ...FEW.slice(2)];
    const env = cleanEnvironment({ TMPDIR: scratch });
    const child = spawn(process.execPath, args, { env, stdio: 'ignore' });
    const ended = once(child, 'exit');
    const programs = (): string[] => programsWith(join(scratch, 'clinstream-load-'));
    while (programs().length === 0 && child.exitCode === null) await sleep(50);
    child.kill('SIGINT');
    assert.deepEqual(await ended, [130, null]);
    assert.deepEqual(programs(), []);
    assert.deepEqual(
      readdirSync(scratch).filter(name => name.startsWith('clinstream-')),
      [],
    );
  });

  it('gives every partition as much to read as the others', () => {
    const notes = Array.from({ length: 200 }, (_, i) => ({ ...note(i), text: 'x'.repeat(100 + ((i * 7919) % 3000)) }));
    const read = [0, 0, 0, 0];
    const patients = evenly(notes, read.length).map(({ patientId, text }) => {
      const partition = partitionOf(Buffer.from(patientId), read.length);
      read[partition] = (read[partition] as number) + text.length;
      return patientId;
    });
    assert.equal(new Set(patients).size, 200);
    assert.ok(Math.max(...read) - Math.min(...read) <= 3100, `${read}`);
  });

  it('scaling: refuses to measure less than it has', async () => {
    const { code, stdout, stderr } = await clinstream(['bench', 'scaling', '--most', '9999']);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /--most 9999: .* 10000 characters.*CONFIG_INVALID/);
  });

  it('refuses a load of nothing, and what needs a cluster without one', async () => {
    const { code, stderr } = await clinstream(['bench', 'load', '--shares', '0,1']);
    assert.notEqual(code, 0);
    assert.match(stderr, /measures nothing/);
    for (const name of ['kafka', 'replicas']) {
      const refused = await clinstream(['bench', name]);
      assert.equal(refused.code, 2);
      assert.match(refused.stderr, /--kafka \[CONFIG_INVALID\]/);
    }
  });
});
