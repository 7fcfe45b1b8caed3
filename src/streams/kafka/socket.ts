/**
 * Connections to brokers, broken off when an answer is overdue. kafkajs gives up a request that times out, but keeps its connection and
 * asks the same broker again: one that hangs, while others lead long since, would hold up whoever asked it, and whoever begins with it,
 * for as long as it hangs. With a connection that breaks, kafkajs turns to the other brokers and asks them who leads. And where it
 * connects twice at once it forgets one of the two, which would keep the process alive: so all are known here, and closed at the end.
 */
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ISocketFactory } from 'kafkajs';

export interface Patience {
  /** For the first answer on a connection; milliseconds, as all of these. */
  readonly firstMs: number;
  readonly answerMs: number;
  /** For the answer to a member that joins its group: it comes when the others have joined. */
  readonly joinMs: number;
}

const KEEP_ALIVE_MS = 60_000;
/** https://kafka.apache.org/protocol#protocol_api_keys */
const [JOIN_GROUP, SYNC_GROUP] = [11, 14];

export class Connections {
  readonly factory: ISocketFactory;
  readonly #open = new Set<Socket>();
  #closed = false;

  constructor(patience: Patience) {
    this.factory = ({ host, port, ssl, onConnect }) => {
      const socket = ssl // without TLS kafkajs passes none, whatever its types say
        ? connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...ssl }, onConnect)
        : connect({ host, port }, onConnect);
      socket.setKeepAlive(true, KEEP_ALIVE_MS);
      breakOffWhenSilent(socket, patience);
      this.#open.add(socket);
      socket.on('close', () => {
        this.#open.delete(socket);
        // kafkajs says goodbye to it again and again, and each time would leave a listener
        socket.unref = () => socket;
      });
      if (this.#closed) socket.destroy(new Error('the client is closed'));
      return socket;
    };
  }

  /** Whatever is open, and whatever is opened from now on. */
  close(): void {
    this.#closed = true;
    for (const socket of this.#open) socket.destroy(new Error('the client is closed'));
  }
}

function breakOffWhenSilent(socket: Socket, { firstMs, answerMs, joinMs }: Patience): void {
  let usualMs = firstMs;
  let owed: NodeJS.Timeout | undefined;
  const settle = (): void => {
    clearTimeout(owed);
    owed = undefined;
  };
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  socket.write = (request: unknown, ...rest: unknown[]): boolean => {
    const ms = waitsForOthers(request) ? joinMs : usualMs;
    owed ??= setTimeout(() => socket.destroy(new Error(`no answer within ${ms} ms`)), ms).unref();
    return write(request, ...rest);
  };
  socket.on('data', () => {
    settle();
    usualMs = answerMs;
  });
  socket.on('close', settle);
}

/** A request begins with its size, four bytes, and the key of what it asks, two. */
function waitsForOthers(request: unknown): boolean {
  if (!Buffer.isBuffer(request) || request.length < 6) return false;
  const key = request.readInt16BE(4);
  return key === JOIN_GROUP || key === SYNC_GROUP;
}
