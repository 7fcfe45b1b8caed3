/** If this fails, latency under load can no longer be measured. Nothing here asserts how long anything takes. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { cleanEnvironment, clinstream } from '../support/cli.ts';
import { ROOT } from '../support/model.ts';
import { programsWith } from '../support/programs.ts';

const MAIN = join(ROOT, 'src/main.ts');

const RESULTS = join(ROOT, 'benchmarks/results');
const FEW = ['--seconds', '1', '--backlog-scale', '0.02'];

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
    assert.deepEqual(
      rows.map(([, share]) => share),
      ['0.20', '0.50'],
    );
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
      'escalated-20',
      '--away',
      '0',
      '--seconds',
      '1',
      '--backlog-scale',
      '0.1',
    ]);
    assert.equal(code, 0, stderr);
    const [row] = rowsOf(stdout);
    assert.equal(row?.[1], 'many notes escalated, teachers simulated');
    assert.equal(row?.at(-4), '0', 'no note is without its event');
    const escalated = Number(row?.at(-3)?.replace(' %', ''));
    assert.ok(escalated > 0 && escalated < 100, `${escalated} % escalated`);
    const refused = await clinstream(['bench', 'scenarios', 'kafka']);
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /needs a cluster.*CONFIG_INVALID/);
  });

  it('ends what it started when it is interrupted', {
    skip: process.platform !== 'linux' && 'needs /proc',
  }, async () => {
    const folders = (): string[] => readdirSync(tmpdir()).filter(name => /^clinstream-(load|bench)-/.test(name));
    const programs = (): string[] => programsWith('clinstream-load-');
    const [foldersBefore, before] = [new Set(folders()), new Set(programs())];
    const child = spawn(
      process.execPath,
      [MAIN, 'bench', 'load', '--shares', '0.1', '--seconds', '300', ...FEW.slice(2)],
      {
        env: cleanEnvironment(),
        stdio: 'ignore',
      },
    );
    const ended = once(child, 'exit');
    const mine = (): string[] => programs().filter(pid => !before.has(pid));
    while (mine().length === 0 && child.exitCode === null) await sleep(50);
    child.kill('SIGINT');
    assert.deepEqual(await ended, [130, null]);
    assert.deepEqual(mine(), []);
    assert.deepEqual(
      folders().filter(name => !foldersBefore.has(name)),
      [],
    );
  });

  it('refuses a load of nothing', async () => {
    const { code, stderr } = await clinstream(['bench', 'load', '--shares', '0,1']);
    assert.notEqual(code, 0);
    assert.match(stderr, /measures nothing/);
  });
});
