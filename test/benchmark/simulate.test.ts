/** If this fails, the simulation that checks the capacity plan loses notes, or waits otherwise than queues do. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { stretched } from '../../src/benchmark/distribution.ts';
import { erlangC, meanWaitSeconds } from '../../src/benchmark/queueing.ts';
import { type Loss, type Served, simulate } from '../../src/benchmark/simulate.ts';
import { evenShares, partitionShares, poissonArrivals } from '../../src/benchmark/simulated-arrivals.ts';
import { seeded } from '../../src/evaluation/bootstrap.ts';

const mean = (values: Float64Array): number => values.reduce((sum, each) => sum + each, 0) / values.length;

function queue(options: {
  servers: number;
  rate: number;
  service: (random: () => number) => number;
  hours?: number;
  replicas?: number;
  partitions?: number;
  loss?: Loss;
}): Served {
  const { servers, rate, service, hours = 24, replicas = 1, partitions = 4 * replicas, loss } = options;
  const [when, how, where] = [seeded(1), seeded(2), seeded(3)];
  return simulate({
    fleet: { replicas, servers, shares: evenShares(partitions) },
    arrivals: poissonArrivals(new Array(24).fill(rate), { from: 0, to: hours, random: when }),
    service: () => service(how),
    random: where,
    ...(loss === undefined ? {} : { loss }),
  });
}

const exponential = (random: () => number): number => -Math.log(1 - random());

describe('the simulation', () => {
  for (const { servers, rate } of [
    { servers: 1, rate: 0.5 },
    { servers: 2, rate: 1.4 },
    { servers: 4, rate: 3.2 },
  ])
    it(`waits as M/M/${servers} does at a load of ${rate / servers}`, () => {
      const { waits } = queue({ servers, rate, service: exponential });
      const expected = meanWaitSeconds({ servers, arrivalsPerSecond: rate, meanServiceSeconds: 1, cv2: 1 });
      assert.ok(Math.abs(mean(waits) / expected - 1) < 0.06, `${mean(waits)} instead of ${expected}`);
      const waited = waits.filter(each => each > 0).length / waits.length;
      assert.ok(Math.abs(waited - erlangC(servers, rate)) < 0.02, 'the share that must wait is Erlang’s C');
    });

  it('waits half as long where every note takes the same time (M/D/1)', () => {
    const { waits } = queue({ servers: 1, rate: 0.7, service: () => 1 });
    // Pollaczek and Khinchine: 0.7 / (2 (1 − 0.7))
    assert.ok(Math.abs(mean(waits) / (0.7 / 0.6) - 1) < 0.05, `${mean(waits)}`);
  });

  it('waits as Pollaczek and Khinchine say for measured quantiles (M/G/1)', () => {
    const service = stretched([0.1, 0.2, 0.3, 0.5, 2, 4], 1);
    const { waits } = queue({ servers: 1, rate: 0.6, service: random => service.at(random()) });
    const expected = meanWaitSeconds({ servers: 1, arrivalsPerSecond: 0.6, meanServiceSeconds: 1, cv2: service.cv2 });
    assert.ok(Math.abs(mean(waits) / expected - 1) < 0.06, `${mean(waits)} instead of ${expected}`);
  });

  it('serves every note once, whoever dies', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 5 }),
        fc.integer({ min: 1, max: 3 }),
        fc.double({ min: 0, max: 200, noNaN: true }),
        fc.double({ min: 0, max: 40, noNaN: true }),
        fc.double({ min: 0, max: 5, noNaN: true }),
        fc.integer(),
        (replicas, servers, at, noticedAfter, gap, seed) => {
          const random = seeded(seed);
          const arrivals = Array.from({ length: 300 }, () => 150 * random()).sort((a, b) => a - b);
          const { arrivals: served, waits } = simulate({
            fleet: { replicas, servers, shares: evenShares(3 * replicas) },
            arrivals,
            service: () => 2 * random(),
            random,
            loss: { at, noticedAfter, gap },
          });
          assert.deepEqual(
            [...served].sort((a, b) => a - b),
            arrivals,
          );
          assert.ok(waits.every(wait => wait >= 0));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('lets wait what belonged to the dead for as long as nobody knows, and nothing else', () => {
    const loss = { at: 1800, noticedAfter: 30, gap: 1 };
    const { arrivals, waits, partitions } = queue({
      servers: 2,
      rate: 4,
      service: () => 0.1,
      hours: 1,
      replicas: 4,
      loss,
    });
    let [longest, unconcerned] = [0, 0];
    for (let i = 0; i < waits.length; i++) {
      const at = arrivals[i] as number;
      const wait = waits[i] as number;
      if (at < 1790 || at > 1900) assert.ok(wait < 5, `${wait} s at ${at}`);
      else if ((partitions[i] as number) % 4 === 0) longest = Math.max(longest, wait);
      else unconcerned = Math.max(unconcerned, wait);
    }
    assert.ok(longest > 25 && longest < 32, `${longest}`);
    assert.ok(unconcerned < 3, `${unconcerned}`);
  });

  it('has nobody to take over from the only one', () => {
    assert.throws(
      () => queue({ servers: 1, rate: 1, service: () => 1, loss: { at: 1, noticedAfter: 1, gap: 1 } }),
      RangeError,
    );
  });
});

describe('keys', () => {
  it('share out all notes, the hot one on top', () => {
    const random = seeded(5);
    const shares = partitionShares({ partitions: 16, keys: 10_000, sigma: 1.5, hotShare: 0.3, random });
    assert.ok(Math.abs(shares.reduce((sum, each) => sum + each, 0) - 1) < 1e-9);
    assert.ok((shares[0] as number) > 0.3);
  });
});

describe('theory', () => {
  it('knows the textbook: Erlang C of 2 servers at a load of 1 is a third', () =>
    assert.ok(Math.abs(erlangC(2, 1) - 1 / 3) < 1e-12));

  it('knows a queue that grows without end', () =>
    assert.equal(
      meanWaitSeconds({ servers: 2, arrivalsPerSecond: 2, meanServiceSeconds: 1, cv2: 1 }),
      Number.POSITIVE_INFINITY,
    ));
});
