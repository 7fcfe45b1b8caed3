/** If this fails, the knee, the most that was carried or a percentile is told wrongly. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { latenciesOf } from '../../src/benchmark/latencies.ts';
import { carried, knee, type LoadStep } from '../../src/benchmark/load-curve.ts';
import { loadPicture, loadTable, memoryPicture } from '../../src/benchmark/load-report.ts';
import { growthOf } from '../../src/commands/bench/load/offer.ts';

function step(offered: number, achieved: number, mean: number, { missing = 0, growth = 1.1 } = {}): LoadStep {
  return {
    share: offered / 40,
    seconds: 30,
    offered,
    achieved,
    tokensPerSecond: 700 * achieved,
    latency: { ...latenciesOf([mean]), mean },
    growth,
    missing,
    cpuMsPerNote: 40,
    peakMegabytes: 400,
    tenthsMegabytes: Array(10).fill(390),
    clientCores: 0.1,
    joulesPerNote: null,
    gpuUse: null,
  };
}

const SWEEP = [step(4, 4, 40), step(20, 20, 60), step(36, 35, 300), step(44, 40, 4_000)];

describe('latencies', () => {
  it('are exact: the value that so large a share does not exceed', () => {
    const { p50, p90, p99, max, mean, notes } = latenciesOf(Array.from({ length: 1000 }, (_, i) => 1000 - i));
    assert.deepEqual(
      { p50, p90, p99, max, mean, notes },
      { p50: 500, p90: 900, p99: 990, max: 1000, mean: 500.5, notes: 1000 },
    );
  });

  it('are values that were measured, in order of their shares', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1 }), values => {
        const { p50, p90, p95, p99, max } = latenciesOf(values);
        const found = [p50, p90, p95, p99, max];
        assert.ok(found.every(value => values.includes(value)));
        assert.deepEqual(
          found,
          found.toSorted((a, b) => a - b),
        );
      }),
    );
  });

  it('are not a number where nothing was measured', () => assert.ok(Number.isNaN(latenciesOf([]).p99)));
});

describe('a sweep of load', () => {
  it('has its knee where throughput over latency is highest', () => assert.equal(knee(SWEEP)?.offered, 20));

  it('was carried as long as what arrives comes out, and nothing is missing', () => {
    assert.equal(carried(SWEEP)?.offered, 36);
    assert.equal(carried([...SWEEP.slice(0, 2), step(36, 35, 300, { missing: 1 })])?.offered, 20);
    // five per cent over what it can is a queue that grows, however long it is watched
    assert.equal(carried([...SWEEP.slice(0, 2), step(41, 39.5, 600, { growth: 5 })])?.offered, 20);
    assert.equal(carried([]), undefined);
  });

  it('has a queue that grows where the last third waits longer than the first, and none of too few notes', () => {
    assert.equal(growthOf([1, 2, 3, 50, 60, 70, 10, 20, 30]), 10);
    assert.equal(growthOf([5, 5, 5, 9]), 9 / 5, 'the last of four, and the first');
    for (const few of [[], [7], [7, 8]]) assert.ok(Number.isNaN(growthOf(few)));
    assert.equal(carried([step(4, 4, 40, { growth: Number.NaN })])?.offered, 4);
  });

  it('shows the memory of each tenth at its time, from nothing on', () => {
    const tenthsMegabytes = [100, 150, 200, 200, 200, 200, 200, 200, 200, 240];
    const picture = memoryPicture('a & b', { ...step(4, 4, 40), tenthsMegabytes, seconds: 3600 });
    const [, path = ''] = /class="line [^"]*" d="([^"]+)"/.exec(picture) ?? [];
    const heights = [...path.matchAll(/[ML]?([\d.]+)[ ,]([\d.]+)/g)].map(([, , y]) => Number(y));
    assert.equal(heights.length, 10);
    assert.ok((heights[0] as number) > (heights[9] as number), 'more memory stands higher');
    for (const label of ['0 MB', '300 MB', '60', 'minutes']) assert.ok(picture.includes(`>${label}<`), label);
  });

  it('shows memory over as long as notes arrived, however long that was asked for', () => {
    const labels = (seconds: number): string[] =>
      [...memoryPicture('a', { ...step(4, 4, 40), seconds }).matchAll(/>([\d.]+)</g)].map(([, label = '']) => label);
    assert.ok(labels(58).includes('0.97') && !labels(58).includes('1'), String(labels(58)));
    assert.ok(labels(30).includes('0.5') && !labels(30).includes('0.97'), String(labels(30)));
  });

  it('is told as a table and drawn as a picture of its own', () => {
    const table = loadTable(SWEEP, 40);
    assert.equal(table.split('\n').length, 2 + SWEEP.length);
    assert.match(table, /\| knee \|/);
    assert.match(table, /^\| 0\.50 \| 20\.0 \| 20\.0 \| 700 \|/m);
    const picture = loadPicture('a & b', SWEEP);
    assert.match(picture, /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    assert.match(picture, /a &#38; b/);
    assert.equal(picture.match(/class="line /g)?.length, 3);
    assert.doesNotMatch(picture, /NaN|undefined/);
  });
});
