/** The embedded log under the contract of every transport. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { EmbeddedTransport } from '../../src/streams/embedded/embedded-transport.ts';
import { StreamError } from '../../src/streams/stream-error.ts';
import type { Transport } from '../../src/streams/transport.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { contract } from './contract.ts';
import { drain, echo, keyed, start, texts } from './harness.ts';

const folder = temporaryFolder('contract');
let logs = 0;

contract('embedded', async () => {
  const directory = join(folder, String(logs++));
  const connections: Transport[] = [];
  return {
    connect: async () => {
      const transport = new EmbeddedTransport({ directory, create: true, now: Date.now });
      connections.push(transport);
      return transport;
    },
    fencedRunEnds: true,
    // a lock whose file is gone protects nobody: the epoch in the log must
    supersede: async group => rmSync(join(directory, 'groups', `${group}.lock`)),
    close: async () => {
      await Promise.all(connections.map(each => each.close()));
    },
  };
});

it('lets one process at a time run a group, and the next one go on where it stopped', async () => {
  const directory = join(folder, 'one-at-a-time');
  const open = (): EmbeddedTransport => new EmbeddedTransport({ directory, create: true, now: Date.now });
  const [log, other] = [open(), open()];
  for (const topic of ['in', 'out'])
    await log.createTopic(topic, { partitions: 4, retention: { ms: null, bytes: null } });
  await log.append([keyed('a', '1')]);
  const first = await start(log, echo);
  await assert.rejects(
    start(other, echo),
    (error: unknown) => error instanceof StreamError && error.code === 'GROUP_BUSY' && error.retryable,
  );
  await first.subscription.drained();
  await first.stop();
  await log.append([keyed('a', '2')]);
  await drain(other, echo);
  assert.deepEqual(await texts(log, 'out'), ['1', '2']);
  await Promise.all([log.close(), other.close()]);
});
