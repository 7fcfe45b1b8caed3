/** From configuration to a teacher that may be asked: its host is allowed, its price known, its model's needs met. */
import type { Task } from '../core/span.ts';
import type { BioportalQuery } from './bioportal-teacher.ts';
import { type Chat, SAMPLING, type Sampling } from './chat.ts';
import { allowedHost } from './egress.ts';
import { guardedFetch } from './guarded-fetch.ts';
import type { GuidelineText } from './guideline-text.ts';
import { LlmTeacher } from './llm-teacher.ts';
import { type ModelFacts, modelFacts, type Price, type Takes } from './price-list.ts';
import { PROMPTED_TASKS } from './prompts.ts';
import type { SectionSize } from './sections.ts';
import type { Teacher } from './teacher.ts';
import { TeacherError } from './teacher-error.ts';

export interface LlmTeacherConfig {
  /** Unique in a configuration. */
  readonly name: string;
  /** `openai` is every server that speaks its protocol, Azure's v1 endpoint included; `azure` is Azure by deployment and API version. */
  readonly kind: 'openai' | 'azure' | 'gemini';
  /** As the provider names it; for Azure, the model that the deployment serves. */
  readonly model: string;
  /** OpenAI's or Google's own when absent; for Azure `https://RESOURCE.openai.azure.com/openai`. */
  readonly baseUrl?: string;
  /** From the environment or a file, never from a configuration file. */
  readonly apiKey?: string;
  /** Azure only. */
  readonly deployment?: string;
  /** Azure only. */
  readonly apiVersion?: string;
  /** Whose failures and limits count together; by default the kind, or the host where a base URL is given. */
  readonly provider?: string;
  readonly tasks?: readonly Task[];
  /** Instead of the built-in ones. */
  readonly guidelines?: GuidelineText;
  /** For models that prices.json does not list, or to overrule it. */
  readonly price?: Price;
  readonly contextTokens?: number;
  readonly takes?: Partial<Takes>;
  readonly sampling?: Partial<Sampling>;
  readonly maxOutputTokens?: number;
  readonly section?: SectionSize;
}

export interface BioportalConfig {
  readonly name: string;
  readonly kind: 'bioportal';
  /** BioPortal's own when absent. */
  readonly baseUrl?: string;
  /** From the environment or a file, never from a configuration file. */
  readonly apiKey?: string;
  /** By default the kind, or the host where a base URL is given. */
  readonly provider?: string;
  readonly tasks?: readonly Task[];
  /** Other ontologies or semantic types, or other tasks, than the built-in ones. */
  readonly queries?: Readonly<Record<Task, BioportalQuery>>;
}

/** Sends nothing. */
export interface DictionaryConfig {
  readonly name: string;
  readonly kind: 'dictionary';
  readonly tasks?: readonly Task[];
}

export type TeacherConfig = LlmTeacherConfig | BioportalConfig | DictionaryConfig;

export interface CreateTeacherOptions {
  readonly config: TeacherConfig;
  /** The `egress.allow` list. */
  readonly egressAllow: readonly string[];
  /** Milliseconds since the Unix epoch. */
  readonly now?: () => number;
}

const HOME = {
  openai: 'https://api.openai.com/v1',
  gemini: 'https://generativelanguage.googleapis.com',
} as const;

const SECTION: SectionSize = { size: 12_000, overlap: 400 };
/** A section of that size has some 150 mentions at most, at 15 tokens each; a model that thinks needs room for it. */
const OUTPUT_TOKENS = { answering: 4096, reasoning: 16_384 };

type Surroundings = Required<Omit<CreateTeacherOptions, 'config'>>;

/**
 * Clients and dictionaries are loaded only now, since most runs need none.
 *
 * @throws TeacherError EGRESS_DENIED, MODEL_UNKNOWN, TEACHER_DENIED. @throws RangeError for a task that the teacher does not know, or for
 * more output than its model can give
 */
export async function createTeacher({ config, egressAllow, now = Date.now }: CreateTeacherOptions): Promise<Teacher> {
  if (config.kind === 'dictionary') {
    const { DictionaryTeacher } = await import('./dictionary-teacher.ts');
    return new DictionaryTeacher({ ...config, now });
  }
  return config.kind === 'bioportal'
    ? bioportalTeacher(config, { egressAllow, now })
    : llmTeacher(config, { egressAllow, now });
}

async function bioportalTeacher(config: BioportalConfig, { egressAllow, now }: Surroundings): Promise<Teacher> {
  const { BioportalTeacher } = await import('./bioportal-teacher.ts');
  const { baseUrl } = config;
  const provider =
    baseUrl === undefined ? config.kind : allowedHost({ teacher: config.name, url: baseUrl, allow: egressAllow });
  return new BioportalTeacher({ provider, ...config, apiKey: keyOf(config), egressAllow, now });
}

