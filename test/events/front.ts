/** A front of the real registry that counts what it is asked, and that a test may let fail in every way a network can. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { SchemaRegistryClient, type SchemaRegistryOptions } from '../../src/events/registry.ts';

export interface Front {
  readonly url: string;
  /** `METHOD /path` of everything asked, without the base path of the registry behind. */
  readonly asked: string[];
  /** Answers in the registry's place and returns true, or lets the question through. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean;
  close(): Promise<void>;
}

export async function startFront(behind: string, tls?: { key: string; cert: string }): Promise<Front> {
  const asked: string[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    asked.push(`${request.method} ${request.url}`);
    if (front.intercept(request, response)) return;
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const answer = await fetch(`${behind}${request.url}`, {
      method: request.method ?? 'GET',
      headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
      ...(chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }),
    });
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
  };
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    handle(request, response).catch(() => response.destroy());
  };
  const server: Server = tls === undefined ? createServer(listener) : createSecureServer(tls, listener);
  await listening(server);
  const front: Front = {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    intercept: () => false,
    close: async () => {
      server.closeAllConnections();
      await new Promise(done => server.close(done));
    },
  };
  return front;
}

/** Where nothing listens any more. */
export async function closedPort(): Promise<string> {
  const server = createTcpServer();
  await listening(server);
  const { port } = server.address() as AddressInfo;
  await new Promise(done => server.close(done));
  return `http://127.0.0.1:${port}`;
}

export function client(url: string, changes: Partial<SchemaRegistryOptions> = {}): SchemaRegistryClient {
  return new SchemaRegistryClient({ url, autoRegister: false, requestMs: 10_000, now: Date.now, ...changes });
}

let topics = 0;

/** A topic whose subject nobody has used, in a registry that outlives the run. */
export function freshTopic(name: string): string {
  return `${name}-${Date.now()}-${process.pid}-${topics++}`;
}

export function json(response: ServerResponse, status: number, body: unknown): true {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  return true;
}

function listening(server: { listen(port: number, host: string, done: () => void): unknown }): Promise<void> {
  return new Promise(done => server.listen(0, '127.0.0.1', done));
}
