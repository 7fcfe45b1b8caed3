/**
 * The NCBO BioPortal Annotator over HTTP: RXNORM for medications, SNOMEDCT for diseases and symptoms, told apart by UMLS semantic types.
 * One request a section, no second attempt; the key goes in a header, never into an address that someone may log.
 */
import { createHash } from 'node:crypto';
import type { Task } from '../core/span.ts';
import { CodePointIndex } from '../text/code-points.ts';
import type { GatedNote } from '../text/privacy-gate.ts';
import { asciiMirror } from './ascii-mirror.ts';
import { readBioportalReply } from './bioportal-reply.ts';
import { requireEgress } from './egress.ts';
import { fromFetch, fromStatus } from './http-failure.ts';
import type { Reply, Teacher, TeacherRequest } from './teacher.ts';
import { TeacherError } from './teacher-error.ts';
import { textSections } from './text-sections.ts';

export interface BioportalQuery {
  /** Acronyms. */
  readonly ontologies: readonly string[];
  /** UMLS type identifiers; only classes of one of these are wanted, none means all. */
  readonly semanticTypes: readonly string[];
}

/** https://www.nlm.nih.gov/research/umls/META3_current_semantic_types.html */
export const BIOPORTAL_QUERIES: Readonly<Record<Task, BioportalQuery>> = {
  // chemicals, biologicals and clinical drugs; not dose forms (T122)
  medication: {
    ontologies: ['RXNORM'],
    semanticTypes: ['T109', 'T116', 'T121', 'T123', 'T125', 'T127', 'T129', 'T195', 'T197', 'T200'],
  },
  // diseases, mental disorders, neoplasms, injuries, pathologic functions, anomalies
  disease: {
    ontologies: ['SNOMEDCT'],
    semanticTypes: ['T019', 'T020', 'T037', 'T046', 'T047', 'T048', 'T190', 'T191'],
  },
  // findings, signs and symptoms
  symptom: { ontologies: ['SNOMEDCT'], semanticTypes: ['T033', 'T184'] },
};

export interface BioportalOptions {
  readonly apiKey: string;
  /** Hosts to which notes may be sent. */
  readonly egressAllow: readonly string[];
  readonly name?: string;
  /** Plain HTTP is for this machine only. */
  readonly baseUrl?: string;
  readonly queries?: Readonly<Record<Task, BioportalQuery>>;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

const SECTION = { size: 20_000, overlap: 400 };
const FREE = { inputTokens: 0, outputTokens: 0, usd: 0 } as const;
const MOST_BYTES = 64 * 2 ** 20;
/** Part of the request's key: rises when the same parameters would send or read something else. */
const PROTOCOL = '1';

export class BioportalTeacher implements Teacher {
  readonly name: string;
  readonly provider = 'bioportal';
  readonly tasks: readonly Task[];
  readonly host: string;
  readonly #options: BioportalOptions;
  readonly #queries: Readonly<Record<Task, BioportalQuery>>;
  readonly #url: URL;
  readonly #now: () => number;

  /** @throws TeacherError EGRESS_DENIED for a host that is not listed, or plain HTTP to another machine; TEACHER_DENIED without a key. */
  constructor(options: BioportalOptions) {
    this.name = options.name ?? 'bioportal';
    this.#options = options;
    this.#queries = options.queries ?? BIOPORTAL_QUERIES;
    this.tasks = Object.keys(this.#queries);
    this.#url = new URL('/annotator', options.baseUrl ?? 'https://data.bioontology.org');
    this.host = this.#url.host;
    this.#now = options.now ?? Date.now;
    this.#requireEgress();
    if (options.apiKey.trim() === '')
      throw new TeacherError('TEACHER_DENIED', `${this.name}: no API key; BioPortal gives one to every account`);
  }

  plan(note: GatedNote, task: Task): readonly TeacherRequest[] {
    const query = this.#query(task);
    const index = new CodePointIndex(note.text);
    const promptSha256 = sha256(JSON.stringify([PROTOCOL, query.ontologies, query.semanticTypes]));
    return textSections(note.text, SECTION).flatMap(section => {
      const text = index.slice(section.start, section.end);
      // it answers 400 to white space
      if (asciiMirror(text).trim() === '') return [];
      const key = { textSha256: sha256(text), task, promptSha256, model: `bioportal-${query.ontologies.join('+')}` };
      return [{ key, task, section, text, atMost: FREE }];
    });
  }

  async ask(request: TeacherRequest, signal: AbortSignal): Promise<Reply> {
    this.#requireEgress();
    const mirror = asciiMirror(request.text);
    const from = this.#now();
    const body = await this.#post(this.#form(mirror, this.#query(request.task)), signal);
    const quotes = readBioportalReply({ name: this.name, body, text: request.text, mirror });
    return { quotes, usage: { ...FREE, ms: this.#now() - from } };
  }

  #form(text: string, { ontologies, semanticTypes }: BioportalQuery): URLSearchParams {
    return new URLSearchParams({
      text,
      ontologies: ontologies.join(','),
      ...(semanticTypes.length === 0 ? {} : { semantic_types: semanticTypes.join(',') }),
      longest_only: 'true',
      include: 'prefLabel',
      display_context: 'false',
    });
  }

  async #post(body: URLSearchParams, signal: AbortSignal): Promise<string> {
    let response: Response;
    try {
      response = await fetch(this.#url, {
        method: 'POST',
        headers: { authorization: `apikey token=${this.#options.apiKey}`, accept: 'application/json' },
        body,
        redirect: 'error',
        signal,
      });
    } catch (cause) {
      throw fromFetch(this.name, cause, signal);
    }
    if (!response.ok) {
      // what an error page says is of no use and may repeat the request
      await response.body?.cancel().catch(() => {});
      throw fromStatus(this.name, response, this.#now());
    }
    try {
      return await this.#read(response);
    } catch (cause) {
      throw cause instanceof TeacherError ? cause : fromFetch(this.name, cause, signal);
    }
  }

  async #read(response: Response): Promise<string> {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of response.body ?? []) {
      bytes += chunk.byteLength;
      if (bytes > MOST_BYTES)
        throw new TeacherError('REPLY_WRONG_SCHEMA', `${this.name}: the answer is longer than ${MOST_BYTES} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  }

  #query(task: Task): BioportalQuery {
    const query = this.#queries[task];
    if (query === undefined) throw new RangeError(`${this.name} has no query for the task ${task}`);
    return query;
  }

  #requireEgress(): void {
    requireEgress(this.#url, this.#options.egressAllow);
    const { protocol, hostname, host } = this.#url;
    if (protocol === 'https:' || hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]') return;
    throw new TeacherError('EGRESS_DENIED', `${host}: plain HTTP would show notes to the network; use https`);
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
