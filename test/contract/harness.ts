/** What the contract suite needs of a transport, and the processors that it drives. */
import { setImmediate } from 'node:timers/promises';
import { type Fact, unobserved } from '../../src/core/facts.ts';
import type { Processor } from '../../src/core/processor.ts';
import type { OutgoingRecord, StreamRecord } from '../../src/core/record.ts';
import { type Running, type RunOptions, runProcessor } from '../../src/streams/runner.ts';
import type { Transport } from '../../src/streams/transport.ts';

export interface Harness {
  /** A connection to one and the same log or cluster: each call is as another process would see it. */
  connect(): Promise<Transport>;
  /** Takes the group away from whoever runs it, without their knowing: what a long freeze does. */
  supersede(group: string): Promise<void>;
  /** Where one process runs a group, being fenced ends the run; where many share it, the run goes on with what it has. */
  readonly fencedRunEnds: boolean;
  close(): Promise<void>;
}

/** A fresh log with the topics `in`, `out` and `dead` for each case. */
export interface Setting {
  readonly harness: Harness;
  /** The connection that a case uses when one is enough. */
  readonly transport: Transport;
}

export const GROUP = 'contract';

export function keyed(key: string, value: string, topic = 'in'): OutgoingRecord {
  return { topic, key: Buffer.from(key), value: Buffer.from(value), headers: {} };
}

/** Copies its input to `out`. */
export const echo: Processor = {
  process: async record => [copy(record)],
};

export function copy(record: StreamRecord, topic = 'out'): OutgoingRecord {
  return { topic, key: record.key, value: record.value, headers: record.headers };
}

/** Holds every record until it is told to let go. */
export class Held implements Processor {
  readonly held: { record: StreamRecord; signal: AbortSignal; finish: () => void }[] = [];

  process(record: StreamRecord, signal: AbortSignal): Promise<readonly OutgoingRecord[]> {
    return new Promise(done => {
      this.held.push({ record, signal, finish: () => done([copy(record)]) });
    });
  }

  /** Resolves when so many are in hand. */
  async until(count: number): Promise<void> {
    while (this.held.length < count) await setImmediate();
  }

  finishAll(): void {
    for (const each of this.held.splice(0)) each.finish();
  }
}

export function start(transport: Transport, processor: Processor, options: Partial<RunOptions> = {}): Promise<Running> {
  return runProcessor({
    transport,
    processor,
    group: GROUP,
    topics: ['in'],
    outputs: ['out'],
    inFlightRecords: 64,
    inFlightBytes: 64 * 1024 * 1024,
    transactionRecords: 16,
    transactionBytes: 1024 * 1024,
    transactionMs: 5,
    drainMs: 20_000,
    observe: unobserved,
    sleep: async () => {},
    ...options,
  });
}

/** Runs until everything that stands in the input is committed. */
export async function drain(
  transport: Transport,
  processor: Processor,
  options: Partial<RunOptions> = {},
): Promise<void> {
  const running = await start(transport, processor, options);
  await Promise.race([running.subscription.drained(), running.done]);
  await running.stop();
  await running.done;
}

/** Committed records of a topic, as an independent reader sees them. */
export async function readAll(transport: Transport, topic: string): Promise<StreamRecord[]> {
  const records: StreamRecord[] = [];
  for await (const record of transport.read(topic, { from: 'beginning', untilEnd: true })) records.push(record);
  return records;
}

export async function texts(transport: Transport, topic: string): Promise<string[]> {
  return (await readAll(transport, topic)).map(record => String(record.value));
}

/** Values by key, in the order in which they stand. */
export async function byKey(transport: Transport, topic: string): Promise<Map<string, string[]>> {
  const values = new Map<string, string[]>();
  for (const record of await readAll(transport, topic)) {
    const key = String(record.key);
    values.set(key, [...(values.get(key) ?? []), String(record.value)]);
  }
  return values;
}

/** Resolves when a run has all partitions of `in`. */
export async function owning(facts: readonly Fact[], partitions = 4): Promise<void> {
  while (facts.filter(fact => fact.kind === 'partition.assigned').length < partitions) await setImmediate();
}

/** Lags are told in offsets: a transaction that wrote records leaves a marker behind them on some transports. */
export function lagsBy(lag: bigint, records: bigint, transactions = 1n): boolean {
  return lag >= records && lag <= records + transactions;
}

export function remember(): { facts: Fact[]; observe: (fact: Fact) => void } {
  const facts: Fact[] = [];
  return { facts, observe: fact => void facts.push(fact) };
}
