/**
 * The server that all emulated providers share: it reads a request, lets the adapter check it as strictly as the provider
 * would, meets the planned fault, and answers. `POST /__faults` changes the plan while it runs, `GET /__asked` tells what it saw.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Asked, AskedLog, hash } from './asked.ts';
import { type Fault, type FaultPlan, Faults } from './faults.ts';
import type { Question } from './read-question.ts';

export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  /** As received. */
  readonly body: string;
}

export interface HttpReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export interface Understood extends Question {
  readonly model: string;
  /** What stood before the note, where the provider has such a message. */
  readonly instructions?: string;
}

export interface Adapter {
  /** What is asked, or the provider's refusal of a request that it does not understand. */
  understand(request: HttpRequest): Understood | HttpReply;
  /** The provider's reply, made worse by the fault where that is about what it says, and what it bills for it. */
  reply(asked: { understood: Understood; request: HttpRequest; fault: Fault }): HttpReply & {
    readonly inputTokens: number;
    readonly outputTokens: number;
  };
  /** The provider's error for a fault that is an HTTP status; `sent` is the body that was received. */
  failure(fault: Fault, now: number, sent: string): HttpReply | undefined;
}

export interface EmulatorOptions {
  readonly faults?: FaultPlan;
  /** Any free one when absent. */
  readonly port?: number;
  /** Before each answer, for a demonstration that can be watched. */
  readonly latencyMs?: number;
  readonly now?: () => number;
}

export interface Emulator {
  /** Without a slash at the end. */
  readonly url: string;
  readonly asked: AskedLog;
  readonly faults: Faults;
  /** Closes every connection, those that hang too. Idempotent. */
  readonly stop: () => Promise<void>;
}

export async function serve(adapter: Adapter, options: EmulatorOptions): Promise<Emulator> {
  const { port = 0, latencyMs = 0, now = Date.now } = options;
  const asked = new AskedLog();
  const faults = new Faults(options.faults);
  const server = createServer(async (incoming, response) => {
    const request = await receive(incoming);
    if (request.url.pathname.startsWith('/__')) return control(request, response, { faults, asked });
    const understood = understand(adapter, request);
    if (!('task' in understood)) return send(response, understood);
    const fault = faults.next(understood.text);
    const record = asked.add({
      at: now(),
      task: understood.task,
      model: understood.model,
      textSha256: hash(understood.text),
      aroundSha256: hash(around(request, understood.text)),
      fault,
      inputTokens: 0,
      outputTokens: 0,
      status: null,
      crawledBytes: 0,
      closedEarly: false,
    });
    response.on('close', () => {
      record.closedEarly = !response.writableFinished;
      asked.changed();
    });
    if (latencyMs > 0) await new Promise(resolve => setTimeout(resolve, latencyMs));
    answer({ adapter, request, response, understood, fault, record, asked, now });
    asked.changed();
  });
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    faults,
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function understand(adapter: Adapter, request: HttpRequest): Understood | HttpReply {
  try {
    return adapter.understand(request);
  } catch {
    return { status: 400, body: { error: { message: 'We could not parse the JSON body of your request.' } } };
  }
}

interface Answering {
  readonly adapter: Adapter;
  readonly request: HttpRequest;
  readonly response: ServerResponse;
  readonly understood: Understood;
  readonly fault: Fault;
  readonly record: Asked;
  readonly asked: AskedLog;
  readonly now: () => number;
}

function answer({ adapter, request, response, understood, fault, record, asked, now }: Answering): void {
  if (fault === 'hang') return;
  if (fault === 'slam') {
    response.destroy();
    return;
  }
  const failure = adapter.failure(fault, now(), request.body);
  if (failure !== undefined) {
    record.status = failure.status;
    send(response, failure);
    return;
  }
  const reply = adapter.reply({ understood, request, fault });
  Object.assign(record, { inputTokens: reply.inputTokens, outputTokens: reply.outputTokens, status: reply.status });
  if (fault === 'cut') cut(response, reply);
  else if (fault === 'crawl') {
    crawl(response, reply, sent => {
      record.crawledBytes = sent;
      asked.changed();
    });
  } else if (fault === 'bad-envelope') send(response, { ...reply, body: JSON.stringify(reply.body).slice(0, -3) });
  else send(response, reply);
}

/** The request with the note taken out, in whatever way its form or JSON escapes it; its tag too. */
function around({ headers, body }: HttpRequest, text: string): string {
  const isForm = headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
  const escaped = isForm ? new URLSearchParams([['', text]]).toString().slice(1) : JSON.stringify(text).slice(1, -1);
  return body.replace(escaped, '').replaceAll(hash(text).slice(0, 16), '');
}

async function receive(incoming: IncomingMessage): Promise<HttpRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return {
    method: incoming.method ?? 'GET',
    url: new URL(incoming.url ?? '/', 'http://127.0.0.1'),
    headers: incoming.headers,
    body: Buffer.concat(chunks).toString('utf8'),
  };
}

function send(response: ServerResponse, { status, headers, body }: HttpReply): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

/** Half of it, and then a closed connection. */
function cut(response: ServerResponse, reply: HttpReply): void {
  const bytes = begin(response, reply);
  response.write(bytes.subarray(0, Math.ceil(bytes.length / 2)), () => response.destroy());
}

/** Byte by byte, so slowly that nobody waits for the end. */
function crawl(response: ServerResponse, reply: HttpReply, onByte: (sent: number) => void): void {
  const bytes = begin(response, reply);
  let sent = 0;
  const timer = setInterval(() => response.write(bytes.subarray(sent, ++sent), () => onByte(sent)), 50);
  response.on('close', () => clearInterval(timer));
}

function begin(response: ServerResponse, { status, body }: HttpReply): Buffer {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length });
  return bytes;
}

function control(
  request: HttpRequest,
  response: ServerResponse,
  { faults, asked }: Pick<Emulator, 'faults' | 'asked'>,
) {
  if (request.method === 'POST' && request.url.pathname === '/__faults') {
    try {
      faults.set(JSON.parse(request.body) as FaultPlan);
      return send(response, { status: 200, body: { ok: true } });
    } catch (error) {
      return send(response, { status: 400, body: { error: String(error) } });
    }
  }
  if (request.url.pathname === '/__asked') {
    return send(response, { status: 200, body: { simulated: true, ...asked.summary() } });
  }
  send(response, { status: 404, body: { error: 'POST /__faults or GET /__asked' } });
}
