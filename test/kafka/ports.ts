/**
 * Ports that a server can come back to. They are free, and lie below the range from which systems take the ports of outgoing
 * connections and of `listen(0)`, so that while a broker is down neither its own retrying clients nor a stranger get its port.
 */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

const HOST = '127.0.0.1';
const [LOWEST, HIGHEST] = [20_000, 32_767];

/** Distinct ports that were free a moment ago: whoever starts a server on them must still be ready to hear that one is taken. */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  while (found.size < count) {
    const port = randomInt(LOWEST, HIGHEST + 1);
    if (!found.has(port) && (await isFree(port))) found.add(port);
  }
  return [...found];
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer();
    server.on('error', () => resolve(false));
    server.listen({ host: HOST, port }, () => server.close(() => resolve(true)));
  });
}

/** Whether someone listens there. */
export async function isOpen(port: number): Promise<boolean> {
  const socket = connect({ host: HOST, port });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** ApiVersions 0: size, key, version, correlation id, no client id. */
const API_VERSIONS = Buffer.from('0000000a' + '0012' + '0000' + '00000007' + 'ffff', 'hex');

/** Whether a Kafka broker answers there: a request for its API versions comes back with the same correlation id and no error. */
export async function isBroker(port: number): Promise<boolean> {
  const socket = connect({ host: HOST, port, timeout: 2000 });
  socket.on('timeout', () => socket.destroy(new Error('no answer')));
  try {
    socket.write(API_VERSIONS);
    let answer = Buffer.alloc(0);
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      answer = Buffer.concat([answer, chunk]);
      if (answer.length >= 10) return answer.readInt32BE(4) === 7 && answer.readInt16BE(8) === 0;
    }
    return false;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
