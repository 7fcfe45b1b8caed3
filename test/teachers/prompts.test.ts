/**
 * If this fails, what models are asked has changed: stored replies no longer stand for it, and its quality is not the measured one.
 * If the change is meant: `node --test --test-update-snapshots test/teachers/prompts.test.ts`.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GUIDELINES } from '../../src/teachers/guidelines.ts';
import { instructionsFor, PROMPTED_TASKS, promptSha256 } from '../../src/teachers/prompts.ts';
import { gated, MODELS, type ProviderName, stageOf, TEXT } from './support.ts';

const asIs = { serializers: [(value: unknown) => String(value)] };

describe('prompts', () => {
  for (const task of PROMPTED_TASKS) {
    it(`${task}: every word`, t => t.assert.snapshot(instructionsFor(task), asIs));
  }

  it('versions by model', async t => {
    const lines: string[] = [];
    for (const model of MODELS) {
      const provider: ProviderName = model.startsWith('gemini') ? 'gemini' : 'openai';
      const { teacher, emulator } = await stageOf(provider, { config: { model } });
      for (const task of PROMPTED_TASKS) {
        lines.push(`${model} ${task} ${teacher.plan(gated(TEXT), task)[0]?.key.promptSha256}`);
      }
      await emulator.stop();
    }
    t.assert.snapshot(lines.join('\n'), asIs);
  });

  it('a version changes with sampling, room for the answer and task, and with nothing else', async () => {
    const version = async (config: object, task = 'symptom') => {
      const { teacher, emulator } = await stageOf('openai', { config });
      await emulator.stop();
      return teacher.plan(gated(TEXT), task)[0]?.key.promptSha256;
    };
    const versions = [
      await version({}),
      await version({}, 'disease'),
      await version({ sampling: { temperature: 0.5 } }),
      await version({ sampling: { topP: 0.5 } }),
      await version({ maxOutputTokens: 100 }),
      await version({ takes: { jsonSchema: false } }),
      await version({ takes: { systemMessage: false } }),
    ];
    assert.equal(new Set(versions).size, versions.length);
    assert.equal(await version({ name: 'another', apiKey: 'another', price: { input: 9, output: 9 } }), versions[0]);
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
