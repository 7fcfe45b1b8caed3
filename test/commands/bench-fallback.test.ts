/** If this fails, the number in README on what a hanging provider costs can no longer be measured, or is measured on something else. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { clinstream } from '../support/cli.ts';
import { ROOT } from '../support/model.ts';

const RESULT = join(ROOT, 'benchmarks/results/fallback.json');
const written = (): string | undefined => (existsSync(RESULT) ? readFileSync(RESULT, 'utf8') : undefined);

const ONE = ['bench', 'fallback', '--rounds', '1', '--notes', '1'];

describe('bench fallback', { timeout: 240_000 }, () => {
  it('takes turns with roles of their own processes, and writes nothing unless it is told to', async () => {
    const before = written();
    const args = ['bench', 'fallback', '--rounds', '1', '--notes', '16', '--rate', '0.5', '--request-ms', '300'];
    const { code, stdout, stderr } = await clinstream(args);
    assert.equal(code, 0, stderr);
    const turns = [...stdout.matchAll(/(\w+) ([\d.]+) notes\/s \((\d+) escalated, (\d+) requests, (\d+) revised\)/g)];
    assert.deepEqual(
      turns.map(([, mode]) => mode),
      ['answering', 'hanging', 'absent', 'off'],
    );
    const [answering, hanging, absent, off] = turns.map(([, , speed, ...counts]) => [
      Number(speed) > 0,
      ...counts.map(Number),
    ]);
    const escalated = absent?.[1] as number;
    assert.ok(escalated > 0 && escalated < 16, `${escalated} escalated`);
    assert.deepEqual(absent, [true, escalated, 0, 0], 'nobody asks where there is no escalator');
    assert.deepEqual(off, [true, 0, 0, 0]);
    assert.deepEqual(
      [answering?.[1], hanging?.[1], hanging?.[3]],
      [escalated, escalated, 0],
      'hanging decides nothing',
    );
    for (const [mode, counts] of [
      ['answering', answering],
      ['hanging', hanging],
    ] as const)
      assert.ok(Number(counts?.[2]) > 0, `${mode}: it was asked`);
    assert.match(stdout, /hanging \/ answering \d\.\d{3}/);
    assert.equal(written(), before);
  });

  it('measures nothing where nothing is escalated', async () => {
    const none = await clinstream(['bench', 'fallback', '--rate', '0']);
    assert.equal(none.code, 2);
    assert.match(none.stderr, /a share above 0 is needed/);
    const { code, stdout, stderr } = await clinstream([...ONE, '--rate', '0.01']);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /none of 1 notes was escalated .*\[NOTHING_ESCALATED\]/);
  });

  it('says in one line why a role did not start', async () => {
    const { code, stderr } = await clinstream([...ONE, '--rate', '0.001']);
    assert.equal(code, 2);
    assert.match(
      stderr,
      /^clinstream: the tagger ended with 2: clinstream: .* \[ROUTE_INVALID\] \[PROGRAM_FAILED\]\n$/,
    );
  });
});
