/** If this fails, the simulated fleet is not the planned one, or does not show what a hot patient and a dead replica cost. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { planCapacity } from '../../src/benchmark/capacity.ts';
import assumptions from '../../src/benchmark/capacity-assumptions.json' with { type: 'json' };
import { stretched } from '../../src/benchmark/distribution.ts';
import { peakOverMean } from '../../src/benchmark/diurnal.ts';
import { type ScenarioOptions, simulatePlan } from '../../src/benchmark/scenarios.ts';

const { hours } = assumptions.diurnal;
const plan = (notesPerDay: number, notesPerSecond = 40) =>
  planCapacity(
    notesPerDay,
    { notesPerSecond, noteBytes: 1, entitiesBytes: 1, copiedPerSecond: 4000, copiedPartitions: 4 },
    {
      peakOverMean: peakOverMean(hours),
      ...{ utilisation: 0.5, minimumReplicas: 2, partitionsPerReplica: 4, replication: 3, topics: 5, readers: 1 },
      ...{ minimumBrokers: 3, partitionsPerBroker: 4000, usdPerHour: 0.1 },
    },
  );
const options: ScenarioOptions = {
  profile: hours,
  servers: 2,
  service: stretched([0.2, 0.8, 1, 1.1, 2.5], 2 / 40),
  keys: assumptions.keys,
  ...{ gapSeconds: 0.3, sessionSeconds: 30, mostNotes: 400_000, seed: 1 },
};

describe('a simulated plan', () => {
  it('is the whole day of a small fleet, and a proportional slice of the busiest hour of a large one', () => {
    const small = simulatePlan(plan(300_000), options);
    assert.deepEqual([small.slice, small.replicas, ...small.hours], [1, 2, 0, 24]);
    const large = simulatePlan(plan(1e9), options);
    assert.ok(large.slice < 0.01 && large.replicas >= 2);
    assert.deepEqual(large.hours, [11, 12]);
    const [even] = large.scenarios;
    assert.ok(Math.abs((even?.utilisation ?? 0) - 0.5) < 0.01, 'the slice is as full as the fleet');
  });

  it('waits as theory says, longer with a hot patient, and longest for what a dead replica left', () => {
    const [even, , half, whole, left, died] = simulatePlan(plan(1e8), options).scenarios;
    assert.ok(even && half && whole && left && died);
    assert.ok(even.expectedMean !== null && Math.abs(even.mean / even.expectedMean - 1) < 0.15, `${even.mean}`);
    assert.ok(half.p99 > even.p99 && whole.p99 > half.p99);
    assert.ok(half.utilisation > 1.3 * even.utilisation && whole.utilisation > 1.6 * even.utilisation);
    assert.ok(left.longest > 0.25 && left.longest < 3 && died.longest > 25 && died.longest < 40);
    assert.ok((died.settledAfter ?? 0) > 29 && (died.settledAfter ?? 0) < 120);
    assert.equal(even.settledAfter, null);
  });

  it('counts a long wait to a loss only where it is one of what was lost, and of the minutes after it', () => {
    // as notes take on two sessions that do 10.6 a second: elsewhere and hours later some wait for a second by chance
    const service = stretched([0.05, 0.07, 0.08, 0.14, 0.15, 0.17, 0.18], 2 / 10.6);
    const { scenarios } = simulatePlan(plan(300_000, 10.6), { ...options, service });
    const [left, died] = scenarios.slice(-2);
    assert.ok(left && left.longest < 1, `${left?.longest}`);
    assert.equal(left.settledAfter, 0);
    assert.ok((died?.settledAfter ?? 0) > 29 && (died?.settledAfter ?? 0) < 120, `${died?.settledAfter}`);
  });

  it('is the same again with the same seed', () =>
    assert.deepEqual(simulatePlan(plan(1e8), options), simulatePlan(plan(1e8), options)));
});
