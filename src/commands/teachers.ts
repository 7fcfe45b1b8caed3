/** The teachers of the configuration, made and checked before the first note: the one place that knows where their keys come from. */
import { type Config, ConfigError } from '../config.ts';
import type { TeacherConfig } from '../config-escalation.ts';
import type { Task } from '../core/span.ts';
import type { CreateTeacherOptions, TeacherConfig as WithKey } from '../teachers/create-teacher.ts';
import type { Teacher } from '../teachers/teacher.ts';

/** Makes one teacher, sending nothing. @throws TeacherError EGRESS_DENIED, MODEL_UNKNOWN, TEACHER_DENIED */
export type TeacherFactory = (options: CreateTeacherOptions) => Promise<Teacher>;

/** Where each kind's key is, unless `keyFrom` says otherwise. */
const KEYS = {
  openai: 'OPENAI_API_KEY',
  azure: 'AZURE_OPENAI_API_KEY',
  gemini: 'GEMINI_API_KEY',
  bioportal: 'BIOPORTAL_API_KEY',
} as const;

/** Those that some task names, in order for each task. @throws ConfigError for a task that its teacher does not know; TeacherError. */
export async function buildTeachers(
  { escalation, egress }: Config,
  { createTeacher, env, now }: { createTeacher: TeacherFactory; env: NodeJS.ProcessEnv; now: () => number },
): Promise<ReadonlyMap<Task, readonly Teacher[]>> {
  const rules = Object.entries(escalation.tasks);
  const named = new Set(rules.flatMap(([, rule]) => rule.teachers));
  const made = new Map<string, Teacher>();
  for (const config of escalation.teachers.filter(each => named.has(each.name))) {
    made.set(config.name, await createTeacher({ config: withKey(config, env), egressAllow: egress.allow, now }));
  }
  return new Map(
    rules.map(([task, rule]) => [
      task,
      rule.teachers.map(name => {
        const teacher = made.get(name);
        if (teacher?.tasks.includes(task)) return teacher;
        const key = `escalation.tasks.${task}`;
        throw new ConfigError('CONFIG_INVALID', `${key}: teacher ${name} cannot be asked about ${task}`, {
          details: { key },
        });
      }),
    ]),
  );
}

function withKey(config: TeacherConfig, env: NodeJS.ProcessEnv): WithKey {
  if (config.kind === 'dictionary') return config;
  const apiKey = env[config.keyFrom ?? KEYS[config.kind]];
  return apiKey === undefined ? config : { ...config, apiKey };
}
