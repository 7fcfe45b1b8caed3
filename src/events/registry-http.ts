/**
 * One question to the schema registry, with one deadline over all its attempts. Every request of ours goes through here, those of
 * @kafkajs/confluent-schema-registry too: its own gateway has no deadline for a body that stops in the middle, and reports a refused
 * connection as status 400.
 */
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { RegistryError, refusal } from './registry-error.ts';

export interface RegistryOptions {
  /** Base of the Confluent API, such as http://127.0.0.1:8081, without credentials. */
  readonly url: string;
  /** HTTP basic authentication. */
  readonly auth?: { readonly username: string; readonly password: string };
  /** Certificate authorities in PEM; the system's where none is given. */
  readonly ca?: string;
  /** From a question to its answer, attempts and waits included. */
  readonly requestMs: number;
}

/** All that we ask is idempotent, so what may pass is asked again. */
const ATTEMPTS = 3;
const BACKOFF_MS = 50;
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const JSON_TYPE = 'application/vnd.schemaregistry.v1+json';

export class RegistryHttp {
  readonly url: string;
  readonly #requestMs: number;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #request: typeof requestHttp;
  readonly #agent: HttpAgent;

  constructor({ url, auth, ca, requestMs }: RegistryOptions) {
    const { protocol, origin, pathname } = new URL(url);
    const tls = protocol === 'https:';
    this.url = `${origin}${pathname}`.replace(/\/+$/, '');
    this.#requestMs = requestMs;
    this.#request = tls ? requestHttps : requestHttp;
    this.#agent = tls
      ? new HttpsAgent({ keepAlive: true, ...(ca === undefined ? {} : { ca }) })
      : new HttpAgent({ keepAlive: true });
    this.#headers = {
      accept: `${JSON_TYPE}, application/json`,
      'content-type': JSON_TYPE,
      'user-agent': 'clinstream',
      ...(auth === undefined
        ? {}
        : { authorization: `Basic ${Buffer.from(`${auth.username}:${auth.password}`, 'utf8').toString('base64')}` }),
    };
  }

  /**
   * The parsed answer. `path` begins with a slash and is encoded already; `body` is JSON text.
   * @throws RegistryError
   */
  async ask(method: string, path: string, body?: string): Promise<unknown> {
    const place = `the schema registry at ${this.url}, asked ${method} ${path},`;
    const deadline = AbortSignal.timeout(this.#requestMs);
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(method, path, body, deadline, place);
      } catch (error) {
        if (!(error instanceof RegistryError) || !error.retryable || attempt === ATTEMPTS) throw error;
        const waited = await sleep(BACKOFF_MS * 4 ** (attempt - 1), true, { signal: deadline }).catch(() => false);
        if (!waited) throw error;
      }
    }
  }

  async #attempt(
    method: string,
    path: string,
    body: string | undefined,
    signal: AbortSignal,
    place: string,
  ): Promise<unknown> {
    let answer: { status: number; text: string };
    try {
      answer = await this.#send(method, path, body, signal);
    } catch (cause) {
      const why = signal.aborted
        ? `nothing within ${this.#requestMs} ms (registry.requestMs)`
        : `nothing: ${reason(cause)}`;
      throw new RegistryError('REGISTRY_UNREACHABLE', `${place} answered ${why}`, { retryable: true, cause });
    }
    const parsed = parse(answer.text);
    if (answer.status < 200 || answer.status > 299) throw refusal(answer.status, parsed, place);
    if (parsed !== undefined) return parsed;
    throw new RegistryError('REGISTRY_FAILED', `${place} did not answer in JSON: check registry.url`, {
      status: answer.status,
    });
  }

  /** @throws Error of the network, or the signal's. */
  #send(
    method: string,
    path: string,
    body: string | undefined,
    signal: AbortSignal,
  ): Promise<{ status: number; text: string }> {
    return new Promise((done, fail) => {
      const headers = {
        ...this.#headers,
        ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
      };
      const options = { method, headers, agent: this.#agent, signal };
      const request = this.#request(`${this.url}${path}`, options, response => {
        collect(response).then(text => done({ status: response.statusCode ?? 0, text }), fail);
      });
      request.on('error', fail);
      request.end(body);
    });
  }
}

async function collect(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`an answer of more than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Node's own words: they hold addresses and certificates' faults, never headers. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  return error.message !== '' ? error.message : (code ?? error.name);
}
