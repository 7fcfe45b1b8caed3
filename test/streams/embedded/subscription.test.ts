/** If this fails, a worker with a long backlog of refused notes would hear neither SIGTERM nor a health check until it is through. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { unobserved } from '../../../src/core/facts.ts';
import { EmbeddedTransport } from '../../../src/streams/embedded/embedded-transport.ts';
import { keyed } from '../../contract/harness.ts';
import { temporaryFolder } from '../../support/temporary.ts';

const folder = temporaryFolder('subscription');

it('lets others have their turn between two batches, also where nobody waits for anything', async () => {
  const transport = new EmbeddedTransport({ directory: join(folder, 'log'), create: true, now: Date.now });
  await transport.createTopic('in', { partitions: 1, retention: { ms: null, bytes: null } });
  await transport.append(Array.from({ length: 50 }, (_, i) => keyed('a', String(i))));
  let batches = 0;
  const subscription = await transport.subscribe({
    group: 'g',
    topics: ['in'],
    outputs: [],
    handler: {
      onBatch: async () => {
        batches++;
      },
      onRelease: async () => {},
    },
    fetchRecords: 1,
    fetchBytes: 1,
    drainMs: 1_000,
    observe: unobserved,
  });
  for (let turns = 0; turns < 5; turns++) await setImmediate();
  assert.ok(batches < 10, `${batches} batches in 5 turns`);
  await subscription.stop();
  await transport.close();
});
