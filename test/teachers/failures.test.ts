/**
 * If this fails, a sick provider is taken for a bad note, a full queue for a sick provider, money that was spent is forgotten, or an
 * error message shows a note or a key. The official clients talk to emulated providers that do everything wrong that can be done.
 */
import assert from 'node:assert/strict';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { createTeacher } from '../../src/teachers/create-teacher.ts';
import { LlmTeacher } from '../../src/teachers/llm-teacher.ts';
import type { Teacher } from '../../src/teachers/teacher.ts';
import { type Fault as Kind, type TeacherCode, TeacherError } from '../../src/teachers/teacher-error.ts';
import type { Fault } from '../emulators/faults.ts';
import { CANARY, gated, KEY, type ProviderName, stageOf, TEXT } from './support.ts';

interface Expected {
  readonly code: TeacherCode;
  readonly kind: Kind;
  readonly retryAfterMs?: number;
  readonly paid?: boolean | 'maybe';
}

const NOW = Date.UTC(2026, 10, 25);

/** The same for both providers, though they say it in different ways. */
const EXPECTED: Readonly<Partial<Record<Fault, Expected>>> = {
  'busy-seconds': { code: 'TEACHER_BUSY', kind: 'busy', retryAfterMs: 7000 },
  'busy-date': { code: 'TEACHER_BUSY', kind: 'busy', retryAfterMs: 60_000 },
  'busy-ms': { code: 'TEACHER_BUSY', kind: 'busy', retryAfterMs: 1250 },
  unpaid: { code: 'TEACHER_UNPAID', kind: 'setup' },
  'error-500': { code: 'TEACHER_FAILED', kind: 'provider' },
  'error-503': { code: 'TEACHER_FAILED', kind: 'provider' },
  'error-in-200': { code: 'TEACHER_FAILED', kind: 'provider' },
  'busy-in-200': { code: 'TEACHER_BUSY', kind: 'busy' },
  'odd-error-in-200': { code: 'TEACHER_FAILED', kind: 'provider' },
  cut: { code: 'TEACHER_HUNG_UP', kind: 'provider' },
  slam: { code: 'TEACHER_HUNG_UP', kind: 'provider' },
  'bad-envelope': { code: 'TEACHER_FAILED', kind: 'provider', paid: 'maybe' },
  rejected: { code: 'REQUEST_REJECTED', kind: 'reply' },
  redirect: { code: 'EGRESS_DENIED', kind: 'setup' },
  'bad-json': { code: 'REPLY_NOT_JSON', kind: 'reply', paid: true },
  'wrong-schema': { code: 'REPLY_WRONG_SCHEMA', kind: 'reply', paid: true },
  'empty-choices': { code: 'REPLY_EMPTY', kind: 'reply', paid: true },
  'empty-text': { code: 'REPLY_EMPTY', kind: 'reply', paid: true },
  refusal: { code: 'REPLY_REFUSED', kind: 'reply', paid: true },
  'content-filter': { code: 'REPLY_REFUSED', kind: 'reply', paid: true },
  length: { code: 'REPLY_CUT', kind: 'reply', paid: true },
};

