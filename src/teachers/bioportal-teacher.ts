/**
 * The NCBO BioPortal Annotator over HTTP: RXNORM for medications, SNOMEDCT for diseases and symptoms, told apart by UMLS semantic types.
 * One request a section, no second attempt; the key goes in a header, never into an address that someone may log.
 */
import type { Task } from '../core/span.ts';
import { CodePointIndex } from '../text/code-points.ts';
import type { GatedNote } from '../text/privacy-gate.ts';
import { asciiMirror } from './ascii-mirror.ts';
import { readBioportalReply } from './bioportal-reply.ts';
import { allowedHost } from './egress.ts';
import { sha256 } from './frame.ts';
import { guardedFetch } from './guarded-fetch.ts';
import { withOwnSignal } from './own-signal.ts';
import { type SectionSize, sectionsOf } from './sections.ts';
import type { Reply, Teacher, TeacherRequest } from './teacher.ts';
import { TeacherError } from './teacher-error.ts';

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
  /** The `egress.allow` list. */
  readonly egressAllow: readonly string[];
  readonly name?: string;
  /** Whose failures and limits count together. */
  readonly provider?: string;
  /** An annotator other than BioPortal's own. */
  readonly baseUrl?: string;
  readonly queries?: Readonly<Record<Task, BioportalQuery>>;
  /** All that have a query when absent. */
  readonly tasks?: readonly Task[];
  /** Milliseconds since the Unix epoch. */
  readonly now?: () => number;
}

const HOME = 'https://data.bioontology.org';
const SECTION: SectionSize = { size: 20_000, overlap: 400 };
const FREE = { inputTokens: 0, outputTokens: 0, usd: 0 } as const;
/** Each class comes with a dozen links, and a section may name hundreds. */
const MAX_BODY_BYTES = 64 * 2 ** 20;
/** Part of the request's key: rises when the same parameters would send or read something else. */
const PROTOCOL = '1';

export class BioportalTeacher implements Teacher {
  readonly name: string;
  readonly provider: string;
  readonly tasks: readonly Task[];
  readonly host: string;
  readonly #apiKey: string;
  readonly #queries: Readonly<Record<Task, BioportalQuery>>;
  readonly #url: string;
  readonly #fetch: typeof fetch;
  readonly #now: () => number;

  /** @throws TeacherError EGRESS_DENIED, TEACHER_DENIED without a key. @throws RangeError for a task without a query */
  constructor(options: BioportalOptions) {
    const { egressAllow, apiKey, name = 'bioportal', baseUrl = HOME, now = Date.now } = options;
    this.name = name;
    this.provider = options.provider ?? 'bioportal';
    this.host = allowedHost({ teacher: name, url: baseUrl, allow: egressAllow });
    if (apiKey.trim() === '') {
      throw new TeacherError('TEACHER_DENIED', `${name}: no API key; BioPortal gives one to every account`, {
        details: { teacher: name },
      });
    }
    this.#apiKey = apiKey;
    this.#queries = options.queries ?? BIOPORTAL_QUERIES;
    this.tasks = options.tasks ?? Object.keys(this.#queries);
    for (const task of this.tasks) this.#query(task);
    this.#url = `${new URL(baseUrl).href.replace(/\/+$/, '')}/annotator`;
    this.#now = now;
    this.#fetch = guardedFetch({ teacher: name, allow: egressAllow, now, answer: 'any', maxBodyBytes: MAX_BODY_BYTES });
  }

  plan(note: GatedNote, task: Task): readonly TeacherRequest[] {
    const query = this.#query(task);
    const index = new CodePointIndex(note.text);
    const promptSha256 = sha256(JSON.stringify([PROTOCOL, this.#url, query.ontologies, query.semanticTypes]));
    return sectionsOf(note.text, SECTION).flatMap(section => {
      const text = index.slice(section.start, section.end);
      // it answers 400 to white space
      if (asciiMirror(text).trim() === '') return [];
      const key = { textSha256: sha256(text), task, promptSha256, model: `bioportal-${query.ontologies.join('+')}` };
      return [{ key, task, section, text, atMost: FREE }];
    });
  }

  async ask(request: TeacherRequest, signal: AbortSignal): Promise<Reply> {
    const mirror = asciiMirror(request.text);
    const from = this.#now();
    const form = this.#form(mirror, this.#query(request.task));
    const body = await withOwnSignal(signal, own => this.#post(form, own));
    const quotes = readBioportalReply({ name: this.name, body, text: request.text, mirror });
    return { quotes, usage: { ...FREE, ms: Math.max(0, this.#now() - from) } };
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
    const headers = { authorization: `apikey token=${this.#apiKey}`, accept: 'application/json' };
    const response = await this.#fetch(this.#url, { method: 'POST', headers, body, signal });
    return response.text();
  }

  #query(task: Task): BioportalQuery {
    const query = this.#queries[task];
    if (query === undefined) throw new RangeError(`${this.name} has no query for the task ${task}`);
    return query;
  }
}
