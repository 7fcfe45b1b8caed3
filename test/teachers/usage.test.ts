/** If these fail, what a server says it charged can empty, refill or break the budget; or a charge for a broken answer is forgotten. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { chargeOf } from '../../src/escalation/charge.ts';
import { createTeacher } from '../../src/teachers/create-teacher.ts';
import type { TeacherRequest, Usage } from '../../src/teachers/teacher.ts';
import { TeacherError } from '../../src/teachers/teacher-error.ts';
import { tokenCount } from '../../src/teachers/token-count.ts';
import { gated, KEY, type ProviderName, TEXT } from './support.ts';

/** What the next request is answered. */
let next: { readonly status: number; readonly body: string };
const server = createServer((request, response) => {
  request
    .resume()
    .on('end', () => response.writeHead(next.status, { 'content-type': 'application/json' }).end(next.body));
});
await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
const address = server.address();
assert.ok(address !== null && typeof address === 'object');
const baseUrl = `http://127.0.0.1:${address.port}`;
after(() => {
  server.close();
  server.closeAllConnections();
});

const MODEL = { openai: 'gpt-4o-mini-2024-07-18', gemini: 'gemini-1.5-flash-002' } as const;
const REPLY = JSON.stringify({ mentions: [] });

async function asking(kind: ProviderName, status: number, body: string) {
  next = { status, body };
  const config = { name: 'first', kind, model: MODEL[kind], baseUrl, apiKey: KEY } as const;
  const teacher = await createTeacher({ config, egressAllow: ['127.0.0.1'] });
  const request = teacher.plan(gated(TEXT), 'symptom')[0] as TeacherRequest;
  return { request, answer: teacher.ask(request, new AbortController().signal) };
}

async function used(kind: ProviderName, body: object): Promise<readonly [Usage, TeacherRequest['atMost']]> {
  const { request, answer } = await asking(kind, 200, JSON.stringify(body));
  return [(await answer).usage, request.atMost];
}

const openAi = (usage: unknown): object => ({
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: REPLY } }],
  usage,
});
const gemini = (usageMetadata: unknown): object => ({
  candidates: [{ finishReason: 'STOP', content: { role: 'model', parts: [{ text: REPLY }] } }],
  usageMetadata,
});

const NO_COUNTS: readonly unknown[] = [12.5, -3, -0.5, 1e300, 2 ** 53, '12', null, undefined, [5], {}];

describe('usage that a server states', () => {
  it('is taken where it is a count', async () => {
    const [{ inputTokens, outputTokens, usd }] = await used(
      'openai',
      openAi({ prompt_tokens: 10, completion_tokens: 0 }),
    );
    assert.deepEqual([inputTokens, outputTokens], [10, 0]);
    assert.ok(Math.abs(usd - (10 * 0.15) / 1e6) < 1e-15);
    const said = { promptTokenCount: 10, candidatesTokenCount: 4, thoughtsTokenCount: 3 };
    const [thought] = await used('gemini', gemini(said));
    assert.deepEqual([thought.inputTokens, thought.outputTokens], [10, 7]);
  });

  it('is the bound of the request where it is not, field by field', async () => {
    for (const wrong of NO_COUNTS) {
      const [input, bound] = await used('openai', openAi({ prompt_tokens: wrong, completion_tokens: 2 }));
      assert.deepEqual([input.inputTokens, input.outputTokens], [bound.inputTokens, 2], String(wrong));
      const [output] = await used('openai', openAi({ prompt_tokens: 10, completion_tokens: wrong }));
      assert.deepEqual([output.inputTokens, output.outputTokens], [10, bound.outputTokens], String(wrong));
      const [google, most] = await used('gemini', gemini({ promptTokenCount: wrong, candidatesTokenCount: wrong }));
      assert.deepEqual([google.inputTokens, google.outputTokens], [most.inputTokens, most.outputTokens], String(wrong));
      assert.equal(google.usd, most.usd);
    }
    const [mixed, most] = await used(
      'gemini',
      gemini({ promptTokenCount: 1, candidatesTokenCount: -5, thoughtsTokenCount: 9 }),
    );
    assert.equal(mixed.outputTokens, most.outputTokens, 'a negative part is not made good by another');
    for (const nothing of [null, undefined, 'free', 7]) {
      const [one, atMost] = await used('openai', openAi(nothing));
      assert.equal(one.usd, atMost.usd);
      const [other, bound] = await used('gemini', gemini(nothing));
      assert.equal(other.usd, bound.usd);
    }
  });

  it('is always a count, whatever was said', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.anything(), fc.double(), fc.maxSafeNat())), parts => {
        const count = tokenCount(...parts);
        return count === undefined || (Number.isSafeInteger(count) && count >= 0);
      }),
    );
    assert.equal(tokenCount(2 ** 53 - 1, 1), undefined);
  });
});

