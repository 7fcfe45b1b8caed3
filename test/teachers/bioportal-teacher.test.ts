/** If these fail, notes go where they may not, keys show up in addresses, offsets shift, or the breaker is told the wrong thing. */
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { ground } from '../../src/escalation/ground.ts';
import { asciiMirror } from '../../src/teachers/ascii-mirror.ts';
import { type BioportalOptions, BioportalTeacher } from '../../src/teachers/bioportal-teacher.ts';
import type { Reply, TeacherRequest } from '../../src/teachers/teacher.ts';
import { type TeacherCode, TeacherError } from '../../src/teachers/teacher-error.ts';
import { hash } from '../emulators/asked.ts';
import { type BioportalEmulatorOptions, bioportalEmulator } from '../emulators/bioportal.ts';
import type { Fault } from '../emulators/faults.ts';
import type { Emulator } from '../emulators/serve.ts';
import { gated, KEY, tidied } from './support.ts';

const NOTE = 'Ménière 😀 ß: history of pneumonia,\r\nPNEUMONIA again; took aspirin for headaches. naïve\u2014患 fever';
const NOW = Date.UTC(2026, 0, 1);
const SECRET = new RegExp(`pneumonia|${KEY}`, 'i');

const teacherOf = (emulator: Emulator, options: Partial<BioportalOptions> = {}): BioportalTeacher =>
  new BioportalTeacher({
    apiKey: KEY,
    egressAllow: [new URL(emulator.url).host],
    baseUrl: emulator.url,
    now: () => NOW,
    ...options,
  });
const start = (options: Partial<BioportalEmulatorOptions> = {}) =>
  tidied(bioportalEmulator({ apiKey: KEY, now: () => NOW, ...options }));
const requestOf = (teacher: BioportalTeacher, task: string, text = NOTE): TeacherRequest => {
  const [request] = teacher.plan(gated(text), task);
  assert.ok(request !== undefined);
  return request;
};
const ask = (task: string, teacher: BioportalTeacher, signal = new AbortController().signal): Promise<Reply> =>
  teacher.ask(requestOf(teacher, task), signal);

