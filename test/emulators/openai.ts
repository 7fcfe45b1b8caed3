/** OpenAI's Chat Completions, and Azure's by deployment: as strict as they are about keys, models and parameters. */
import { z } from 'zod';
import { tokensOf } from './asked.ts';
import type { Fault } from './faults.ts';
import type { Gold } from './gold.ts';
import { readQuestion } from './read-question.ts';
import { type Said, saidUnder } from './said.ts';
import {
  type Adapter,
  type Emulator,
  type EmulatorOptions,
  type HttpReply,
  type HttpRequest,
  serve,
  type Understood,
} from './serve.ts';

export interface OpenAiEmulatorOptions extends EmulatorOptions {
  /** What the model knows; some know more or less by what they are told. */
  readonly gold: Gold | ((instructions: string) => Gold);
  /** Null: a server of one's own that asks for none. */
  readonly apiKey: string | null;
  /** Those it serves; for Azure, each is also the name of its deployment. */
  readonly models: readonly string[];
}

/** `url` ends in /v1 for OpenAI; Azure's base URL is the server's `url` with /openai. */
export function openAiEmulator(options: OpenAiEmulatorOptions): Promise<Emulator> {
  return serve(adapter(options), options);
}

const Schema = z.strictObject({
  type: z.literal('json_schema'),
  json_schema: z.strictObject({ name: z.string(), strict: z.literal(true), schema: z.record(z.string(), z.unknown()) }),
});

const Body = z.strictObject({
  model: z.string(),
  messages: z.tuple([
    z.strictObject({ role: z.enum(['system', 'developer', 'user']), content: z.string() }),
    z.strictObject({ role: z.literal('user'), content: z.string() }),
  ]),
  store: z.literal(false),
  temperature: z.number().min(0).max(2).optional(),
  top_p: z.number().min(0).max(1).optional(),
  max_tokens: z.int().positive().optional(),
  max_completion_tokens: z.int().positive().optional(),
  response_format: Schema.optional(),
});

type Body = z.infer<typeof Body>;

function adapter({ gold, apiKey, models }: OpenAiEmulatorOptions): Adapter {
  return {
    understand(request) {
      const refused = authorise(request, apiKey);
      if (refused !== undefined) return refused;
      const path = /^\/(?:v1|openai\/deployments\/([^/]+))\/chat\/completions$/.exec(request.url.pathname);
      if (path === null || request.method !== 'POST') return error(404, 'Invalid URL', { code: null });
      if (path[1] !== undefined && !models.includes(path[1])) {
        return error(404, 'The API deployment for this resource does not exist.', { code: 'DeploymentNotFound' });
      }
      return understandBody(request.body, models);
    },
    reply: ({ understood, request, fault }) => {
      const known = typeof gold === 'function' ? gold(understood.instructions ?? '') : gold;
      return reply(understood, request.body, saidUnder(fault, understood, known));
    },
    failure,
  };
}

function authorise({ headers, url }: HttpRequest, apiKey: string | null): HttpReply | undefined {
  if (apiKey === null) return undefined;
  const given = url.pathname.startsWith('/openai/')
    ? headers['api-key']
    : headers.authorization?.replace(/^Bearer /, '');
  return given === apiKey ? undefined : error(401, 'Incorrect API key provided.', { code: 'invalid_api_key' });
}

function understandBody(text: string, models: readonly string[]): Understood | HttpReply {
  const parsed = Body.safeParse(JSON.parse(text));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    // as the provider does, the message repeats what was sent
    return error(400, `Invalid request: ${issue?.message} in ${text}`, { param: issue?.path.join('.') ?? null });
  }
  const body = parsed.data;
  if (!models.includes(body.model)) {
    return error(404, `The model \`${body.model}\` does not exist`, { code: 'model_not_found' });
  }
  const [instructions, note] = body.messages;
  const question = readQuestion(instructions.content, note.content);
  if (question === undefined) return error(400, 'the emulator does not understand this prompt', { code: null });
  return refusedBy(body) ?? { ...question, model: body.model, instructions: instructions.content };
}

