/** The part of the configuration that names teachers, when they are asked, and what they may cost; see config.ts. */
import { z } from 'zod';
import { between, count, orNone } from './config-kafka.ts';

const name = z.string().min(1);
const share = z.number().min(0).max(1);
/** Just under the `headersTimeout` of Node's fetch, which a request would otherwise end at, whatever is configured. */
const LONGEST_REQUEST_MS = 299_000;
const amount = z.number().min(0);

/** Lists and objects stand in the file; in the environment they are JSON. */
function json<T extends z.ZodType>(schema: T) {
  return z.preprocess((value, context) => {
    if (typeof value !== 'string') return value;
    try {
      return JSON.parse(value) as unknown;
    } catch {
      context.addIssue({ code: 'custom', message: 'must be JSON' });
      return z.NEVER;
    }
  }, schema);
}

const common = {
  /** Unique; revisions say `teacher:<name>`. */
  name: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/),
  /** Those that it may be asked about; all that it knows when absent. */
  tasks: z.exactOptional(z.array(name)),
  /**
   * What its answers were found to be worth, by task: the share of its mentions that are right, and its token-level F1. They become
   * the confidence of what it decides; unmeasured, that is 0.5, which says that nothing is known.
   */
  measured: z.record(name, z.strictObject({ precision: share, f1: share })).default({}),
};

const service = {
  ...common,
  /** Whose failures and limits count together; by default the kind, or the host of `baseUrl`. */
  provider: z.exactOptional(name),
  /**
   * The environment variable that holds its key, never the key itself. That of its kind when absent; with a `baseUrl`, which may be
   * anybody's, none (but Azure's, whose address is always its owner's).
   */
  keyFrom: z.exactOptional(z.string().regex(/^[A-Z][A-Z0-9_]*$/)),
  /** The provider's own address when absent. */
  baseUrl: z.exactOptional(z.url()),
};

const llm = {
  ...service,
  /** As its provider names it. */
  model: name,
  /** US dollars per million tokens, for models that the price list does not know. */
  price: z.exactOptional(z.strictObject({ input: amount, output: amount })),
  /** A text file with guidelines of one's own, instead of the built-in ones. */
  guidelines: z.exactOptional(name),
  contextTokens: z.exactOptional(count()),
  maxOutputTokens: z.exactOptional(count()),
  /** Of long notes, in code points. */
  section: z.exactOptional(
    z
      .strictObject({ size: count(), overlap: z.number().int().min(0) })
      .refine(({ size, overlap }) => overlap < size, 'the overlap must be smaller than the size'),
  ),
};

const teacher = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('openai'), ...llm }),
  z.strictObject({ kind: z.literal('gemini'), ...llm }),
  z.strictObject({ kind: z.literal('azure'), ...llm, deployment: name, apiVersion: name }),
  z.strictObject({ kind: z.literal('bioportal'), ...service }),
  z.strictObject({ kind: z.literal('dictionary'), ...common }),
]);

/** When a task of a note is escalated: at a rate of notes, or beyond a threshold of its doubt score; never at a rate of 0. */
const rule = z.strictObject({
  rate: z.exactOptional(share),
  threshold: z.exactOptional(z.number()),
  /** Names of the teachers to ask, in order. */
  teachers: z
    .array(name)
    .min(1)
    .refine(names => new Set(names).size === names.length, 'names a teacher twice'),
});

export const escalation = z.strictObject({
  teachers: json(z.array(teacher)).default([]),
  tasks: json(z.record(name, rule)).default({}),
  group: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,200}$/)
    .default('clinstream-escalator'),
  /** Folder of stored replies, budget and audit trail. Replies quote notes: it is its owner's alone. One a machine: what
   * several escalators on several machines spend is counted on each by itself, so share the budget out among them. */
  state: name.default('.clinstream/escalation'),
  /** Older escalations go to review. */
  deadlineMs: count(10_000_000_000).default(86_400_000),
  /** A request is ended after so long. */
  requestMs: count(LONGEST_REQUEST_MS, 'Node ends by itself what has not begun to be answered after 300 s').default(
    60_000,
  ),
  /** Requests to one provider at once. */
  concurrency: count(1_000).default(4),
  /** How long stored replies stay. */
  replyDays: count(3_650).default(30),
  budget: z
    .strictObject({
      usdPerDay: orNone(between(0, Number.MAX_VALUE)).default(5),
      tokensPerMinute: orNone(count()).default(null),
      requestsPerMinute: orNone(count()).default(null),
    })
    .prefault({}),
  breaker: z
    .strictObject({
      /** Opens when more than so many of a hundred requests failed … */
      failurePercent: between(0, 99).default(50),
      /** … of at least so many in the window. */
      minimumRequests: count().default(5),
      /** Looked back for longer where so many requests that hang, `concurrency` at once, take longer. */
      windowMs: count().default(60_000),
      /** From open to the next try. */
      resetMs: count().default(30_000),
    })
    .prefault({}),
});

export type TeacherConfig = z.output<typeof teacher>;
