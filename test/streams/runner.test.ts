/** If this fails, a backlog would fill the memory, or the tagger would idle beside work that it could take. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { unobserved } from '../../src/core/facts.ts';
import type { Processor } from '../../src/core/processor.ts';
import type { OutgoingRecord, StreamRecord } from '../../src/core/record.ts';
import { EmbeddedTransport } from '../../src/streams/embedded/embedded-transport.ts';
import { type RunOptions, runProcessor } from '../../src/streams/runner.ts';
import { temporaryFolder } from '../support/temporary.ts';

const folder = temporaryFolder('runner');
let logs = 0;
const open: EmbeddedTransport[] = [];

/** Everything that can happen without a timer has happened. */
async function quiet(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise(resolve => setImmediate(resolve));
}

async function logOf(sizes: readonly number[], partitions: number): Promise<EmbeddedTransport> {
  const transport = new EmbeddedTransport({ directory: join(folder, String(logs++)), create: true, now: () => 0 });
  open.push(transport);
  await transport.createTopic('in', { partitions, retention: { ms: null, bytes: null } });
  const records: OutgoingRecord[] = sizes.map((size, i) => ({
    topic: 'in',
    key: null,
    value: Buffer.alloc(size),
    headers: {},
    partition: i % partitions,
  }));
  await transport.append(records);
  return transport;
}

function optionsOf(transport: EmbeddedTransport, processor: Processor): RunOptions {
  return {
    transport,
    processor,
    group: 'g',
    topics: ['in'],
    outputs: [],
    inFlightRecords: 1000,
    inFlightBytes: 1_000_000,
    transactionRecords: 1,
    transactionBytes: 1000,
    transactionMs: 60_000,
    drainMs: 1000,
    observe: unobserved,
    sleep: async () => {},
  };
}

/** Begins what it is given and finishes it when told to. */
class Manual implements Processor {
  readonly begun: StreamRecord[] = [];
  readonly unfinished: { record: StreamRecord; finish: () => void }[] = [];

  process(record: StreamRecord): Promise<readonly OutgoingRecord[]> {
    this.begun.push(record);
    return new Promise(done => this.unfinished.push({ record, finish: () => done([]) }));
  }

  finish(which: number): void {
    const [next] = this.unfinished.splice(which % this.unfinished.length, 1);
    next?.finish();
  }
}

describe('runner', () => {
  afterEach(async () => {
    for (const transport of open.splice(0)) await transport.close();
  });

  it('holds exactly as many records as it may: begun and not committed equals the limit, or all that is left', async () => {
    const cases = fc.record({
      total: fc.integer({ min: 1, max: 40 }),
      partitions: fc.integer({ min: 1, max: 4 }),
      limit: fc.integer({ min: 1, max: 12 }),
      picks: fc.infiniteStream(fc.nat(100)),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ total, partitions, limit, picks }) => {
        const transport = await logOf(Array(total).fill(1), partitions);
        const manual = new Manual();
        let committed = 0;
        const running = await runProcessor({
          ...optionsOf(transport, manual),
          inFlightRecords: limit,
          observe: fact => {
            if (fact.kind === 'transaction.committed') committed += fact.records;
          },
        });
        await quiet();
        while (committed < total) {
          assert.equal(manual.begun.length - committed, Math.min(limit, total - committed));
          manual.finish(picks.next().value);
          await quiet();
        }
        await running.stop();
      }),
      { numRuns: 25 },
    );
  });

  it('bounds the bytes in hand over all partitions, and takes a larger record alone', async () => {
    const transport = await logOf([40, 40, 40, 500, 40], 1);
    const manual = new Manual();
    const running = await runProcessor({ ...optionsOf(transport, manual), inFlightBytes: 100 });
    const inHand: number[][] = [];
    for (let i = 0; i < 4; i++) {
      await quiet();
      inHand.push(manual.unfinished.map(each => each.record.value?.length ?? 0));
      manual.finish(0);
    }
    assert.deepEqual(inHand, [[40, 40], [40, 40], [40], [500]]);
    await quiet();
    manual.finish(0);
    await running.stop();
  });

  it('ends with what failed first, and has committed nothing behind it', async () => {
    const transport = await logOf(Array(10).fill(1), 1);
    let begun = 0;
    const failing: Processor = {
      process: async () => {
        begun++;
        throw new Error(`failure ${begun}`);
      },
    };
    const running = await runProcessor({ ...optionsOf(transport, failing), inFlightRecords: 1 });
    await assert.rejects(running.done, /failure 1/);
    await running.stop();
    assert.deepEqual(
      (await transport.lags()).map(each => each.lag),
      [10n],
    );
  });
});
