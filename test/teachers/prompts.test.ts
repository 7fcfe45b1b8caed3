/**
 * If this fails, what models are asked has changed: stored replies no longer stand for it, and its quality is not the measured one.
 * If the change is meant: `node --test --test-update-snapshots test/teachers/prompts.test.ts`.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createTeacher, type LlmTeacherConfig } from '../../src/teachers/create-teacher.ts';
import { GUIDELINES } from '../../src/teachers/guidelines.ts';
import { instructionsFor, PROMPTED_TASKS, promptSha256 } from '../../src/teachers/prompts.ts';
import { gated, KEY, MODELS, TEXT } from './support.ts';

/** Of a teacher that is planned with and never asked. */
async function version(config: Partial<LlmTeacherConfig>, task = 'symptom'): Promise<string | undefined> {
  const teacher = await createTeacher({
    config: { name: 'first', kind: 'openai', model: 'gpt-4o-mini-2024-07-18', apiKey: KEY, ...config },
    egressAllow: ['api.openai.com', 'generativelanguage.googleapis.com', 'a.example', 'b.example'],
  });
  return teacher.plan(gated(TEXT), task)[0]?.key.promptSha256;
}

const asIs = { serializers: [(value: unknown) => String(value)] };

describe('prompts', () => {
  for (const task of PROMPTED_TASKS) {
    it(`${task}: every word`, t => t.assert.snapshot(instructionsFor(task), asIs));
  }

  it('versions by model, each at its provider’s own address', async t => {
    const lines: string[] = [];
    for (const model of MODELS) {
      const kind = model.startsWith('gemini') ? 'gemini' : 'openai';
      for (const task of PROMPTED_TASKS) lines.push(`${model} ${task} ${await version({ kind, model }, task)}`);
    }
    t.assert.snapshot(lines.join('\n'), asIs);
  });

  it('a version changes with sampling, room for the answer, address and task, and with nothing else', async () => {
    const azure = {
      kind: 'azure',
      baseUrl: 'https://a.example/openai',
      deployment: 'd',
      apiVersion: '2024-10-21',
    } as const;
    const versions = [
      await version({}),
      await version({}, 'disease'),
      await version({ sampling: { temperature: 0.5 } }),
      await version({ sampling: { topP: 0.5 } }),
      await version({ maxOutputTokens: 100 }),
      await version({ takes: { jsonSchema: false } }),
      await version({ takes: { systemMessage: false } }),
      await version({ kind: 'gemini' }),
      await version({ kind: 'gemini', baseUrl: 'https://a.example' }),
      await version({ baseUrl: 'https://a.example/v1' }),
      await version({ baseUrl: 'https://b.example/v1' }),
      await version({ baseUrl: 'https://b.example/v2' }),
      await version(azure),
      await version({ ...azure, baseUrl: 'https://b.example/openai' }),
      await version({ ...azure, deployment: 'other' }),
      await version({ ...azure, apiVersion: '2025-01-01-preview' }),
    ];
    assert.equal(new Set(versions).size, versions.length);
    const same = { name: 'another', apiKey: 'another', provider: 'another', price: { input: 9, output: 9 } };
    assert.equal(await version(same), versions[0]);
    assert.equal(await version({ ...same, baseUrl: 'https://API.openai.com:443/v1/' }), versions[0]);
  });

  it('examples keep their own rules: exact copies, in order of first appearance', () => {
    for (const { example } of Object.values(GUIDELINES)) {
      const places = example.mentions.map(mention => example.note.indexOf(mention));
      assert.ok(places.every(place => place >= 0));
      assert.deepEqual(
        places,
        places.toSorted((a, b) => a - b),
      );
    }
  });

  it('refuse a task that nobody wrote guidelines for', () => {
    assert.throws(() => instructionsFor('procedure'), RangeError);
    assert.throws(() => promptSha256('toString', {}), RangeError);
  });
});
