/** If this fails, the log would open what it cannot read, lose a header, or delete what nobody has read yet. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { unobserved } from '../../../src/core/facts.ts';
import type { OutgoingRecord, StreamRecord } from '../../../src/core/record.ts';
import { EmbeddedTransport } from '../../../src/streams/embedded/embedded-transport.ts';
import { decodeHeaders, encodeHeaders } from '../../../src/streams/embedded/header-bytes.ts';
import { runProcessor } from '../../../src/streams/runner.ts';
import type { Retention, Transport } from '../../../src/streams/transport.ts';
import { temporaryFolder } from '../../support/temporary.ts';

const folder = temporaryFolder('log-file');
let logs = 0;
const fresh = (): string => join(folder, String(logs++));

function record(value: string, timestamp: number): OutgoingRecord {
  return { topic: 'in', key: null, value: Buffer.from(value), headers: {}, timestamp };
}

async function values(transport: Transport, topic: string): Promise<string[]> {
  const found: string[] = [];
  for await (const each of transport.read(topic, { from: 'beginning', untilEnd: true }))
    found.push(`${each.offset}:${each.value}`);
  return found;
}

describe('log file', () => {
  it('refuses a folder without a log, another program’s database, another format and what is no database', () => {
    const open = (directory: string, create = false) => new EmbeddedTransport({ directory, create, now: Date.now });
    assert.throws(() => open(fresh()), { code: 'LOG_MISSING' });
    const change = (sql: string): string => {
      const directory = fresh();
      void open(directory, true).close();
      const database = new DatabaseSync(join(directory, 'log.sqlite'));
      database.exec(sql);
      database.close();
      return directory;
    };
    assert.throws(() => open(change('PRAGMA user_version = 99')), { code: 'LOG_VERSION', message: /format 99/ });
    assert.throws(() => open(change('PRAGMA application_id = 7')), {
      code: 'LOG_UNREADABLE',
      message: /another program/,
    });
  });

  it('keeps any header to the byte', () => {
    const headers = fc.dictionary(
      fc.string({ unit: 'binary' }).filter(name => name !== '__proto__'),
      fc.uint8Array().map(bytes => Buffer.from(bytes)),
    );
    fc.assert(
      fc.property(headers, given => {
        assert.deepEqual({ ...decodeHeaders(encodeHeaders(given)) }, { ...given });
      }),
    );
  });

  it('removes old records, never what a group has yet to read, and gives no offset twice', async () => {
    let now = 1_000_000;
    const transport = new EmbeddedTransport({ directory: fresh(), create: true, now: () => now });
    const retention: Retention = { ms: 1000, bytes: null };
    await transport.createTopic('in', { partitions: 1, retention });
    await transport.append(['a', 'b', 'c'].map(value => record(value, now)));
    const running = await runProcessor({
      transport,
      processor: {
        process: async (each: StreamRecord) =>
          String(each.value) === 'b' ? Promise.reject(new Error('stop here')) : [],
      },
      group: 'g',
      topics: ['in'],
      inFlightRecords: 1,
      inFlightBytes: 100,
      transactionRecords: 1,
      transactionBytes: 100,
      transactionMs: 0,
      drainMs: 1000,
      observe: unobserved,
      sleep: async () => {},
    });
    await assert.rejects(running.done, /stop here/);
    now += 10_000;
    assert.equal(transport.applyRetention(), 1, 'only what the group has committed');
    assert.deepEqual(await values(transport, 'in'), ['1:b', '2:c']);
    assert.deepEqual(
      (await transport.lags()).map(each => each.lag),
      [2n],
    );
    await transport.append([record('d', now)]);
    assert.deepEqual(await values(transport, 'in'), ['1:b', '2:c', '3:d']);
    await transport.close();
  });

  it('keeps the newest bytes, and everything where no retention is set', async () => {
    const transport = new EmbeddedTransport({ directory: fresh(), create: true, now: () => 5 });
    await transport.createTopic('in', { partitions: 1, retention: { ms: null, bytes: 25 } });
    await transport.createTopic('kept', { partitions: 1, retention: { ms: null, bytes: null } });
    const ten = (letter: string) => record(letter.repeat(10), 0);
    await transport.append([...['a', 'b', 'c', 'd'].map(ten), { ...ten('x'), topic: 'kept' }]);
    assert.equal(transport.applyRetention(), 2);
    assert.deepEqual(await values(transport, 'in'), [`2:${'c'.repeat(10)}`, `3:${'d'.repeat(10)}`]);
    const [topic] = (await transport.topics()).filter(each => each.topic === 'in');
    assert.deepEqual(topic?.partitions, [{ partition: 0, low: 2n, high: 4n }]);
    assert.equal((await values(transport, 'kept')).length, 1);
    await transport.close();
  });
});
