/** If these fail, a provider's key is sent to an address that is not the provider's, or a wrong teacher is noticed only when it is asked. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildTeachers } from '../../src/commands/teachers.ts';
import { ConfigError, loadConfig } from '../../src/config.ts';
import { createTeacher } from '../../src/teachers/create-teacher.ts';

const MODEL = 'gpt-4o-mini-2024-07-18';
const OWN = 'https://elsewhere.example/v1';
const ENV = {
  OPENAI_API_KEY: 'sk-openai',
  AZURE_OPENAI_API_KEY: 'sk-azure',
  GEMINI_API_KEY: 'sk-gemini',
  BIOPORTAL_API_KEY: 'sk-bioportal',
  OTHER_KEY: 'sk-other',
};
const HOSTS = 'api.openai.com,elsewhere.example,generativelanguage.googleapis.com,data.bioontology.org';

/** The keys that the real factory was given, by teacher. */
async function build(teachers: readonly object[], { allow = HOSTS, named = ['it'] } = {}): Promise<unknown[]> {
  const keys: unknown[] = [];
  const config = loadConfig({
    env: {
      CLINSTREAM_ESCALATION_TEACHERS: JSON.stringify(teachers),
      CLINSTREAM_ESCALATION_TASKS: JSON.stringify({ symptom: { rate: 0.1, teachers: named } }),
      CLINSTREAM_EGRESS_ALLOW: allow,
    },
  });
  await buildTeachers(config, {
    createTeacher: options => {
      keys.push('apiKey' in options.config ? options.config.apiKey : undefined);
      return createTeacher(options);
    },
    env: ENV,
    now: Date.now,
  });
  return keys;
}

const keyOf = async (teacher: object): Promise<unknown> => (await build([{ name: 'it', ...teacher }]))[0];
const refused = (pattern: RegExp) => (error: unknown) =>
  error instanceof ConfigError && error.code === 'CONFIG_INVALID' && pattern.test(error.message);

describe('keys of teachers', () => {
  it('of a provider go to its own address', async () => {
    assert.equal(await keyOf({ kind: 'openai', model: MODEL }), 'sk-openai');
    assert.equal(await keyOf({ kind: 'gemini', model: 'gemini-2.5-flash' }), 'sk-gemini');
    assert.equal(await keyOf({ kind: 'bioportal' }), 'sk-bioportal');
    const azure = { kind: 'azure', model: MODEL, baseUrl: OWN, deployment: 'd', apiVersion: '2024-10-21' };
    assert.equal(await keyOf(azure), 'sk-azure');
  });

  it('go to no other address, unless one is named for it', async () => {
    assert.equal(await keyOf({ kind: 'openai', model: MODEL, baseUrl: OWN }), undefined);
    assert.equal(await keyOf({ kind: 'openai', model: MODEL, baseUrl: OWN, keyFrom: 'OTHER_KEY' }), 'sk-other');
    const denied = { code: 'TEACHER_DENIED' };
    await assert.rejects(keyOf({ kind: 'gemini', model: 'gemini-2.5-flash', baseUrl: OWN }), denied);
    await assert.rejects(keyOf({ kind: 'bioportal', baseUrl: OWN }), denied);
    assert.equal(await keyOf({ kind: 'bioportal', baseUrl: OWN, keyFrom: 'OTHER_KEY' }), 'sk-other');
  });

  it('are missed at once where one is named', async () => {
    const absent = keyOf({ kind: 'openai', model: MODEL, baseUrl: OWN, keyFrom: 'ABSENT_KEY' });
    await assert.rejects(absent, refused(/it: the environment has no variable ABSENT_KEY/));
  });
});

describe('teachers are checked at the start', () => {
  it('for more output than their model gives', async () => {
    const wanted = { kind: 'openai', model: MODEL, maxOutputTokens: 20_000 };
    await assert.rejects(
      keyOf(wanted),
      refused(/^escalation\.teachers: it: maxOutputTokens of 20000 is more than 16384/),
    );
  });

  it('for tasks that they do not know', async () => {
    for (const kind of [{ kind: 'openai', model: MODEL }, { kind: 'bioportal' }, { kind: 'dictionary' }]) {
      await assert.rejects(
        keyOf({ ...kind, tasks: ['symptom', 'colour'] }),
        refused(/^escalation\.teachers: .*colour/),
      );
    }
    await assert.rejects(
      keyOf({ kind: 'dictionary', tasks: ['disease'] }),
      refused(/tasks\.symptom: .*cannot be asked/),
    );
  });

  it('for measures of tasks that they are not asked about', async () => {
    const measured = { disease: { precision: 0.9, f1: 0.8 } };
    await assert.rejects(keyOf({ kind: 'dictionary', tasks: ['symptom'], measured }), refused(/measure for disease/));
    assert.equal(await keyOf({ kind: 'dictionary', measured }), undefined);
  });

  it('also where no task names them, but then they need no key', async () => {
    const it = { name: 'it', kind: 'dictionary' };
    const spare = { name: 'spare', kind: 'openai', model: MODEL, keyFrom: 'ABSENT_KEY' };
    assert.deepEqual(await build([it, spare]), [undefined, 'never-sent']);
    await assert.rejects(build([it, { ...spare, model: 'no-price' }]), { code: 'MODEL_UNKNOWN' });
    await assert.rejects(build([it, spare], { allow: 'elsewhere.example' }), { code: 'EGRESS_DENIED' });
    await assert.rejects(build([it], { named: ['it', 'absent'] }), refused(/absent is none of escalation\.teachers/));
  });
});
