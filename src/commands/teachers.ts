/** The teachers of the configuration, made and checked before the first note: the one place that knows where their keys come from. */
import { type Config, ConfigError } from '../config.ts';
import type { TeacherConfig } from '../config-escalation.ts';
import type { Task } from '../core/span.ts';
import type { CreateTeacherOptions, TeacherConfig as WithKey } from '../teachers/create-teacher.ts';
import type { GuidelineText } from '../teachers/guideline-text.ts';
import type { Teacher } from '../teachers/teacher.ts';
import { readGuidelines } from './guidelines-file.ts';

interface Making {
  readonly createTeacher: TeacherFactory;
  readonly env: NodeJS.ProcessEnv;
  readonly now: () => number;
}

/** Makes one teacher, sending nothing. @throws TeacherError EGRESS_DENIED, MODEL_UNKNOWN, TEACHER_DENIED */
export type TeacherFactory = (options: CreateTeacherOptions) => Promise<Teacher>;

type Measured = Pick<TeacherConfig, 'measured'>;
type Keyed = WithKey & Measured;

/** Where each kind's key is, unless `keyFrom` says otherwise. */
const KEYS = {
  openai: 'OPENAI_API_KEY',
  azure: 'AZURE_OPENAI_API_KEY',
  gemini: 'GEMINI_API_KEY',
  bioportal: 'BIOPORTAL_API_KEY',
} as const;

/**
 * Those that some task names, in order for each task. The others are checked as well, and dropped.
 *
 * @throws ConfigError for a task that its teacher does not know, for more output than its model gives, or for a key that is not where `keyFrom` says; TeacherError.
 */
export async function buildTeachers(
  { escalation, egress }: Config,
  { createTeacher, env, now }: Making,
): Promise<ReadonlyMap<Task, readonly Teacher[]>> {
  const rules = Object.entries(escalation.tasks);
  const named = new Set(rules.flatMap(([, rule]) => rule.teachers));
  const made = new Map<string, Teacher>();
  for (const config of escalation.teachers) {
    const keyed = named.has(config.name) ? withKey(config, env) : withoutKey(config);
    made.set(config.name, await makeTeacher(keyed, { createTeacher, egressAllow: egress.allow, now }));
  }
  return new Map(
    rules.map(([task, rule]) => [
      task,
      rule.teachers.map(name => {
        const teacher = made.get(name);
        if (teacher?.tasks.includes(task)) return teacher;
        throw invalid(`escalation.tasks.${task}`, `teacher ${name} cannot be asked about ${task}`);
      }),
    ]),
  );
}

/**
 * One teacher of the configuration by its name.
 * @param guidelines instead of those of its configuration; null for the built-in ones.
 * @throws ConfigError where there is none, or no key of it, or where it takes no guidelines; TeacherError.
 */
export async function buildTeacher(
  { escalation, egress }: Config,
  teacherName: string,
  { createTeacher, env, now, guidelines }: Making & { readonly guidelines?: GuidelineText | null | undefined },
): Promise<Teacher> {
  const config = escalation.teachers.find(({ name }) => name === teacherName);
  if (config === undefined) throw invalid('escalation.teachers', `there is no teacher of the name ${teacherName}`);
  const keyed = withKey(config, env);
  const made = guidelines === undefined ? keyed : withGuidelines(keyed, guidelines);
  return makeTeacher(made, { createTeacher, egressAllow: egress.allow, now });
}

function withGuidelines(config: Keyed, guidelines: GuidelineText | null): Keyed {
  if (config.kind === 'dictionary' || config.kind === 'bioportal')
    throw invalid('escalation.teachers', `${config.name} reads no guidelines: only language models do`);
  const { guidelines: _, ...bare } = config;
  return guidelines === null ? bare : { ...bare, guidelines };
}

/** Makes a teacher that knows all the tasks its configuration speaks of. */
async function makeTeacher(
  config: Keyed,
  { createTeacher, ...rest }: { createTeacher: TeacherFactory } & Omit<CreateTeacherOptions, 'config'>,
): Promise<Teacher> {
  const { name, measured } = config;
  const teacher = await createTeacher({ config, ...rest }).catch((cause: unknown) => {
    // the port's word for a task without a prompt or query, and for more output than the model gives
    throw cause instanceof RangeError ? invalid('escalation.teachers', cause.message, cause) : cause;
  });
  const unasked = Object.keys(measured).find(task => !teacher.tasks.includes(task));
  if (unasked === undefined) return teacher;
  throw invalid('escalation.teachers', `${name} has a measure for ${unasked}, which it cannot be asked about`);
}

function withKey(config: TeacherConfig, env: NodeJS.ProcessEnv): Keyed {
  if (config.kind === 'dictionary') return config;
  const read = withTexts(config);
  const variable = config.keyFrom ?? usualKey(config);
  const apiKey = variable === undefined ? undefined : env[variable];
  if (config.keyFrom !== undefined && apiKey === undefined) {
    throw invalid('escalation.teachers', `${config.name}: the environment has no variable ${config.keyFrom}`);
  }
  return apiKey === undefined ? read : { ...read, apiKey };
}

/** A provider's key is for the provider's own address; that of Azure is its owner's always. */
function usualKey({ kind, baseUrl }: Exclude<TeacherConfig, { kind: 'dictionary' }>): string | undefined {
  return baseUrl === undefined || kind === 'azure' ? KEYS[kind] : undefined;
}

/** For one that is never asked, and so needs no real key. */
function withoutKey(config: TeacherConfig): Keyed {
  return config.kind === 'dictionary' ? config : { ...withTexts(config), apiKey: 'never-sent' };
}

/** The guidelines themselves instead of the name of their file. */
function withTexts(config: Exclude<TeacherConfig, { kind: 'dictionary' }>): Exclude<Keyed, { kind: 'dictionary' }> {
  if (config.kind === 'bioportal') return config;
  const { guidelines, ...rest } = config;
  return guidelines === undefined ? rest : { ...rest, guidelines: readGuidelines(guidelines) };
}

function invalid(key: string, what: string, cause?: Error): ConfigError {
  return new ConfigError('CONFIG_INVALID', `${key}: ${what}`, { details: { key }, ...(cause && { cause }) });
}