describe('a charge that no answer came for', () => {
  const failure = async (kind: ProviderName, status: number, body: string) => {
    const { request, answer } = await asking(kind, status, body);
    const error = await answer.then(
      () => assert.fail('it answered'),
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof TeacherError);
    return { error, request };
  };

  it('is taken at its bound after a 200 that cannot be used, and not while the provider is being tried', async () => {
    // an object that the client, or what reads its answer, stumbles over
    const objects = ['{"choices": {"0": null}, "usage": {}}', '{"choices": [{"message": {"content": 7}}]}'];
    for (const [kind, body] of [
      ['openai', 'not JSON'],
      ['openai', '[]'],
      ['openai', `"${' '.repeat(8 * 2 ** 20)}"`],
      ['gemini', ''],
      ['gemini', '{"candidates": [{"content": {"parts": 7}}]}'],
      ...objects.map(each => ['openai', each] as const),
    ] as const) {
      const { error, request } = await failure(kind, 200, body);
      const { usage } = chargeOf(request, error, { trying: false, ms: 0 });
      assert.deepEqual(
        { ...usage, ms: 0 },
        { ...request.atMost, ms: 0 },
        `${error.code} after ${kind} said ${body.slice(0, 60)}`,
      );
      const tried = chargeOf(request, error, { trying: true, ms: 0 });
      assert.equal(tried.usage.usd, error.fault === 'provider' ? 0 : usage.usd, `${error.code} of a try in an outage`);
    }
  });

  it('is none after a 200 that says in its body that it failed', async () => {
    const choice = { finish_reason: 'error', message: { content: 'half an ans' } };
    for (const [body, code] of [
      [{ error: { code: 502, message: 'x' } }, 'TEACHER_FAILED'],
      [{ error: { code: 'server_error' }, choices: [] }, 'TEACHER_FAILED'],
      [{ error: { code: 429 } }, 'TEACHER_BUSY'],
      [{ error: { code: '429' }, choices: null }, 'TEACHER_BUSY'],
      [{ error: { code: 402 } }, 'TEACHER_UNPAID'],
      [{ error: { type: 'insufficient_quota' } }, 'TEACHER_UNPAID'],
      [{ choices: [choice] }, 'TEACHER_FAILED'],
      [{ choices: [choice], error: { code: 429 } }, 'TEACHER_BUSY'],
      [{ choices: [{ ...choice, finish_reason: 'stop', error: { code: 503 } }] }, 'TEACHER_FAILED'],
    ] as const) {
      const { error, request } = await failure('openai', 200, JSON.stringify(body));
      assert.equal(error.code, code, JSON.stringify(body));
      assert.equal(chargeOf(request, error, { trying: false, ms: 0 }).usage.usd, 0);
    }
    const [whole] = await used('openai', { ...openAi({ prompt_tokens: 1, completion_tokens: 1 }), error: null });
    assert.equal(whole.inputTokens, 1);
  });

  it('is none after a refusal by status', async () => {
    for (const status of [400, 404, 409, 500, 503])
      assert.equal((await failure('openai', status, '{}')).error.usage, undefined);
    const filtered = await failure('openai', 400, '{"error": {"code": "content_filter"}}');
    assert.deepEqual([filtered.error.code, filtered.error.usage?.usd], ['REPLY_REFUSED', 0]);
  });
});
