/** If this fails, costs are reckoned wrong, or a model without a price is asked and the budget means nothing. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { modelFacts, usdOf } from '../../src/teachers/price-list.ts';
import prices from '../../src/teachers/prices.json' with { type: 'json' };
import { TeacherError } from '../../src/teachers/teacher-error.ts';

const unknown = (error: unknown) => error instanceof TeacherError && error.code === 'MODEL_UNKNOWN';

describe('price list', () => {
  it('has the models of the published method, and says for each where its price comes from', () => {
    for (const model of ['gpt-4o-2024-08-06', 'gpt-4o-mini-2024-07-18', 'o1-mini-2024-09-12', 'gemini-1.5-flash-002']) {
      assert.ok(modelFacts({ model }).price.output > 0);
    }
    assert.match(prices.checked, /^\d{4}-\d\d-\d\d$/);
    for (const [model, { source, takes, contextTokens, outputTokens, usdPerMillion }] of Object.entries(
      prices.models,
    )) {
      assert.ok(source.startsWith('https://'), model);
      assert.ok(['chat', 'first-reasoning', 'reasoning', 'thinking'].includes(takes), model);
      assert.ok(usdPerMillion.input > 0 && usdPerMillion.output >= usdPerMillion.input, model);
      assert.ok(outputTokens > 0 && outputTokens <= contextTokens, model);
    }
  });

  it('reckons in dollars per million tokens', () => {
    const { price } = modelFacts({ model: 'gpt-4o-2024-08-06' });
    assert.equal(usdOf(price, { inputTokens: 1_000_000, outputTokens: 100_000 }), 3.5);
    assert.equal(usdOf({ input: 0, output: 0 }, { inputTokens: 9, outputTokens: 9 }), 0);
  });

  it('refuses a model without a price, or with an impossible one, and says what to do', () => {
    assert.throws(() => modelFacts({ model: 'gpt-9' }), unknown);
    assert.throws(() => modelFacts({ model: 'gpt-9' }), /configure its price/);
    assert.throws(() => modelFacts({ model: 'constructor' }), unknown);
    for (const input of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => modelFacts({ model: 'gpt-9', price: { input, output: 1 } }), unknown);
    }
  });

  it('lets the configuration overrule it, and knows reasoning models by their names', () => {
    assert.deepEqual(modelFacts({ model: 'gpt-4o-2024-08-06', price: { input: 1, output: 2 } }).price, {
      input: 1,
      output: 2,
    });
    const free = { input: 0, output: 0 };
    assert.equal(modelFacts({ model: 'o3-mini', price: free }).takes.sampling, false);
    assert.equal(modelFacts({ model: 'llama3', price: free }).takes.sampling, true);
    assert.equal(modelFacts({ model: 'llama3', price: free, takes: { jsonSchema: false } }).takes.jsonSchema, false);
    assert.deepEqual(modelFacts({ model: 'o1-mini-2024-09-12' }).takes, {
      sampling: false,
      systemMessage: false,
      jsonSchema: false,
      reasoning: true,
      thinkingBudget: false,
    });
  });
});
