/** The embedded log under the contract of every transport. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { EmbeddedTransport } from '../../src/streams/embedded/embedded-transport.ts';
import type { Transport } from '../../src/streams/transport.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { contract } from './contract.ts';

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
    // a lock whose file is gone protects nobody: the epoch in the log must
    supersede: async group => rmSync(join(directory, 'groups', `${group}.lock`)),
    close: async () => {
      await Promise.all(connections.map(each => each.close()));
    },
  };
});