describe('BioPortal teacher, against a wire-true emulator', () => {
  it('gives places that grounding verifies to the last code point, with codes', async () => {
    const emulator = await start();
    const teacher = teacherOf(emulator);
    for (const [task, wanted] of [
      ['disease', ['pneumonia', 'PNEUMONIA']],
      ['medication', ['aspirin']],
      ['symptom', ['headaches', 'fever']],
    ] as const) {
      const { quotes, usage } = await ask(task, teacher);
      const { placed, dropped } = ground(NOTE, quotes);
      assert.deepEqual(
        placed.map(each => each.text),
        wanted,
        task,
      );
      assert.deepEqual(dropped, []);
      assert.ok(quotes.every(quote => quote.at !== undefined && quote.codes?.length === 1));
      assert.deepEqual(usage, { inputTokens: 0, outputTokens: 0, usd: 0, ms: 0 });
    }
    const [quote] = (await ask('disease', teacher)).quotes;
    assert.equal(quote?.codes?.[0]?.system, 'SNOMEDCT');
    await emulator.stop();
  });

  it('has another key at another address: another service answers there', () => {
    const promptOf = (baseUrl?: string): string => {
      const options = { apiKey: KEY, egressAllow: ['data.bioontology.org', 'own.example'], now: () => NOW };
      const teacher = new BioportalTeacher(baseUrl === undefined ? options : { ...options, baseUrl });
      return requestOf(teacher, 'disease').key.promptSha256;
    };
    assert.equal(promptOf('https://DATA.bioontology.org/'), promptOf());
    assert.notEqual(promptOf('https://own.example'), promptOf());
  });

  it('does not depend on the unit that the service counts in', async () => {
    const answers = [];
    for (const unit of ['code-point', 'utf-16', 'byte'] as const) {
      const emulator = await start({ unit });
      answers.push((await ask('disease', teacherOf(emulator))).quotes);
      await emulator.stop();
    }
    assert.equal(answers[0]?.length, 2);
    assert.deepEqual(answers[1], answers[0]);
    assert.deepEqual(answers[2], answers[0]);
  });

  it('asks once, of the right ontology, with one character for each code point', async () => {
    const emulator = await start();
    await ask('symptom', teacherOf(emulator));
    assert.equal(emulator.asked.all.length, 1);
    assert.equal(emulator.asked.all[0]?.model, 'SNOMEDCT');
    assert.equal(emulator.asked.all[0]?.task, 'T033,T184');
    assert.equal(emulator.asked.all[0]?.textSha256, hash(asciiMirror(NOTE)));
    await emulator.stop();
  });

  it('plans sections that cover the note, and none for nothing', async () => {
    const emulator = await start();
    const teacher = teacherOf(emulator);
    assert.deepEqual(teacher.plan(gated(''), 'disease'), []);
    assert.deepEqual(teacher.plan(gated(' \r\n 😀'), 'disease'), []);
    assert.throws(() => teacher.plan(gated('x'), 'dosage'), RangeError);
    const long = Array.from({ length: 3_000 }, (_, i) => `fever and 😀 chills ${i}; `).join('');
    const requests = teacher.plan(gated(long), 'symptom');
    assert.ok(requests.length > 2);
    const points = [...long];
    requests.forEach(({ section, text }, i) => {
      assert.equal(text, points.slice(section.start, section.end).join(''));
      const before = requests[i - 1];
      if (before !== undefined) assert.ok(before.section.end - section.start >= 400, 'neighbours overlap');
    });
    assert.equal(requests[0]?.section.start, 0);
    assert.equal(requests.at(-1)?.section.end, points.length);
    assert.equal(new Set(requests.map(request => request.key.textSha256)).size, requests.length);
    assert.equal(emulator.asked.all.length, 0, 'planning sends nothing');
    await emulator.stop();
  });

  const faults: readonly (readonly [Fault, TeacherCode, Partial<TeacherError>])[] = [
    ['busy-seconds', 'TEACHER_BUSY', { retryAfterMs: 7_000, fault: 'busy' }],
    ['busy-date', 'TEACHER_BUSY', { retryAfterMs: 60_000 }],
    ['busy-ms', 'TEACHER_BUSY', { retryAfterMs: undefined as never }],
    ['error-500', 'TEACHER_FAILED', { fault: 'provider', retryable: true }],
    ['error-503', 'TEACHER_FAILED', { fault: 'provider' }],
    ['unpaid', 'TEACHER_DENIED', { fault: 'setup', retryable: false }],
    ['length', 'REQUEST_REJECTED', { fault: 'reply' }],
    ['redirect', 'EGRESS_DENIED', { fault: 'setup' }],
    ['cut', 'TEACHER_HUNG_UP', { fault: 'provider' }],
    ['slam', 'TEACHER_HUNG_UP', { fault: 'provider' }],
    ['bad-envelope', 'TEACHER_FAILED', { fault: 'provider' }],
    ['error-in-200', 'TEACHER_FAILED', { fault: 'provider' }],
    ['odd-error-in-200', 'TEACHER_FAILED', { fault: 'provider' }],
    ['bad-json', 'TEACHER_FAILED', { fault: 'provider' }],
    ['wrong-schema', 'REPLY_WRONG_SCHEMA', { fault: 'reply' }],
    ['invented', 'REPLY_WRONG_SCHEMA', { fault: 'reply' }],
  ];
  for (const [fault, code, properties] of faults) {
    it(`${fault}: ${code}, asked once, and not a word of the note`, async () => {
      const emulator = await start({ faults: { schedule: [fault] } });
      const error = await ask('disease', teacherOf(emulator)).then(
        () => undefined,
        (cause: unknown) => cause,
      );
      assert.ok(error instanceof TeacherError, String(error));
      assert.equal(error.code, code);
      for (const [key, value] of Object.entries(properties)) assert.equal(error[key as keyof TeacherError], value, key);
      assert.equal(emulator.asked.all.length, 1);
      assert.doesNotMatch(inspect(error, { depth: 10, showHidden: true }), SECRET);
      assert.doesNotMatch(JSON.stringify(error), SECRET);
      await emulator.stop();
    });
  }

  it('takes nothing found for an answer', async () => {
    const emulator = await start({ faults: { schedule: ['empty-text'] } });
    assert.deepEqual((await ask('disease', teacherOf(emulator))).quotes, []);
    await emulator.stop();
  });

  for (const fault of ['hang', 'crawl'] as const) {
    it(`closes the connection when the signal aborts: ${fault}`, { timeout: 20_000 }, async () => {
      const emulator = await start({ faults: { schedule: [fault] } });
      const giveUp = new AbortController();
      const answer = ask('disease', teacherOf(emulator), giveUp.signal);
      await emulator.asked.until(all => all.some(asked => fault === 'hang' || asked.crawledBytes > 3));
      giveUp.abort();
      await assert.rejects(answer, { code: 'TEACHER_TIMEOUT', fault: 'provider' });
      await emulator.asked.until(all => all[0]?.closedEarly === true);
      await emulator.stop();
    });
  }

  it('sends nothing when it is aborted before, and leaves no listener on a signal that lives on', async () => {
    const emulator = await start();
    await assert.rejects(ask('disease', teacherOf(emulator), AbortSignal.abort()), { code: 'TEACHER_TIMEOUT' });
    assert.equal(emulator.asked.all.length, 0);
    const { signal } = new AbortController();
    for (let i = 0; i < 3; i++) await ask('disease', teacherOf(emulator), signal);
    assert.equal(emulator.asked.all.length, 3);
    assert.equal(getEventListeners(signal, 'abort').length, 0);
    await emulator.stop();
  });

  it('says that nobody is there', async () => {
    const server = createServer();
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise(resolve => server.close(resolve));
    const teacher = new BioportalTeacher({
      apiKey: KEY,
      egressAllow: ['127.0.0.1'],
      baseUrl: `http://127.0.0.1:${port}`,
    });
    await assert.rejects(ask('disease', teacher), { code: 'TEACHER_UNREACHABLE', fault: 'provider' });
  });

  for (const status of [204, 205]) {
    it(`takes ${status} for a failure: nobody has annotated anything`, async () => {
      const server = createServer((request, response) => {
        request.resume().on('end', () => response.writeHead(status).end());
      });
      await new Promise<void>(resolve => server.unref().listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      const baseUrl = `http://127.0.0.1:${port}`;
      const teacher = new BioportalTeacher({ apiKey: KEY, egressAllow: ['127.0.0.1'], baseUrl });
      await assert.rejects(ask('disease', teacher), { code: 'TEACHER_FAILED', fault: 'provider' });
      server.close();
      server.closeAllConnections();
    });
  }

  it('is refused a wrong key, and an ontology that is not there', async () => {
    const emulator = await start();
    await assert.rejects(ask('disease', teacherOf(emulator, { apiKey: 'wrong' })), { code: 'TEACHER_DENIED' });
    const queries = { disease: { ontologies: ['NOSUCH'], semanticTypes: [] } };
    await assert.rejects(ask('disease', teacherOf(emulator, { queries })), { code: 'MODEL_UNKNOWN', fault: 'setup' });
    await emulator.stop();
  });

  it('sends nothing to a host that is not allowed', async () => {
    const emulator = await start();
    const denied = { code: 'EGRESS_DENIED' };
    assert.throws(() => teacherOf(emulator, { egressAllow: [] }), denied);
    assert.throws(() => teacherOf(emulator, { egressAllow: ['data.bioontology.org'] }), denied);
    assert.throws(
      () => teacherOf(emulator, { egressAllow: ['example.org'], baseUrl: 'http://example.org' }),
      denied,
      'plain HTTP',
    );
    assert.throws(() => teacherOf(emulator, { apiKey: ' ' }), { code: 'TEACHER_DENIED' });
    const allow = [new URL(emulator.url).host];
    const teacher = teacherOf(emulator, { egressAllow: allow });
    allow.length = 0;
    await assert.rejects(ask('disease', teacher), denied, 'asked again before each request');
    assert.equal(emulator.asked.all.length, 0);
    assert.equal(
      new BioportalTeacher({ apiKey: KEY, egressAllow: ['data.bioontology.org'] }).host,
      'data.bioontology.org',
    );
    await emulator.stop();
  });
});
