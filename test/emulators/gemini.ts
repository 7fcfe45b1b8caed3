/** Google's generateContent: as strict as it is about keys, models and fields. */
import { z } from 'zod';
import { tokensOf } from './asked.ts';
import type { Fault } from './faults.ts';
import type { Gold } from './gold.ts';
import { readQuestion } from './read-question.ts';
import { type Said, saidUnder } from './said.ts';
import { type Adapter, type Emulator, type EmulatorOptions, type HttpReply, serve, type Understood } from './serve.ts';

export interface GeminiEmulatorOptions extends EmulatorOptions {
  readonly gold: Gold;
  readonly apiKey: string;
  readonly models: readonly string[];
}

export function geminiEmulator(options: GeminiEmulatorOptions): Promise<Emulator> {
  return serve(adapter(options), options);
}

const Parts = z.tuple([z.strictObject({ text: z.string() })]);

const Body = z.strictObject({
  contents: z.tuple([z.strictObject({ role: z.literal('user'), parts: Parts })]),
  systemInstruction: z.strictObject({ role: z.string().optional(), parts: Parts }),
  generationConfig: z.strictObject({
    temperature: z.number().min(0).max(2),
    topP: z.number().min(0).max(1),
    maxOutputTokens: z.int().positive(),
    responseMimeType: z.literal('application/json'),
    // OpenAPI's subset: an additionalProperties would be an unknown name
    responseSchema: z.strictObject({
      type: z.literal('OBJECT'),
      properties: z.record(z.string(), z.unknown()),
      required: z.array(z.string()),
    }),
    thinkingConfig: z.strictObject({ thinkingBudget: z.int() }).optional(),
  }),
});

function adapter({ gold, apiKey, models }: GeminiEmulatorOptions): Adapter {
  return {
    understand({ url, method, headers, body }) {
      if (headers['x-goog-api-key'] !== apiKey) {
        return error(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.', [
          { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID', domain: 'googleapis.com' },
        ]);
      }
      const model = /^\/v1(?:beta)?\/models\/([^/:]+):generateContent$/.exec(url.pathname)?.[1];
      if (method !== 'POST' || model === undefined) return error(404, 'NOT_FOUND', 'not found');
      if (!models.includes(model))
        return error(404, 'NOT_FOUND', `models/${model} is not found for API version v1beta`);
      const parsed = Body.safeParse(JSON.parse(body));
      // as the provider does, the message repeats what was sent
      if (!parsed.success) return error(400, 'INVALID_ARGUMENT', `Invalid JSON payload received: ${body}`);
      const { systemInstruction, contents, generationConfig } = parsed.data;
      if (/^gemini-1\.5/.test(model) && generationConfig.thinkingConfig !== undefined) {
        return error(400, 'INVALID_ARGUMENT', 'Thinking is not supported by this model');
      }
      const question = readQuestion(systemInstruction.parts[0].text, contents[0].parts[0].text);
      return question === undefined
        ? error(400, 'INVALID_ARGUMENT', 'the emulator does not understand this prompt')
        : { ...question, model };
    },
    reply: ({ understood, request, fault }) => reply(understood, request.body, saidUnder(fault, understood, gold)),
    failure,
  };
}

function reply({ model }: Understood, request: string, said: Said) {
  const text = 'text' in said ? said.text : '';
  const blocked = said.end === 'content-filter';
  const finish = { length: 'MAX_TOKENS', refusal: 'SAFETY' }[said.end as string] ?? 'STOP';
  const candidate = {
    ...(said.end === 'refusal' ? {} : { content: { role: 'model', parts: [{ text }] } }),
    finishReason: finish,
    index: 0,
  };
  const promptTokenCount = tokensOf(request);
  const candidatesTokenCount = blocked ? 0 : tokensOf(text) + 3;
  return {
    status: 200,
    body: {
      ...(blocked ? { promptFeedback: { blockReason: 'PROHIBITED_CONTENT' } } : {}),
      ...(blocked || said.end === 'empty-choices' ? {} : { candidates: [candidate] }),
      usageMetadata: {
        promptTokenCount,
        candidatesTokenCount,
        totalTokenCount: promptTokenCount + candidatesTokenCount,
      },
      modelVersion: model,
      responseId: 'simulated',
    },
    inputTokens: promptTokenCount,
    outputTokens: candidatesTokenCount,
  };
}

function failure(fault: Fault, now: number, sent: string): HttpReply | undefined {
  const busy = (details: readonly unknown[], headers: Record<string, string> = {}) => ({
    ...error(429, 'RESOURCE_EXHAUSTED', 'You exceeded your current quota.', details),
    headers,
  });
  const retry = (retryDelay: string) => [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay }];
  switch (fault) {
    case 'busy-seconds':
      return busy(retry('7s'));
    case 'busy-date':
      return busy([], { 'retry-after': new Date(now + 60_000).toUTCString() });
    case 'busy-ms':
      return busy(retry('1.250s'));
    case 'unpaid':
      // prepaid credit and disabled billing are told by 403s of their own
      return error(403, 'PERMISSION_DENIED', 'Billing is disabled for this project.', [
        { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'BILLING_DISABLED', domain: 'googleapis.com' },
      ]);
    case 'error-500':
      return error(500, 'INTERNAL', 'An internal error has occurred.');
    case 'error-503':
      return error(503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.');
    case 'error-in-200':
      return { ...error(502, 'UNAVAILABLE', 'Bad gateway'), status: 200 };
    case 'busy-in-200':
      return { ...busy([]), status: 200 };
    case 'odd-error-in-200':
      return { status: 200, body: { code: 503, message: `overloaded: ${sent}` } };
    case 'rejected':
      return error(400, 'INVALID_ARGUMENT', `Invalid JSON payload received: ${sent}`);
    case 'redirect':
      return { status: 307, headers: { location: 'http://localhost:9/v1beta/models/x:generateContent' }, body: {} };
    default:
      return undefined;
  }
}

function error(code: number, status: string, message: string, details: readonly unknown[] = []): HttpReply {
  return { status: code, body: { error: { code, message, status, details } } };
}
