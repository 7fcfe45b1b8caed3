/** If these fail, a doubtful note is lost, paid for twice, or shown to somebody it must not be shown to. On the embedded log. */
import { join } from 'node:path';
import { EmbeddedTransport } from '../../src/streams/embedded/embedded-transport.ts';
import type { Transport } from '../../src/streams/transport.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { scenarios } from './scenarios.ts';

const folder = temporaryFolder('scenarios');
let logs = 0;

scenarios('the embedded log', async () => {
  const directory = join(folder, String(logs++));
  const connections: Transport[] = [];
  return {
    connect: async () => {
      const transport = new EmbeddedTransport({ directory, create: true, now: Date.now });
      connections.push(transport);
      return transport;
    },
    fencedRunEnds: true,
    supersede: async () => {},
    close: async () => {
      await Promise.all(connections.map(each => each.close()));
    },
  };
});
