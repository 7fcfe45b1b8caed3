/**
 * Options are compiled once, here, into one strict and frozen `Config` with units in its names; later code sees only that.
 * Order of authority: command line, environment (CLINSTREAM_…), file (--config, or ./clinstream.config.json), defaults.
 * A wrong or unknown key is refused with its name; nothing is repaired.
 */
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { z } from 'zod';
import { escalation } from './config-escalation.ts';
import { between, count, kafka, list, misfit, orNone, registry, SECRETS, whole } from './config-kafka.ts';
import { isOfService } from './config-services.ts';
import { ClinstreamError } from './core/errors.ts';

export class ConfigError extends ClinstreamError<'CONFIG_INVALID' | 'CONFIG_UNREADABLE'> {
  readonly stage = 'config';
}

const ROOT = resolve(import.meta.dirname, '..');
/** Folder of the model that serves unless another is named. */
export const DEFAULT_MODEL = resolve(ROOT, 'models/notes-minilm');
const schema = z.strictObject({
  /** Where topics live: the embedded log in `data`, or a Kafka cluster. */
  transport: z.enum(['embedded', 'kafka']).default('embedded'),
  kafka: kafka.prefault({}),
  registry: registry.prefault({}),
  /** Directory of the embedded log. */
  data: z.string().min(1).default('.clinstream/data'),
  /** Directory of the model that serves. */
  model: z.string().min(1).default(DEFAULT_MODEL),
  topics: z
    .strictObject({
      notes: z.string().min(1).default('clinical.notes'),
      entities: z.string().min(1).default('clinical.entities'),
      deadLetters: z.string().min(1).default('clinical.dead-letters'),
      /** Notes that the tagger is unsure of; they hold text, as the notes topic does. */
      escalations: z.string().min(1).default('clinical.escalations'),
      /** What no teacher could decide. */
      review: z.string().min(1).default('clinical.review'),
      partitions: count(1000).default(4),
    })
    .prefault({}),
  inference: z
    .strictObject({
      device: z.enum(['auto', 'cpu', 'cuda', 'webgpu']).default('auto'),
      /** Model sessions, each in a thread of its own. */
      workers: count(256).default(availableParallelism()),
      threadsPerWorker: count(256).default(1),
      /** Padded tokens (longest × count) of one batch. */
      batchTokens: count().default(512),
      /**
       * Windows of one batch. By default 1 for an int8 graph, whose answer for a window would depend on those beside it (it is
       * quantised by the range of the whole batch), and as many as fit for any other.
       */
      batchWindows: count().optional(),
      /** How long a window may wait on an idle session for others to fill its batch. */
      batchDelayMs: between(0, 60_000).default(2),
      /** Tokens admitted and not yet tagged, over all notes: this bounds memory. */
      inFlightTokens: count().default(32_768),
    })
    .prefault({}),
  stream: z
    .strictObject({
      group: z
        .string()
        .regex(/^[A-Za-z0-9._-]{1,200}$/)
        .default('clinstream-tagger'),
      inFlightRecords: count().default(256),
      inFlightBytes: count().default(32 * 1024 * 1024),
      transactionRecords: count().default(128),
      transactionBytes: count().default(8 * 1024 * 1024),
      /** While more of a partition is in work, the least time between two of its transactions, but for full ones. */
      transactionMs: count().default(200),
      /** From SIGTERM to a forced end. */
      drainMs: count().default(30_000),
    })
    .prefault({}),
  escalation: escalation.prefault({}),
  egress: z
    .strictObject({
      /** Hosts that notes may be sent to, `host` or `host:port`, in a list or separated by commas; none unless they are named. */
      allow: list.default([]),
    })
    .prefault({}),
  limits: z
    .strictObject({
      /** Larger records go to the dead letters. */
      noteBytes: count().default(8 * 1024 * 1024),
    })
    .prefault({}),
  telemetry: z
    .strictObject({
      level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
      host: z.string().min(1).default('127.0.0.1'),
      /** Port of /healthz, /readyz and /metrics; 0 takes a free one, null serves none. */
      port: orNone(whole(0, 65_535)).default(null),
    })
    .prefault({}),
});

