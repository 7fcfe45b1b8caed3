/** If this fails, somebody buys too few machines by our table, or compares costs that were reckoned wrongly. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Assumed, type Measured, modelDay, planCapacity } from '../../src/benchmark/capacity.ts';
import assumptions from '../../src/benchmark/capacity-assumptions.json' with { type: 'json' };
import { busiestHour, checkProfile, hourlyRates, peakOverMean } from '../../src/benchmark/diurnal.ts';

const MEASURED: Measured = {
  notesPerSecond: 40,
  noteBytes: 3000,
  entitiesBytes: 2000,
  copiedPerSecond: 4000,
  copiedPartitions: 4,
};
const ASSUMED: Assumed = {
  peakOverMean: 2,
  utilisation: 0.5,
  minimumReplicas: 2,
  partitionsPerReplica: 4,
  replication: 3,
  topics: 5,
  readers: 1,
  minimumBrokers: 3,
  partitionsPerBroker: 4000,
  usdPerHour: 0.1,
};

describe('the capacity plan', () => {
  it('is what one reckons by hand', () => {
    // 86.4 million a day: 1000 a second in the mean, 2000 in the busiest hour, 20 a process
    const plan = planCapacity(86_400_000, MEASURED, ASSUMED);
    assert.equal(plan.meanRate, 1000);
    assert.equal(plan.peakRate, 2000);
    assert.equal(plan.replicas, 100);
    assert.equal(plan.utilisation, 0.5);
    assert.equal(plan.utilisationWithoutOne, 2000 / (99 * 40));
    assert.equal(plan.partitions, 400);
    assert.equal(plan.partitionRate, 5);
    assert.equal(plan.partitionBound, 1000);
    assert.equal(plan.largestKeyRate, 20, 'what the other 20 notes/s leave of 40');
    assert.deepEqual(plan.bytes, { in: 10e6, out: 10e6, replicated: 20e6 });
    assert.equal(plan.storageBytesPerDay, 86_400_000 * 5000 * 3);
    // 2000 × 3 copies / 2000 a broker at half; 400 × 5 × 3 / 4000
    assert.deepEqual(plan.brokers, { byRecords: 3, byPartitions: 2, count: 3 });
    assert.ok(Math.abs(plan.usdPerDay.replicas - 240) < 1e-9);
    assert.ok(Math.abs(plan.usdPerDay.brokers - 7.2) < 1e-9);
    assert.ok(Math.abs(plan.usdPerDayElastic - 120) < 1e-9, '1000 notes/s need 50 processes');
  });

  it('sets a model beside it by dollars and by requests in flight', () => {
    const plan = planCapacity(86_400_000, MEASURED, ASSUMED);
    const day = modelDay(plan, { usd: 0.01, seconds: 1.5 });
    assert.equal(day.usdPerDay, 864_000);
    assert.equal(day.inFlight, 3000);
    assert.ok(Math.abs(day.times - 864_000 / 247.2) < 1e-6);
  });

  it('never fills a process beyond what is asked, nor buys one too many', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1, max: 1e10, noNaN: true }),
        fc.double({ min: 0.05, max: 1, noNaN: true }),
        fc.double({ min: 1, max: 500, noNaN: true }),
        (notes, utilisation, notesPerSecond) => {
          const plan = planCapacity(notes, { ...MEASURED, notesPerSecond }, { ...ASSUMED, utilisation });
          assert.ok(plan.utilisation <= utilisation * (1 + 1e-9));
          const fewer = plan.peakRate / ((plan.replicas - 1) * notesPerSecond);
          assert.ok(plan.replicas === ASSUMED.minimumReplicas || fewer > utilisation * (1 - 1e-9));
          assert.equal(plan.partitions % plan.replicas, 0);
          assert.ok(plan.partitions >= plan.replicas * ASSUMED.partitionsPerReplica);
          assert.ok(plan.partitionRate <= plan.partitionBound);
        },
      ),
    );
  });

  it('grows with the notes', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1, max: 1e9, noNaN: true }),
        fc.double({ min: 1, max: 10, noNaN: true }),
        (notes, times) => {
          const [less, more] = [planCapacity(notes, MEASURED, ASSUMED), planCapacity(notes * times, MEASURED, ASSUMED)];
          for (const of of [
            (each: typeof less) => each.replicas,
            (each: typeof less) => each.partitions,
            (each: typeof less) => each.brokers.count,
            (each: typeof less) => each.storageBytesPerDay,
            (each: typeof less) => each.usdPerDay.total,
          ])
            assert.ok(of(more) >= of(less));
        },
      ),
    );
  });
});

describe('a day', () => {
  it('has as many notes as it has', () => {
    const { hours } = assumptions.diurnal;
    const rates = hourlyRates(checkProfile(hours), 1e6);
    assert.ok(Math.abs(rates.reduce((sum, rate) => sum + 3600 * rate, 0) - 1e6) < 1e-3);
    assert.equal(rates.indexOf(Math.max(...rates)), busiestHour(hours));
    assert.ok(Math.abs((rates[busiestHour(hours)] as number) * 86_400 - 1e6 * peakOverMean(hours)) < 1e-3);
  });

  it('is flat where all hours are alike', () => assert.ok(Math.abs(peakOverMean(new Array(24).fill(7)) - 1) < 1e-12));

  it('has 24 hours', () => {
    assert.throws(() => checkProfile([1, 2]), RangeError);
    assert.throws(() => checkProfile(new Array(24).fill(0)), RangeError);
    assert.throws(() => checkProfile([...new Array(23).fill(1), Number.NaN]), RangeError);
  });
});