/** The 400s that models really answer with; the texts are theirs. */
function refusedBy(body: Body): HttpReply | undefined {
  const reasoning = /^(o\d|gpt-5)/.test(body.model);
  const first = /^o1-mini/.test(body.model);
  const [instructions] = body.messages;
  if (reasoning && body.max_tokens !== undefined) {
    return unsupported(
      'parameter',
      'max_tokens',
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    );
  }
  for (const name of ['temperature', 'top_p'] as const) {
    if (reasoning && body[name] !== undefined) {
      return unsupported('parameter', name, `Unsupported parameter: '${name}' is not supported with this model.`);
    }
  }
  if (first && instructions.role !== 'user') {
    const what = `Unsupported value: 'messages[0].role' does not support '${instructions.role}' with this model.`;
    return unsupported('value', 'messages[0].role', what);
  }
  if (first && body.response_format !== undefined) {
    const what = "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.";
    return error(400, what, { param: 'response_format' });
  }
  if (!first && body.response_format === undefined) {
    return error(400, 'the emulator expects a strict schema of this model', { param: 'response_format' });
  }
  return undefined;
}

const unsupported = (what: 'parameter' | 'value', param: string, message: string) =>
  error(400, message, { param, code: `unsupported_${what}` });

function reply({ model }: Understood, request: string, said: Said) {
  const text = 'text' in said ? said.text : '';
  const refusal = said.end === 'refusal' ? "I'm sorry, I can't help with that." : null;
  const finish = { length: 'length', 'content-filter': 'content_filter' }[said.end as string] ?? 'stop';
  const [prompt_tokens, completion_tokens] = [tokensOf(request), tokensOf(text) + 3];
  const choice = {
    index: 0,
    message: { role: 'assistant', content: refusal === null ? text : null, refusal },
    logprobs: null,
    finish_reason: finish,
  };
  return {
    status: 200,
    headers: { 'x-request-id': 'req_simulated' },
    body: {
      id: 'chatcmpl-simulated',
      object: 'chat.completion',
      created: 0,
      model,
      choices: said.end === 'empty-choices' ? [] : [choice],
      usage: { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens },
    },
    inputTokens: prompt_tokens,
    outputTokens: completion_tokens,
  };
}

function failure(fault: Fault, now: number, sent: string): HttpReply | undefined {
  const busy = (headers: Record<string, string>) => ({
    ...error(429, 'Rate limit reached', { type: 'requests', code: 'rate_limit_exceeded' }),
    headers,
  });
  switch (fault) {
    case 'busy-seconds':
      return busy({ 'retry-after': '7' });
    case 'busy-date':
      return busy({ 'retry-after': new Date(now + 60_000).toUTCString() });
    case 'busy-ms':
      return busy({ 'retry-after-ms': '1250', 'retry-after': '2' });
    case 'unpaid':
      return error(429, 'You exceeded your current quota, please check your plan and billing details.', {
        type: 'insufficient_quota',
        code: 'insufficient_quota',
      });
    case 'error-500':
      return error(500, 'The server had an error while processing your request.', { type: 'server_error' });
    case 'error-503':
      return error(503, 'The engine is currently overloaded, please try again later', { type: 'server_error' });
    case 'error-in-200':
      return { status: 200, body: { error: { code: 502, message: 'Provider returned error' } } };
    case 'busy-in-200':
      return { status: 200, body: { error: { code: 429, message: 'Provider returned error' } } };
    case 'odd-error-in-200':
      return { status: 200, body: { error: `overloaded: ${sent}` } };
    case 'rejected':
      return error(400, `Invalid request: ${sent}`, {});
    case 'redirect':
      return { status: 307, headers: { location: 'http://localhost:9/v1/chat/completions' }, body: {} };
    default:
      return undefined;
  }
}

interface ErrorFields {
  readonly type?: string;
  readonly param?: string | null;
  readonly code?: string | null;
}

function error(status: number, message: string, fields: ErrorFields): HttpReply {
  return { status, body: { error: { message, type: 'invalid_request_error', param: null, code: null, ...fields } } };
}
