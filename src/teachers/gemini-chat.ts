/**
 * generateContent through the official client. Its automatic continuation is off, since that may send, and cost, several
 * requests; so are its retries, which it only makes when asked to.
 */
import { FinishReason, type GenerateContentConfig, type GenerateContentResponse, GoogleGenAI } from '@google/genai';
import type { Chat, ChatAnswer, ChatEnd, ChatQuestion, Sampling } from './chat.ts';
import type { Takes } from './price-list.ts';
import { REPLY_SCHEMA } from './reply.ts';
import { tokenCount } from './token-count.ts';

export interface GeminiChatOptions {
  readonly model: string;
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly takes: Takes;
  readonly sampling: Sampling;
  readonly maxOutputTokens: number;
  readonly fetch: typeof fetch;
}

/** Knows system instructions and schemas for every model; also keeps the client from asking the environment. */
const API_VERSION = 'v1beta';

export function geminiChat(options: GeminiChatOptions): Chat {
  const { model, baseUrl, apiKey, maxOutputTokens, fetch } = options;
  const client = new GoogleGenAI({
    apiKey,
    vertexai: false,
    apiVersion: API_VERSION,
    httpOptions: { baseUrl, fetch },
  });
  const settings = settingsOf(options);
  return {
    host: new URL(baseUrl).host,
    maxOutputTokens,
    settings: { ...settings, at: { baseUrl: new URL(baseUrl).href, apiVersion: API_VERSION } },
    async ask({ instructions, text, signal }: ChatQuestion) {
      const contents = [{ role: 'user', parts: [{ text }] }];
      const config = {
        ...settings,
        automaticContinuation: false,
        systemInstruction: instructions,
        abortSignal: signal,
      };
      return answerOf(await client.models.generateContent({ model, contents, config }));
    },
  };
}

function settingsOf({ takes, sampling, maxOutputTokens }: GeminiChatOptions): GenerateContentConfig {
  return {
    ...(takes.sampling ? { temperature: sampling.temperature, topP: sampling.topP } : {}),
    maxOutputTokens,
    ...(takes.thinkingBudget ? { thinkingConfig: { thinkingBudget: 0 } } : {}),
    ...(takes.jsonSchema
      ? { responseMimeType: 'application/json', responseSchema: openApiSchema(REPLY_SCHEMA) as Record<string, unknown> }
      : {}),
  };
}

/** Gemini's `responseSchema` is OpenAPI's subset: types in capitals, and no word about additional properties. */
function openApiSchema(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(openApiSchema);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).filter(([key]) => key !== 'additionalProperties');
  return Object.fromEntries(
    entries.map(([key, value]) => [key, key === 'type' ? String(value).toUpperCase() : openApiSchema(value)]),
  );
}

const REFUSALS: ReadonlySet<string> = new Set([
  FinishReason.SAFETY,
  FinishReason.RECITATION,
  FinishReason.LANGUAGE,
  FinishReason.BLOCKLIST,
  FinishReason.PROHIBITED_CONTENT,
  FinishReason.SPII,
]);

function answerOf(response: GenerateContentResponse): ChatAnswer {
  const candidate = response.candidates?.[0];
  const parts = candidate?.content?.parts ?? [];
  // what it thought is not what it says
  const text = parts.flatMap(part => (part.thought === true ? [] : [part.text ?? ''])).join('');
  const usage = response.usageMetadata;
  return {
    end: endOf(response.promptFeedback?.blockReason, candidate?.finishReason, text),
    text,
    inputTokens: tokenCount(usage?.promptTokenCount),
    // it leaves out what is 0, and nothing is only where nothing was said
    outputTokens: tokenCount(
      usage?.candidatesTokenCount ?? (usage && text === '' ? 0 : undefined),
      usage?.thoughtsTokenCount ?? 0,
    ),
  };
}

function endOf(blocked: string | undefined, reason: string | undefined, text: string): ChatEnd {
  if (blocked !== undefined || (reason !== undefined && REFUSALS.has(reason))) return 'refused';
  if (reason !== undefined && reason !== FinishReason.STOP) return 'cut';
  return text === '' ? 'empty' : 'answered';
}
