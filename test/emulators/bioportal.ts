/**
 * A local server that speaks the NCBO Annotator's protocol as its sources do (ncbo/ontologies_api, ncbo/ncbo_annotator): form parameters,
 * key in the Authorization header, upper-cased text, line ends as spaces, offsets from 1 with the last included. It answers by the
 * dictionaries of this project: whatever it says is SIMULATED, and its codes are not SNOMED CT's.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { annotateLike, type OffsetUnit } from './bioportal-annotate.ts';
import { type BioportalFault, misbehave } from './bioportal-faults.ts';

export interface BioportalEmulatorOptions {
  readonly apiKey: string;
  /** Which unit the offsets are in: the real service's is not documented. */
  readonly unit?: OffsetUnit;
}

export interface Seen {
  readonly url: string;
  readonly form: URLSearchParams;
}

const KNOWN = new Set([
  'text',
  'ontologies',
  'semantic_types',
  'longest_only',
  'include',
  'display_context',
  'display_links',
]);
const ONTOLOGIES = new Set(['RXNORM', 'SNOMEDCT']);

export class BioportalEmulator {
  /** What has been asked, in order. */
  readonly seen: Seen[] = [];
  fault: BioportalFault | null = null;
  readonly #options: BioportalEmulatorOptions;
  readonly #server: Server;
  readonly #asked = Promise.withResolvers<void>();
  readonly #abandoned = Promise.withResolvers<void>();

  private constructor(options: BioportalEmulatorOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => void this.#handle(request, response));
  }

  static async start(options: BioportalEmulatorOptions): Promise<BioportalEmulator> {
    const emulator = new BioportalEmulator(options);
    await new Promise<void>(resolve => emulator.#server.listen(0, '127.0.0.1', resolve));
    return emulator;
  }

  get url(): string {
    return `http://${this.host}`;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves when the first request has been read and, unless it hangs, its answer has begun. */
  asked(): Promise<void> {
    return this.#asked.promise;
  }

  /** Resolves when a client has closed its connection before the answer was complete. */
  abandoned(): Promise<void> {
    return this.#abandoned.promise;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>(resolve => this.#server.close(() => resolve()));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('close', () => {
      if (!response.writableFinished) this.#abandoned.resolve();
    });
    response.setHeader('server', 'clinstream-emulator (simulated)');
    const form = new URLSearchParams(await readBody(request));
    this.seen.push({ url: request.url ?? '', form });
    const refusal = this.#refuse(request, form);
    if (refusal !== null) {
      reply(response, refusal.status, { status: refusal.status, errors: [refusal.why] });
      return;
    }
    const answer = JSON.stringify(annotateLike(form, this.#options.unit ?? 'code-point'));
    if (this.fault !== null) misbehave(this.fault, response, answer);
    else reply(response, 200, answer);
    this.#asked.resolve();
  }

  #refuse(request: IncomingMessage, form: URLSearchParams): { status: number; why: string } | null {
    if (request.url !== '/annotator' || request.method !== 'POST') return { status: 404, why: 'no such resource' };
    if (request.headers.authorization !== `apikey token=${this.#options.apiKey}`)
      return { status: 401, why: 'You must provide a valid API Key.' };
    if (!request.headers['content-type']?.startsWith('application/x-www-form-urlencoded'))
      return { status: 400, why: 'parameters must be a form' };
    const unknown = [...form.keys()].filter(key => !KNOWN.has(key));
    if (unknown.length > 0) return { status: 400, why: `unknown parameters: ${unknown.join(', ')}` };
    if ((form.get('text') ?? '').trim() === '') return { status: 400, why: 'A text to be annotated must be supplied' };
    if (!(form.get('ontologies') ?? '').split(',').every(acronym => ONTOLOGIES.has(acronym)))
      return { status: 404, why: 'The ontologies parameter names an unknown ontology' };
    return null;
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function reply(response: ServerResponse, status: number, body: string | object): void {
  response.writeHead(status, { 'content-type': 'application/json;charset=utf-8' });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}
