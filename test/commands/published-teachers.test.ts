/** If this fails, `distill annotate` without names asks others than the published method did, or takes a user's own teacher for one of them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fallback } from '../../src/commands/fallback.ts';
import { PUBLISHED, withPublished } from '../../src/commands/published-teachers.ts';
import { buildTeacher } from '../../src/commands/teachers.ts';
import { loadConfig } from '../../src/config.ts';

const HOSTS = 'api.openai.com,generativelanguage.googleapis.com,data.bioontology.org';
const config = loadConfig({ env: { CLINSTREAM_EGRESS_ALLOW: HOSTS } });
const env = { OPENAI_API_KEY: 'none', GEMINI_API_KEY: 'none' };
const made = (names: readonly string[], given: NodeJS.ProcessEnv, from = config) => {
  const { createTeacher } = fallback;
  const named = withPublished(from, names, given);
  return Promise.all(names.map(name => buildTeacher(named, name, { createTeacher, env: given, now: Date.now })));
};

describe("the published method's annotators", () => {
  it('are five, of models whose prices are known, the ontologies by dictionary without a key', async () => {
    const teachers = await made(PUBLISHED, env);
    assert.deepEqual(
      teachers.map(({ name, host }) => [name, host]),
      [
        ['gpt-4o', 'api.openai.com'],
        ['gpt-4o-mini', 'api.openai.com'],
        ['o1-mini', 'api.openai.com'],
        ['gemini-1.5-flash', 'generativelanguage.googleapis.com'],
        ['ontology', null],
      ],
    );
    for (const { tasks } of teachers) assert.deepEqual([...tasks].sort(), ['disease', 'medication', 'symptom']);
  });

  it('ask BioPortal where there is a key for it', async () => {
    const [ontology] = await made(['ontology'], { BIOPORTAL_API_KEY: 'none' });
    assert.equal(ontology?.host, 'data.bioontology.org');
  });

  it('stand back for a teacher of the same name in the configuration, and are nobody else', async () => {
    const own = [{ name: 'gpt-4o', kind: 'dictionary' }];
    const from = loadConfig({ env: { CLINSTREAM_ESCALATION_TEACHERS: JSON.stringify(own) } });
    const [teacher] = await made(['gpt-4o'], env, from);
    assert.equal(teacher?.host, null);
    await assert.rejects(made(['gpt-5'], env), { code: 'CONFIG_INVALID', message: /no teacher of the name gpt-5/ });
  });

  it('send nothing where their hosts are not allowed', async () => {
    await assert.rejects(made(PUBLISHED, env, loadConfig({ env: {} })), { code: 'EGRESS_DENIED' });
  });
});
