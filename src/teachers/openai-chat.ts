/**
 * Chat Completions through the official client: OpenAI, Azure OpenAI, and every server that speaks the same protocol. The client
 * is told everything explicitly, since it would otherwise take base URL, keys, headers and logging from the environment.
 */
import { AzureOpenAI, OpenAI } from 'openai';
import type { ChatCompletion, ChatCompletionCreateParamsNonStreaming } from 'openai/resources/chat/completions';
import type { Chat, ChatAnswer, ChatEnd, ChatQuestion, Sampling } from './chat.ts';
import type { Takes } from './price-list.ts';
import { REPLY_SCHEMA } from './reply.ts';
import { tokenCount } from './token-count.ts';

export interface OpenAiChatOptions {
  readonly model: string;
  readonly baseUrl: string;
  /** Servers of one's own may need none. */
  readonly apiKey: string | undefined;
  readonly azure?: { readonly apiVersion: string; readonly deployment: string };
  readonly takes: Takes;
  readonly sampling: Sampling;
  readonly maxOutputTokens: number;
  readonly fetch: typeof fetch;
}

const HEADERS_OF_ENV = 'OPENAI_CUSTOM_HEADERS';

type Settings = Omit<ChatCompletionCreateParamsNonStreaming, 'model' | 'messages'>;

export function openAiChat(options: OpenAiChatOptions): Chat {
  const { model, takes, maxOutputTokens } = options;
  const client = clientOf(options);
  const settings = settingsOf(options);
  return {
    host: new URL(options.baseUrl).host,
    maxOutputTokens,
    settings: {
      ...settings,
      instructions: takes.systemMessage ? 'system' : 'user',
      at: { baseUrl: new URL(options.baseUrl).href, ...options.azure },
    },
    async ask({ instructions, text, signal }: ChatQuestion) {
      const role = takes.systemMessage ? 'system' : 'user';
      const messages = [
        { role, content: instructions },
        { role: 'user', content: text },
      ] as const;
      return answerOf(
        await client.chat.completions.create(
          { ...settings, model, messages: [...messages] },
          { signal, maxRetries: 0 },
        ),
      );
    },
  };
}

function clientOf({ baseUrl, apiKey, azure, fetch }: OpenAiChatOptions): OpenAI {
  const common = {
    baseURL: baseUrl,
    // the client insists on one; servers without keys ignore it
    apiKey: apiKey ?? 'none',
    fetch,
    maxRetries: 0,
    logLevel: 'off',
    organization: null,
    project: null,
  } as const;
  return withoutHeadersOfEnv(() =>
    azure === undefined ? new OpenAI({ ...common, adminAPIKey: null }) : new AzureOpenAI({ ...common, ...azure }),
  );
}

/**
 * The client adds the headers of this variable to every request, over its own, whatever the host: a gateway's key would go to a provider.
 * No option of it turns that off.
 */
function withoutHeadersOfEnv<T>(make: () => T): T {
  const { [HEADERS_OF_ENV]: headers } = process.env;
  delete process.env[HEADERS_OF_ENV];
  try {
    return make();
  } finally {
    if (headers !== undefined) process.env[HEADERS_OF_ENV] = headers;
  }
}

function settingsOf({ takes, sampling, maxOutputTokens }: OpenAiChatOptions): Settings {
  return {
    store: false,
    ...(takes.sampling ? { temperature: sampling.temperature, top_p: sampling.topP } : {}),
    // reasoning models refuse max_tokens; older compatible servers know nothing else
    ...(takes.reasoning ? { max_completion_tokens: maxOutputTokens } : { max_tokens: maxOutputTokens }),
    ...(takes.jsonSchema
      ? {
          response_format: {
            type: 'json_schema',
            json_schema: { name: 'mentions', strict: true, schema: { ...REPLY_SCHEMA } },
          },
        }
      : {}),
  };
}

/** Compatible servers leave out what they like, so nothing is taken for granted. */
function answerOf(completion: Partial<ChatCompletion>): ChatAnswer {
  const choice = completion.choices?.[0];
  const message: Partial<ChatCompletion.Choice['message']> | undefined = choice?.message;
  const text = message?.content ?? '';
  return {
    end: endOf(choice?.finish_reason, text, message?.refusal),
    text,
    inputTokens: tokenCount(completion.usage?.prompt_tokens),
    outputTokens: tokenCount(completion.usage?.completion_tokens),
  };
}

function endOf(reason: string | undefined, text: string, refusal: string | null | undefined): ChatEnd {
  if (typeof refusal === 'string' || reason === 'content_filter') return 'refused';
  if (reason === 'length') return 'cut';
  return text === '' ? 'empty' : 'answered';
}
