/** What a model costs, holds and takes. A model without a known price is refused: no budget can be kept without one. */
import prices from './prices.json' with { type: 'json' };
import type { Usage } from './teacher.ts';
import { TeacherError } from './teacher-error.ts';

/** US dollars per million tokens. */
export interface Price {
  readonly input: number;
  readonly output: number;
}

/** Which parts of a request the model accepts; sending another is a 400. */
export interface Takes {
  /** temperature and top_p. */
  readonly sampling: boolean;
  /** Instructions as a system message; else they are the first user message. */
  readonly systemMessage: boolean;
  /** An enforced JSON schema; else the instructions alone describe the answer. */
  readonly jsonSchema: boolean;
  /** It thinks first, in tokens that count as output; so it needs room for them. */
  readonly reasoning: boolean;
  /** Gemini only: thinking can be switched off by a budget of 0. */
  readonly thinkingBudget: boolean;
}

export interface ModelFacts {
  readonly price: Price;
  /** Input and output together, in tokens. */
  readonly contextTokens: number;
  /** The most it can answer, in tokens. */
  readonly outputTokens: number;
  readonly takes: Takes;
}

export interface ModelQuestion {
  readonly model: string;
  readonly price?: Price;
  readonly contextTokens?: number;
  /** How much it is to answer at most: a model that is not listed is taken to be able to. */
  readonly maxOutputTokens?: number;
  readonly takes?: Partial<Takes>;
}

const CHAT: Takes = {
  sampling: true,
  systemMessage: true,
  jsonSchema: true,
  reasoning: false,
  thinkingBudget: false,
};

/**
 * The kinds of `prices.json`. o1-mini refuses system messages, schemas and sampling with a 400; later reasoning models refuse
 * sampling only (their own error texts, as in github.com/microsoft/agent-framework/issues/1077, openai-python/issues/2072).
 */
const KINDS: Readonly<Record<string, Takes>> = {
  chat: CHAT,
  'first-reasoning': { ...CHAT, sampling: false, systemMessage: false, jsonSchema: false, reasoning: true },
  reasoning: { ...CHAT, sampling: false, reasoning: true },
  thinking: { ...CHAT, thinkingBudget: true },
};

const LISTED: Readonly<Record<string, (typeof prices.models)[keyof typeof prices.models]>> = prices.models;

/** For a server of one's own, whose limits nobody told us. */
const UNLISTED = { contextTokens: 8192, outputTokens: 4096 };

/** What the configuration says goes before what the list says. @throws TeacherError MODEL_UNKNOWN when neither knows a price */
export function modelFacts({ model, price, contextTokens, maxOutputTokens, takes }: ModelQuestion): ModelFacts {
  const listed = Object.hasOwn(LISTED, model) ? LISTED[model] : undefined;
  const known = price ?? listed?.usdPerMillion;
  if (known === undefined) {
    throw new TeacherError(
      'MODEL_UNKNOWN',
      `no price is known for the model ${model}, and no budget can be kept without one: configure its price in US dollars per million tokens ({"input": 0, "output": 0} for a server of your own)`,
      { details: { model } },
    );
  }
  if (!(known.input >= 0 && known.output >= 0 && Number.isFinite(known.input + known.output))) {
    throw new TeacherError('MODEL_UNKNOWN', `the price of the model ${model} must be two numbers of at least 0`, {
      details: { model },
    });
  }
  return {
    price: known,
    contextTokens: contextTokens ?? listed?.contextTokens ?? UNLISTED.contextTokens,
    outputTokens: listed?.outputTokens ?? maxOutputTokens ?? UNLISTED.outputTokens,
    takes: { ...kindOf(model, listed?.takes), ...takes },
  };
}

/** An unlisted name of a reasoning family is treated as one: what it does not get, it cannot refuse. */
function kindOf(model: string, listed: string | undefined): Takes {
  const kind = listed ?? (/^(o\d|gpt-[5-9])/.test(model) ? 'reasoning' : 'chat');
  return KINDS[kind] ?? CHAT;
}

/** US dollars for so many tokens. */
export function usdOf(
  price: Price,
  { inputTokens, outputTokens }: Pick<Usage, 'inputTokens' | 'outputTokens'>,
): number {
  return (inputTokens * price.input + outputTokens * price.output) / 1_000_000;
}
