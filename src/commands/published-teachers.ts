/** The annotators of the published method (Vedula et al., arXiv 2501.00031), for who configures none: each by the name it has there. */
import type { Config } from '../config.ts';
import type { TeacherConfig } from '../config-escalation.ts';

/** In the order of the paper. */
export const PUBLISHED = ['gpt-4o', 'gpt-4o-mini', 'o1-mini', 'gemini-1.5-flash', 'ontology'] as const;

/**
 * The configuration with those of `names` that it lacks. `ontology` asks BioPortal (RxNorm and SNOMED CT) where the environment has its
 * key, and is the dictionaries that come with clinstream where it has none; `dictionary` is these always.
 */
export function withPublished(config: Config, names: readonly string[], env: NodeJS.ProcessEnv): Config {
  const { teachers } = config.escalation;
  const own = new Set(teachers.map(each => each.name));
  const added = names.flatMap(name => (own.has(name) ? [] : (published(name, env) ?? [])));
  return { ...config, escalation: { ...config.escalation, teachers: [...teachers, ...added] } };
}

function published(name: string, { BIOPORTAL_API_KEY }: NodeJS.ProcessEnv): TeacherConfig | undefined {
  const measured = {};
  switch (name) {
    case 'gpt-4o':
      return { name, kind: 'openai', model: 'gpt-4o-2024-08-06', measured };
    case 'gpt-4o-mini':
      return { name, kind: 'openai', model: 'gpt-4o-mini-2024-07-18', measured };
    case 'o1-mini':
      return { name, kind: 'openai', model: 'o1-mini-2024-09-12', measured };
    case 'gemini-1.5-flash':
      return { name, kind: 'gemini', model: 'gemini-1.5-flash-002', measured };
    case 'ontology':
      return { name, kind: BIOPORTAL_API_KEY ? 'bioportal' : 'dictionary', measured };
    case 'dictionary':
      return { name, kind: 'dictionary', measured };
    default:
      return undefined;
  }
}