async function failureOf(teacher: Teacher, signal = new AbortController().signal): Promise<TeacherError> {
  const [request] = teacher.plan(gated(TEXT), 'symptom');
  assert.ok(request);
  const error = await teacher.ask(request, signal).then(
    () => assert.fail('it answered'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof TeacherError, `not a TeacherError: ${inspect(error)}`);
  silent(error);
  return error;
}

/** Whatever a person may print of an error, to any depth. */
function silent(error: TeacherError): void {
  const shown = `${inspect(error, { depth: 10, showHidden: true })} ${JSON.stringify(error)} ${error.stack}`;
  for (const secret of [KEY, CANARY, 'lisinopril', 'Denies chest', 'You mark mentions', 'mentions":']) {
    assert.ok(!shown.includes(secret), `the error shows ${JSON.stringify(secret)}`);
  }
}

for (const provider of ['openai', 'gemini'] as const satisfies readonly ProviderName[]) {
  describe(`failures of ${provider}`, () => {
    for (const [fault, expected] of Object.entries(EXPECTED)) {
      it(`${fault} is ${expected.code}, after one request`, async () => {
        const stage = await stageOf(provider, { faults: { schedule: [fault as Fault] }, now: () => NOW });
        const error = await failureOf(stage.teacher);
        assert.equal(error.code, expected.code);
        assert.equal(error.fault, expected.kind);
        assert.equal(error.retryAfterMs, expected.retryAfterMs);
        assert.equal(stage.emulator.asked.all.length, 1);
        const billed = stage.emulator.asked.all[0];
        if (expected.paid === true) {
          assert.equal(error.usage?.inputTokens, billed?.inputTokens);
          assert.equal(error.usage?.outputTokens, billed?.outputTokens);
          assert.ok((error.usage?.usd ?? 0) > 0);
        } else {
          assert.equal(error.usage, undefined);
          assert.equal(error.details.status === 200, expected.paid === 'maybe', 'whether it answered');
        }
        await stage.emulator.stop();
      });
    }

    for (const fault of ['hang', 'crawl'] as const) {
      it(`${fault}: an abort closes the connection`, { timeout: 20_000 }, async () => {
        const { teacher, emulator } = await stageOf(provider, { faults: { schedule: [fault] } });
        const controller = new AbortController();
        const failure = failureOf(teacher, controller.signal);
        await emulator.asked.until(all => all.some(asked => fault === 'hang' || asked.crawledBytes > 3));
        controller.abort();
        assert.equal((await failure).code, 'TEACHER_TIMEOUT');
        await emulator.asked.until(all => all[0]?.closedEarly === true);
        await emulator.stop();
      });
    }

    it('a deadline is TEACHER_TIMEOUT', { timeout: 20_000 }, async () => {
      const { teacher, emulator } = await stageOf(provider, { faults: { schedule: ['hang'] } });
      assert.equal((await failureOf(teacher, AbortSignal.timeout(200))).code, 'TEACHER_TIMEOUT');
      await emulator.asked.until(all => all[0]?.closedEarly === true);
      await emulator.stop();
    });

    it('sends nothing when it is aborted before', async () => {
      const { teacher, emulator } = await stageOf(provider);
      assert.equal((await failureOf(teacher, AbortSignal.abort())).code, 'TEACHER_TIMEOUT');
      assert.equal(emulator.asked.all.length, 0);
      await emulator.stop();
    });

    it('a wrong key is TEACHER_DENIED, and not shown', async () => {
      const stage = await stageOf(provider, { config: { apiKey: `${KEY}-but-wrong` } });
      assert.equal((await failureOf(stage.teacher)).code, 'TEACHER_DENIED');
      await stage.emulator.stop();
    });

    it('a model that it does not have is MODEL_UNKNOWN', async () => {
      const stage = await stageOf(provider, { config: { model: 'retired', price: { input: 1, output: 1 } } });
      assert.equal((await failureOf(stage.teacher)).code, 'MODEL_UNKNOWN');
      await stage.emulator.stop();
    });

    const refused = provider === 'openai' ? 'REQUEST_UNSUPPORTED' : 'REQUEST_REJECTED';
    it(`a request that the model refuses is ${refused}, although the provider repeats the note`, async () => {
      const wrong = provider === 'openai' ? { sampling: { temperature: 3 } } : { takes: { jsonSchema: false } };
      const { teacher, emulator } = await stageOf(provider, { config: wrong });
      const error = await failureOf(teacher);
      // only the first says that it is a setting
      assert.equal(error.code, refused);
      assert.equal(error.details.status, 400);
      await emulator.stop();
    });

    it('a port where nobody listens is TEACHER_UNREACHABLE', async () => {
      const { emulator, config } = await stageOf(provider);
      await emulator.stop();
      const teacher = await createTeacher({ config, egressAllow: ['127.0.0.1'] });
      const error = await failureOf(teacher);
      assert.equal(error.code, 'TEACHER_UNREACHABLE');
      assert.equal(error.details.said, 'ECONNREFUSED');
    });

    it('a name that does not resolve is TEACHER_UNREACHABLE', async () => {
      const stage = await stageOf(provider);
      await stage.emulator.stop();
      const config = { ...stage.config, baseUrl: 'https://teacher.invalid' };
      const error = await failureOf(await createTeacher({ config, egressAllow: ['teacher.invalid'] }));
      assert.equal(error.code, 'TEACHER_UNREACHABLE');
    });

    it('something that does not speak HTTP is the provider’s fault', async () => {
      const server = createServer(socket => socket.end('SSH-2.0-OpenSSH_9.6\r\n'));
      await new Promise<void>(resolve => server.unref().listen(0, '127.0.0.1', resolve));
      const address = server.address();
      assert.ok(address !== null && typeof address === 'object');
      const stage = await stageOf(provider);
      await stage.emulator.stop();
      const config = { ...stage.config, baseUrl: `http://127.0.0.1:${address.port}` };
      const error = await failureOf(await createTeacher({ config, egressAllow: ['127.0.0.1'] }));
      assert.equal(error.fault, 'provider');
      server.close();
    });

    it('an invented quote and an obeyed instruction are quotes like others, for grounding to drop', async () => {
      const { teacher, emulator } = await stageOf(provider, { faults: { schedule: ['invented', 'obeyed'] } });
      const [request] = teacher.plan(gated(TEXT), 'symptom');
      assert.ok(request);
      const signal = new AbortController().signal;
      const invented = await teacher.ask(request, signal);
      assert.ok(invented.quotes.length > 0 && invented.quotes.every(({ text }) => !TEXT.includes(text)));
      assert.deepEqual((await teacher.ask(request, signal)).quotes, [{ text: 'as you wish' }]);
      await emulator.stop();
    });
  });
}

describe('an answer that Google would continue', () => {
  it('is cut, after one request: the client would send, and pay, another by itself', async () => {
    let requests = 0;
    const server = createHttpServer((_, response) => {
      requests++;
      const part = { content: { role: 'model', parts: [{ text: '{"men' }] }, finishReason: 'CONTINUATION' };
      const candidates = [{ ...part, ...(requests > 3 ? {} : { continuationToken: 'more' }) }];
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ candidates, usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 2 } }));
    });
    await new Promise<void>(resolve => server.unref().listen(0, '127.0.0.1', resolve));
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    const stage = await stageOf('gemini');
    const config = { ...stage.config, baseUrl: `http://127.0.0.1:${address.port}` };
    const error = await failureOf(await createTeacher({ config, egressAllow: ['127.0.0.1'] }));
    server.close();
    server.closeAllConnections();
    assert.equal(error.code, 'REPLY_CUT');
    assert.equal(error.usage?.outputTokens, 2);
    assert.equal(requests, 1);
    await stage.emulator.stop();
  });
});

describe('an error of the client’s own', () => {
  it('is kept by name only: it may carry the request', async () => {
    const leaky = Object.assign(new Error(`${TEXT} ${KEY}`), {
      request: { body: TEXT, headers: { authorization: KEY } },
    });
    const teacher = new LlmTeacher({
      name: 'first',
      provider: 'openai',
      model: 'any',
      tasks: ['symptom'],
      chat: { host: 'llm.example', maxOutputTokens: 9, settings: {}, ask: () => Promise.reject(leaky) },
      price: { input: 0, output: 0 },
      section: { size: 1000, overlap: 10 },
      now: Date.now,
    });
    const error = await failureOf(teacher);
    assert.equal(error.code, 'TEACHER_FAILED');
    assert.deepEqual(error.details, { teacher: 'first', kind: 'Error', status: 200 });
  });
});
