/** If this fails, notes would be lost or tagged twice on a Kafka whose workers, broker or registry have an ordinary bad day. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { kafkaNeeds } from '../kafka/needs.ts';
import { chaos } from './chaos.ts';

const { skip } = kafkaNeeds();

describe('chaos, in short', { skip }, () => {
  it('leaves every note with exactly one end, in order of its patient', { timeout: 600_000 }, async t => {
    const { findings, notes, poison, workersSaid } = await chaos({
      notes: 1_000,
      workers: 3,
      partitions: 4,
      brokers: 1,
      seed: 7,
      accidents: [
        'kill',
        'fencing',
        'fenced',
        'positioned',
        'kill',
        'beginning',
        'broker kill',
        'broker freeze',
        'sent',
        'offsets-sent',
        'registry',
        'join',
        'kill',
        'leave',
      ],
      tell: line => t.diagnostic(line),
    });
    const { missing, doubled, outOfOrder, wrong, evidence } = findings;
    for (const line of evidence) t.diagnostic(line);
    assert.deepEqual({ missing, doubled, outOfOrder, wrong }, { missing: [], doubled: [], outOfOrder: [], wrong: [] });
    assert.equal(findings.entities + findings.deadLetters, notes + findings.fedAgain);
    assert.ok(findings.deadLetters >= poison && poison > 0);
    // what a rolling restart costs is a rebalance, and a worker's settling in it
    assert.ok(findings.longestGap.rolling < 10_000, `${findings.longestGap.rolling} ms without an event`);
    assert.ok((workersSaid['failed GROUP_FENCED'] ?? 0) > 0, 'zombies woke up and were fenced');
  });
});