async function llmTeacher(config: LlmTeacherConfig, { egressAllow, now }: Surroundings): Promise<Teacher> {
  const baseUrl = baseUrlOf(config);
  const host = allowedHost({ teacher: config.name, url: baseUrl, allow: egressAllow });
  const facts = modelFacts(config);
  const chat = await chatOf(config, {
    baseUrl,
    facts,
    fetch: guardedFetch({ teacher: config.name, allow: egressAllow, now }),
  });
  return new LlmTeacher({
    name: config.name,
    provider: config.provider ?? (config.baseUrl === undefined ? config.kind : host),
    model: config.model,
    tasks: config.tasks ?? config.guidelines?.tasks ?? PROMPTED_TASKS,
    guidelines: config.guidelines,
    chat,
    price: facts.price,
    section: sectionOf(config, facts),
    now,
  });
}

function baseUrlOf({ name, kind, baseUrl }: LlmTeacherConfig): string {
  const known = baseUrl ?? (kind === 'azure' ? undefined : HOME[kind]);
  if (known !== undefined) return known.replace(/\/+$/, '');
  throw new TeacherError('EGRESS_DENIED', `${name}: Azure has no address in common: configure its baseUrl`, {
    details: { teacher: name },
  });
}

interface Parts {
  readonly baseUrl: string;
  readonly facts: ModelFacts;
  readonly fetch: typeof fetch;
}

async function chatOf(config: LlmTeacherConfig, { baseUrl, facts, fetch }: Parts): Promise<Chat> {
  const common = {
    model: config.model,
    baseUrl,
    takes: facts.takes,
    sampling: { ...SAMPLING, ...config.sampling },
    maxOutputTokens: outputTokensOf(config, facts),
    fetch,
  };
  if (config.kind === 'gemini') {
    const { geminiChat } = await import('./gemini-chat.ts');
    return geminiChat({ ...common, apiKey: keyOf(config) });
  }
  const { openAiChat } = await import('./openai-chat.ts');
  const needsKey = config.kind === 'azure' || config.baseUrl === undefined;
  return openAiChat({
    ...common,
    apiKey: needsKey || config.apiKey !== undefined ? keyOf(config) : undefined,
    ...(config.kind === 'azure' ? { azure: azureOf(config) } : {}),
  });
}

function azureOf({ name, deployment, apiVersion }: LlmTeacherConfig) {
  if (deployment !== undefined && apiVersion !== undefined) return { deployment, apiVersion };
  throw new TeacherError('MODEL_UNKNOWN', `${name}: Azure needs a deployment and an apiVersion, such as 2024-10-21`, {
    details: { teacher: name },
  });
}

function keyOf({ name, kind, apiKey }: LlmTeacherConfig | BioportalConfig): string {
  const denied = (what: string) =>
    new TeacherError('TEACHER_DENIED', `${name}: ${what}`, { details: { teacher: name } });
  if (apiKey === undefined || apiKey === '') throw denied(`${kind} needs an API key`);
  // no header takes such a key, and a client would say so at every request
  if (!/^[\x21-\x7e]+$/.test(apiKey))
    throw denied('its API key holds white space, a line end or other strange characters');
  return apiKey;
}

/** At most a quarter of what the model holds: notes, instructions and thoughts need the rest. What was configured is never lowered. */
function outputTokensOf(config: LlmTeacherConfig, { takes, contextTokens, outputTokens }: ModelFacts): number {
  const { name, model, maxOutputTokens } = config;
  const quarter = Math.floor(contextTokens / 4);
  const most = Math.min(outputTokens, quarter);
  if (maxOutputTokens === undefined)
    return Math.min(takes.reasoning ? OUTPUT_TOKENS.reasoning : OUTPUT_TOKENS.answering, most);
  if (maxOutputTokens <= most) return maxOutputTokens;
  const why =
    most === outputTokens
      ? `all that ${model} answers`
      : `a quarter of its contextTokens (${contextTokens}): configure these if it holds more`;
  throw new RangeError(`${name}: maxOutputTokens of ${maxOutputTokens} is more than ${most}, ${why}`);
}

/** At most a code point for every fourth token that the model holds, far below what it could read. */
function sectionOf(config: LlmTeacherConfig, { contextTokens }: ModelFacts): SectionSize {
  if (config.section !== undefined) return config.section;
  const size = Math.min(SECTION.size, Math.floor(contextTokens / 4));
  return { size, overlap: Math.min(SECTION.overlap, Math.floor(size / 4)) };
}