export type Config = z.output<typeof schema>;

/** Options by dotted key, such as `{'inference.device': 'cpu'}`: the form in which environment and command line give them. */
export type Overrides = Readonly<Record<string, string | number | undefined>>;

const LEAVES = leaves(schema);

function leaves(object: z.ZodObject, prefix = ''): string[] {
  return Object.entries(object.shape).flatMap(([key, value]) => {
    const inner = value instanceof z.ZodPrefault ? value.unwrap() : value;
    return inner instanceof z.ZodObject ? leaves(inner, `${prefix}${key}.`) : [`${prefix}${key}`];
  });
}

/** `inference.batchTokens` is CLINSTREAM_INFERENCE_BATCH_TOKENS. */
export function environmentName(key: string): string {
  return `CLINSTREAM_${key.replace(/\./g, '_').replace(/([a-z])([A-Z])/g, '$1_$2')}`.toUpperCase();
}

/** Every key with its environment name, for `--help`. */
export function configKeys(): readonly { key: string; environment: string }[] {
  return LEAVES.map(key => ({ key, environment: environmentName(key) }));
}

/** What there is where nothing is said. */
export function defaults(): Config {
  return schema.parse({});
}

/** @throws ConfigError naming the key and where it was given. */
export function loadConfig(options: { file?: string; env: NodeJS.ProcessEnv; overrides?: Overrides }): Config {
  const raw = readConfigFile(options.file);
  const origin = new Map<string, string>();
  const names = new Map(LEAVES.map(key => [environmentName(key), key]));
  for (const [name, value] of Object.entries(options.env)) {
    if (!name.startsWith('CLINSTREAM_') || value === undefined) continue;
    const key = names.get(name);
    if (key === undefined && isOfService(name, value)) continue;
    if (key === undefined) {
      throw new ConfigError(
        'CONFIG_INVALID',
        `the environment variable ${name} is not an option of clinstream: see 'clinstream --help'`,
      );
    }
    set(raw, key, value);
    origin.set(key, `environment variable ${name}`);
  }
  for (const [key, value] of Object.entries(options.overrides ?? {})) {
    if (value === undefined) continue;
    set(raw, key, value);
    origin.set(key, 'command line');
  }
  for (const key of SECRETS) {
    if (get(raw, key) === undefined || origin.get(key)?.startsWith('environment') === true) continue;
    throw new ConfigError(
      'CONFIG_INVALID',
      `${key} must not stand in a file or on a command line: give it as ${environmentName(key)}, or name a file with ${key}File`,
      { details: { key } },
    );
  }
  const parsed = schema.safeParse(raw);
  if (parsed.success) return freeze(requireWhole(parsed.data));
  const [issue] = parsed.error.issues;
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const key = [...(issue?.path ?? []), ...(unknown === undefined ? [] : [unknown])].join('.');
  const where = originOf(key, origin) ?? options.file ?? DEFAULT_FILE;
  const what = unknown === undefined ? (issue?.message ?? 'invalid') : 'there is no such key';
  throw new ConfigError('CONFIG_INVALID', `${key} (from ${where}): ${what}`, { details: { key } });
}

/** A mistake inside a list or an object came from where that was given. */
function originOf(key: string, origin: ReadonlyMap<string, string>): string | undefined {
  const parts = key.split('.');
  const prefixes = parts.map((_, i) => parts.slice(0, parts.length - i).join('.'));
  return prefixes.map(prefix => origin.get(prefix)).find(place => place !== undefined);
}

