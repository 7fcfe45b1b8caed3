/** If this fails, a model is asked in a way that it refuses or that costs twice, or its answer and what it cost come back wrong. */
import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { createTeacher } from '../../src/teachers/create-teacher.ts';
import { Gold } from '../emulators/gold.ts';
import { openAiEmulator } from '../emulators/openai.ts';
import { GOLD, gated, KEY, MODELS, type ProviderName, stageOf, TEXT, tidied } from './support.ts';

const signal = new AbortController().signal;

describe('asking', () => {
  for (const model of MODELS) {
    const provider: ProviderName = model.startsWith('gemini') ? 'gemini' : 'openai';

    it(`sends ${model} what it takes, once, and brings its quotes and costs back`, async () => {
      const { teacher, emulator } = await stageOf(provider, { config: { model } });
      for (const task of ['medication', 'disease', 'symptom']) {
        const [request, ...more] = teacher.plan(gated(TEXT), task);
        assert.ok(request !== undefined && more.length === 0);
        const { quotes, usage } = await teacher.ask(request, signal);
        assert.deepEqual(
          quotes.map(quote => quote.text),
          GOLD[0]?.quotes[task],
        );
        const billed = emulator.asked.all.at(-1);
        assert.equal(usage.inputTokens, billed?.inputTokens);
        assert.equal(usage.outputTokens, billed?.outputTokens);
        assert.ok(usage.inputTokens <= request.atMost.inputTokens && usage.outputTokens <= request.atMost.outputTokens);
        assert.ok(usage.usd > 0 && usage.usd <= request.atMost.usd);
        assert.ok(usage.ms >= 0);
      }
      assert.equal(emulator.asked.all.length, 3);
      assert.ok([...emulator.asked.billed().values()].every(count => count === 1));
      await emulator.stop();
    });
  }

  it('asks Azure by deployment, API version and api-key header', async () => {
    const emulator = await tidied(openAiEmulator({ gold: new Gold(GOLD), apiKey: KEY, models: ['gpt-4o-2024-08-06'] }));
    const teacher = await createTeacher({
      config: {
        name: 'azure',
        kind: 'azure',
        model: 'gpt-4o-2024-08-06',
        deployment: 'gpt-4o-2024-08-06',
        apiVersion: '2024-10-21',
        baseUrl: `${emulator.url}/openai`,
        apiKey: KEY,
      },
      egressAllow: ['127.0.0.1'],
    });
    const [request] = teacher.plan(gated(TEXT), 'disease');
    assert.ok(request);
    assert.deepEqual((await teacher.ask(request, signal)).quotes, [{ text: 'gout' }]);
    await emulator.stop();
  });

  it('asks a server of one’s own without a key, at the price that was said', async () => {
    const emulator = await tidied(openAiEmulator({ gold: new Gold(GOLD), apiKey: null, models: ['llama3.1:8b'] }));
    const teacher = await createTeacher({
      config: {
        name: 'local',
        kind: 'openai',
        model: 'llama3.1:8b',
        baseUrl: `${emulator.url}/v1`,
        price: { input: 0, output: 0 },
      },
      egressAllow: ['127.0.0.1'],
    });
    assert.equal(teacher.provider, new URL(emulator.url).host);
    const [request] = teacher.plan(gated(TEXT), 'disease');
    assert.ok(request);
    assert.equal(request.atMost.usd, 0);
    const { quotes, usage } = await teacher.ask(request, signal);
    assert.deepEqual(quotes, [{ text: 'gout' }]);
    assert.equal(usage.usd, 0);
    await emulator.stop();
  });

  it('reads its key and address from nowhere but its configuration', async () => {
    const foreign = {
      OPENAI_BASE_URL: 'http://127.0.0.1:9/v1',
      OPENAI_API_KEY: 'other',
      OPENAI_LOG: 'debug',
      OPENAI_ORG_ID: 'org',
      OPENAI_CUSTOM_HEADERS: 'Authorization: Bearer other\nX-Leak: 1',
      GOOGLE_GEMINI_BASE_URL: 'http://127.0.0.1:9',
      GEMINI_API_KEY: 'other',
      GOOGLE_GENAI_USE_VERTEXAI: 'true',
      GOOGLE_GENAI_API_VERSION: 'v0',
    };
    Object.assign(process.env, foreign);
    try {
      for (const provider of ['openai', 'gemini'] as const) {
        const { teacher, emulator } = await stageOf(provider);
        const [request] = teacher.plan(gated(TEXT), 'disease');
        assert.ok(request);
        assert.deepEqual((await teacher.ask(request, signal)).quotes, [{ text: 'gout' }]);
        await emulator.stop();
      }
      for (const [name, value] of Object.entries(foreign)) assert.equal(process.env[name], value, 'and leaves them');
    } finally {
      for (const name of Object.keys(foreign)) delete process.env[name];
    }
  });

  it('sends no header of the environment to any address', async () => {
    const seen: IncomingHttpHeaders[] = [];
    const server = createServer((request, response) => {
      seen.push(request.headers);
      request.resume().on('end', () => response.writeHead(503).end());
    });
    await new Promise<void>(resolve => server.unref().listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const config = { name: 't', model: 'gpt-4o-2024-08-06', baseUrl: `http://127.0.0.1:${port}`, apiKey: KEY } as const;
    process.env.OPENAI_CUSTOM_HEADERS = 'Authorization: Bearer other\napi-key: other\nX-Leak: 1';
    try {
      for (const each of [
        { ...config, kind: 'openai' },
        { ...config, kind: 'azure', deployment: 'd', apiVersion: '2024-10-21' },
      ] as const) {
        const teacher = await createTeacher({ config: each, egressAllow: ['127.0.0.1'] });
        const [request] = teacher.plan(gated(TEXT), 'disease');
        assert.ok(request);
        await assert.rejects(teacher.ask(request, signal), { code: 'TEACHER_FAILED' });
      }
    } finally {
      delete process.env.OPENAI_CUSTOM_HEADERS;
      server.close();
      server.closeAllConnections();
    }
    assert.deepEqual(
      seen.map(headers => [headers.authorization, headers['api-key'], headers['x-leak']]),
      [
        [`Bearer ${KEY}`, undefined, undefined],
        [undefined, KEY, undefined],
      ],
    );
  });
});
