/** If this fails, a group's offset could move past records of which nothing is on the disk yet. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { announcingCommits } from '../../src/streams/before-commit.ts';
import { EmbeddedTransport } from '../../src/streams/embedded/embedded-transport.ts';
import { drain, echo, keyed, start, texts } from '../contract/harness.ts';
import { temporaryFolder } from '../support/temporary.ts';

const folder = temporaryFolder('before-commit');

async function logOf(name: string, records: number): Promise<EmbeddedTransport> {
  const transport = new EmbeddedTransport({ directory: join(folder, name), create: true, now: () => 0 });
  for (const topic of ['in', 'out']) {
    await transport.createTopic(topic, { partitions: 1, retention: { ms: null, bytes: null } });
  }
  await transport.append(Array.from({ length: records }, (_, i) => keyed('a', String(i))));
  return transport;
}

describe('a subscription that announces its commits', () => {
  it('says what is about to be committed, in order and up to the end', async () => {
    const transport = await logOf('order', 40);
    const announced: bigint[] = [];
    const watched = announcingCommits(transport, ({ topic, partition }, next) => {
      assert.deepEqual([topic, partition], ['in', 0]);
      announced.push(next);
    });
    const running = await start(transport, echo, { transport: watched, transactionRecords: 7 });
    await running.subscription.drained();
    await running.stop();
    assert.deepEqual(announced.at(-1), 40n);
    assert.deepEqual(
      announced,
      announced.toSorted((a, b) => Number(a - b)),
    );
    assert.equal((await texts(transport, 'out')).length, 40);
    await transport.close();
  });

  it('commits nothing when whoever is told throws, and ends the run with that', async () => {
    const transport = await logOf('throws', 3);
    const watched = announcingCommits(transport, () => {
      throw new RangeError('the disk is full');
    });
    const running = await start(transport, echo, { transport: watched });
    await assert.rejects(running.done, { message: 'the disk is full' });
    assert.deepEqual(await texts(transport, 'out'), []);
    assert.deepEqual(
      (await transport.lags()).map(({ lag }) => lag),
      [3n],
    );
    await drain(transport, echo);
    assert.equal((await texts(transport, 'out')).length, 3);
    await transport.close();
  });
});
