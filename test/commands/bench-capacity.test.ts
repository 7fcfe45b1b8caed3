/** If this fails, the capacity page can no longer be made from what was measured, or rests on something that was not. */
import assert from 'node:assert/strict';
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { clinstream } from '../support/cli.ts';
import { ROOT } from '../support/model.ts';
import { temporaryFolder } from '../support/temporary.ts';

const OWN = join(ROOT, 'benchmarks/results');
const results = temporaryFolder('bench-capacity');
for (const name of ['pipeline', 'kafka', 'chaos'])
  copyFileSync(join(OWN, `${name}.json`), join(results, `${name}.json`));
const writeResult = (name: string, more: object): void =>
  writeFileSync(join(results, `${name}.json`), JSON.stringify({ commit: 'abc', machine: 'a machine', ...more }));

const bench = (...args: string[]) =>
  clinstream(['bench', 'capacity', '--results', results, '--simulated-notes', '20000', ...args]);

/** The cells of the first row of that name. */
function row(stdout: string, name: string): string[] {
  const line = stdout.split('\n').find(each => each.startsWith(`| ${name} `));
  assert.ok(line !== undefined, `${name} is missing in ${stdout}`);
  return line
    .split('|')
    .slice(2, -1)
    .map(cell => cell.trim());
}

describe('bench capacity', { timeout: 120_000 }, () => {
  it('says which result is missing and how to make it', async () => {
    const { code, stderr } = await bench();
    assert.equal(code, 2);
    assert.match(stderr, /llm\.json is missing.*npm run bench -- llm --write/);
  });

  it('plans and simulates from committed results, names each, and writes nothing unasked', async () => {
    const before = readdirSync(OWN);
    writeResult('llm', { events: { noteBytes: 3000, entitiesBytes: 2000 }, serviceSeconds: [0.01, 0.02, 0.1] });
    const { code, stdout, stderr } = await bench('--machine-usd-per-hour', '0.1');
    assert.equal(code, 0, stderr);
    const processes = row(stdout, 'processes').map(cell => Number(cell.replaceAll(',', '')));
    assert.equal(processes.length, 3);
    assert.ok(processes.every((count, i) => count >= 2 && (i === 0 || count > (processes[i - 1] as number))));
    assert.deepEqual(
      row(stdout, 'GPT-4o (published)').map(cell => cell.replace(/ .*/, '')),
      ['$15,900', '$1,590,000', '$15,900,000'],
    );
    assert.equal(stdout.match(/\| a replica dies /g)?.length, 3);
    assert.match(stdout, /a proportional slice/);
    assert.match(stdout, /pipeline\.json \(commit /);
    assert.ok(stdout.includes(` --results ${results} `), 'the command says whose results they are');
    assert.match(stdout, /made up/);
    assert.match(stdout, /as given/);
    assert.deepEqual(readdirSync(OWN), before);
  });

  it('takes the load sweep where there is one, and what Kafka leaves of one on the embedded log', async () => {
    const { taggedKafkaOverEmbedded } = JSON.parse(readFileSync(join(results, 'kafka.json'), 'utf8')) as {
      taggedKafkaOverEmbedded: number;
    };
    const load = {
      settings: { workers: 2 },
      saturation: { notesPerSecond: 100 },
      steps: [{ share: 0.5, latency: { p99: 120 } }],
    };
    writeResult('load', { ...load, scenario: { transport: 'embedded' } });
    const embedded = await bench('--notes-per-day', '86400000');
    assert.ok(
      embedded.stdout.includes(`${Number((100 * taggedKafkaOverEmbedded).toPrecision(3))} notes/s at saturation`),
      embedded.stderr,
    );
    assert.match(embedded.stdout, /derived, not measured/);
    assert.doesNotMatch(embedded.stdout, /At half of that/);
    writeResult('load-kafka', { ...load, scenario: { transport: 'kafka' } });
    const { code, stdout, stderr } = await bench('--notes-per-day', '86400000', '--utilisation', '0.25');
    for (const name of ['load', 'load-kafka']) rmSync(join(results, `${name}.json`));
    assert.equal(code, 0, stderr);
    assert.match(stdout, /100 notes\/s at saturation\. At half of that, 99 % of notes took at most 120 ms/);
    assert.match(stdout, /load-kafka\.json \(commit abc/);
    assert.match(row(stdout, 'their load in the busiest hour')[0] ?? '', /^2[45]/);
  });

  it('takes a day of one’s own, and refuses what is none', async () => {
    const profile = join(results, 'day.txt');
    writeFileSync(profile, JSON.stringify(new Array(24).fill(5)));
    const { stdout } = await bench('--profile', profile, '--notes-per-day', '8640000');
    assert.deepEqual(row(stdout, 'notes/s, busiest hour'), row(stdout, 'notes/s, mean'));
    writeFileSync(profile, '[1, 2]');
    const { code, stderr } = await bench('--profile', profile);
    assert.equal(code, 2);
    assert.match(stderr, /no JSON list of 24 hours/);
  });
});
