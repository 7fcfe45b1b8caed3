/**
 * The NCBO Annotator's protocol as its sources have it (ncbo/ontologies_api, ncbo/ncbo_annotator): form parameters, key in the
 * Authorization header, upper-cased text, line ends as spaces, offsets from 1 with the last included. It answers by the dictionaries of
 * this project: whatever it says is SIMULATED, and its codes are not SNOMED CT's.
 */
import { annotateLike, type OffsetUnit } from './bioportal-annotate.ts';
import type { Fault } from './faults.ts';
import { type Adapter, type Emulator, type EmulatorOptions, type HttpReply, type HttpRequest, serve } from './serve.ts';

export interface BioportalEmulatorOptions extends EmulatorOptions {
  readonly apiKey: string;
  /** Which unit the offsets are in: the real service's is not documented. */
  readonly unit?: OffsetUnit;
}

/** What it was asked counts the ontologies as the model, and the semantic types as the task. */
export function bioportalEmulator(options: BioportalEmulatorOptions): Promise<Emulator> {
  return serve(adapter(options), options);
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

function adapter({ apiKey, unit = 'code-point' }: BioportalEmulatorOptions): Adapter {
  return {
    understand(request) {
      const form = new URLSearchParams(request.body);
      const [text, model] = [form.get('text') ?? '', form.get('ontologies') ?? ''];
      const refused = refusedBy(request, form, apiKey);
      return refused ?? { task: form.get('semantic_types') ?? '', text, model };
    },
    reply({ request, fault }) {
      const form = new URLSearchParams(request.body);
      return { status: 200, body: under(fault, annotateLike(form, unit), form), inputTokens: 0, outputTokens: 0 };
    },
    failure,
  };
}

function refusedBy({ url, method, headers }: HttpRequest, form: URLSearchParams, key: string): HttpReply | undefined {
  if (url.pathname !== '/annotator' || method !== 'POST') return error(404, 'no such resource');
  // the service reads key and text there too, but addresses end up in logs
  if (url.search !== '') return error(400, 'the emulator takes nothing in the address');
  if (headers.authorization !== `apikey token=${key}`) return error(401, 'You must provide a valid API Key.');
  if (headers['content-type']?.startsWith('application/x-www-form-urlencoded') !== true)
    return error(400, 'parameters must be a form');
  const unknown = [...form.keys()].filter(name => !KNOWN.has(name));
  if (unknown.length > 0) return error(400, `unknown parameters: ${unknown.join(', ')}`);
  if (form.get('longest_only') !== 'true') return error(400, 'the emulator knows the longest names only');
  if ((form.get('text') ?? '').trim() === '') return error(400, 'A text to be annotated must be supplied');
  return (form.get('ontologies') ?? '').split(',').every(acronym => ONTOLOGIES.has(acronym))
    ? undefined
    : error(404, 'The ontologies parameter names an unknown ontology');
}

/** It has no model: faults of a model's wording leave the answer as it is. */
function under(fault: Fault, answer: readonly object[], form: URLSearchParams): unknown {
  switch (fault) {
    case 'bad-json':
      return `Here you are: ${form.get('text')}`;
    case 'wrong-schema':
      return { annotations: [form.get('text')] };
    case 'empty-text':
      return [];
    case 'invented':
      return JSON.parse(JSON.stringify(answer), (key, value) => (key === 'from' || key === 'to' ? value + 3 : value));
    default:
      return answer;
  }
}

function failure(fault: Fault, now: number, sent: string): HttpReply | undefined {
  switch (fault) {
    case 'busy-seconds':
      return { ...error(429, 'Too many requests'), headers: { 'retry-after': '7' } };
    case 'busy-date':
      return { ...error(429, 'Too many requests'), headers: { 'retry-after': new Date(now + 60_000).toUTCString() } };
    case 'busy-ms':
      // it has no such header: it asks to wait, and does not say how long
      return error(429, 'Too many requests');
    case 'unpaid':
      // it costs nothing, but an account may lack the licence of an ontology
      return error(403, 'Access denied for this resource');
    case 'length':
      return { status: 413, headers: { 'content-type': 'text/html' }, body: '<html>simulated</html>' };
    case 'error-500':
      return { status: 500, headers: { 'content-type': 'text/html' }, body: '<html>simulated</html>' };
    case 'error-503':
      return error(503, 'simulated: no annotator');
    case 'error-in-200':
      return { ...error(500, `cannot annotate ${new URLSearchParams(sent).get('text')}`), status: 200 };
    case 'odd-error-in-200':
      return { status: 200, body: { error: `cannot annotate ${new URLSearchParams(sent).get('text')}` } };
    case 'rejected':
      return error(400, `cannot annotate ${new URLSearchParams(sent).get('text')}`);
    case 'redirect':
      return { status: 302, headers: { location: 'http://127.0.0.1:9/annotator' }, body: {} };
    default:
      return undefined;
  }
}

function error(status: number, why: string): HttpReply {
  return { status, body: { status, errors: [why] } };
}