/** What one key says about another. */
function requireWhole(config: Config): Config {
  requireDistinct(config.topics);
  if (config.transport === 'kafka' && config.kafka.brokers.length === 0) {
    throw new ConfigError('CONFIG_INVALID', 'kafka.brokers: transport is kafka, and no broker is named', {
      details: { key: 'kafka.brokers' },
    });
  }
  const wrong = config.transport === 'kafka' ? misfit(config.kafka) : undefined;
  if (wrong !== undefined) {
    throw new ConfigError('CONFIG_INVALID', `${wrong.key}: ${wrong.what}`, { details: { key: wrong.key } });
  }
  if (config.kafka.heartbeatMs * 2 > config.kafka.sessionMs) {
    throw new ConfigError('CONFIG_INVALID', 'kafka.heartbeatMs: must be at most half of kafka.sessionMs', {
      details: { key: 'kafka.heartbeatMs' },
    });
  }
  requireTeachers(config.escalation);
  return config;
}

/** What a role writes it would read again. */
function requireDistinct({ partitions: _, ...topics }: Config['topics']): void {
  const keyOf = new Map<string, string>();
  for (const [key, topic] of Object.entries(topics)) {
    const other = keyOf.get(topic);
    if (other !== undefined) {
      throw new ConfigError(
        'CONFIG_INVALID',
        `topics.${key}: ${topic} is topics.${other} too; each needs a topic of its own`,
        {
          details: { key: `topics.${key}` },
        },
      );
    }
    keyOf.set(topic, key);
  }
}

function requireTeachers({ teachers, tasks }: Config['escalation']): void {
  const names = teachers.map(each => each.name);
  const twice = names.find((each, i) => names.indexOf(each) !== i);
  if (twice !== undefined) {
    throw new ConfigError('CONFIG_INVALID', `escalation.teachers: two have the name ${twice}`, {
      details: { key: 'escalation.teachers' },
    });
  }
  for (const [task, rule] of Object.entries(tasks)) {
    const key = `escalation.tasks.${task}`;
    const missing = rule.teachers.find(each => !names.includes(each));
    if (missing !== undefined) {
      const known = names.length === 0 ? 'there are none' : names.join(', ');
      throw new ConfigError('CONFIG_INVALID', `${key}: ${missing} is none of escalation.teachers (${known})`, {
        details: { key },
      });
    }
    if ((rule.rate === undefined) !== (rule.threshold === undefined)) continue;
    const what = rule.rate === undefined ? 'give a rate or a threshold' : 'give a rate or a threshold, not both';
    throw new ConfigError('CONFIG_INVALID', `${key}: ${what}`, { details: { key } });
  }
}

const DEFAULT_FILE = 'clinstream.config.json';

/** What a file says, unchecked. @param named the default file, where it exists, when nothing. @throws ConfigError CONFIG_UNREADABLE */
export function readConfigFile(named: string | undefined): Record<string, unknown> {
  const path = named ?? DEFAULT_FILE;
  if (named === undefined && !existsSync(path)) return {};
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const what = code === undefined ? 'it is not JSON' : `${code}; it must be a file that this user can read`;
    throw new ConfigError('CONFIG_UNREADABLE', `cannot read the configuration ${path}: ${what}`, { cause });
  }
  throw new ConfigError('CONFIG_UNREADABLE', `the configuration ${path} must hold one JSON object`);
}

function get(source: unknown, key: string): unknown {
  return key
    .split('.')
    .reduce<unknown>((value, part) => (value as Record<string, unknown> | null | undefined)?.[part], source);
}

function set(target: Record<string, unknown>, key: string, value: unknown): void {
  const [first = '', ...rest] = key.split('.');
  if (rest.length === 0) {
    target[first] = value;
    return;
  }
  const inner = target[first];
  const object = typeof inner === 'object' && inner !== null ? { ...inner } : {};
  target[first] = object;
  set(object as Record<string, unknown>, rest.join('.'), value);
}

function freeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) freeze(inner);
  return Object.freeze(value);
}
