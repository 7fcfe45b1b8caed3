/** If this fails, notes can leave for a host that nobody allowed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createTeacher } from '../../src/teachers/create-teacher.ts';
import { allowedHost } from '../../src/teachers/egress.ts';
import { guardedFetch } from '../../src/teachers/guarded-fetch.ts';
import { TeacherError } from '../../src/teachers/teacher-error.ts';
import { gated, KEY, stageOf, TEXT } from './support.ts';

const denied = (error: unknown) => error instanceof TeacherError && error.code === 'EGRESS_DENIED';
const host = (url: string, ...allow: string[]) => allowedHost({ teacher: 't', url, allow });

describe('egress', () => {
  it('lets through what is named', () => {
    assert.equal(host('https://api.openai.com/v1', 'api.openai.com'), 'api.openai.com');
    assert.equal(host('https://API.OpenAI.com/v1', ' Api.openai.com '), 'api.openai.com');
    assert.equal(host('https://llm.example:8443/', 'llm.example'), 'llm.example:8443');
    assert.equal(host('https://llm.example/', 'llm.example:443'), 'llm.example');
    assert.equal(host('http://vllm:8000/v1', 'vllm:8000'), 'vllm:8000');
    assert.equal(host('http://localhost:11434/v1', 'localhost'), 'localhost:11434');
    assert.equal(host('http://[::1]:8080/', '[::1]:8080'), '[::1]:8080');
  });

  it('denies all else', () => {
    const others: readonly (readonly [url: string, ...allow: string[]])[] = [
      ['https://api.openai.com/v1'],
      ['https://api.openai.com.evil.example/v1', 'api.openai.com'],
      ['https://evil-api.openai.com/', 'openai.com', '*.openai.com', '*'],
      ['https://llm.example:8443/', 'llm.example:443'],
      ['http://llm.example/', 'llm.example'],
      ['https://api.openai.com@evil.example/', 'api.openai.com'],
      ['https://user:secret@api.openai.com/', 'api.openai.com'],
      ['ftp://llm.example/', 'llm.example', 'llm.example:21', 'llm.example:80'],
      ['not a url', 'not a url'],
    ];
    for (const [url, ...allow] of others) assert.throws(() => host(url, ...allow), denied, url);
  });

  it('says how to allow a host, and repeats no password', () => {
    assert.throws(() => host('http://llm.example/', 'llm.example'), /use https, or allow llm\.example:80/);
    assert.throws(
      () => host('https://user:secret@x/', 'x'),
      error => !String(error).includes('secret'),
    );
  });

  it('is asked when a teacher is made', async () => {
    const config = { name: 'first', kind: 'openai', model: 'gpt-4o-2024-08-06', apiKey: KEY } as const;
    await assert.rejects(createTeacher({ config, egressAllow: [] }), denied);
    await assert.rejects(
      createTeacher({ config: { ...config, kind: 'gemini' }, egressAllow: ['api.openai.com'] }),
      denied,
    );
    assert.equal((await createTeacher({ config, egressAllow: ['api.openai.com'] })).host, 'api.openai.com');
  });

  it('is asked again at every request, whatever the client asks for', async () => {
    const { emulator, config } = await stageOf('openai');
    const allow = [new URL(emulator.url).host];
    const teacher = await createTeacher({ config, egressAllow: allow });
    const [request] = teacher.plan(gated(TEXT), 'disease');
    assert.ok(request);
    allow.length = 0;
    await assert.rejects(teacher.ask(request, new AbortController().signal), denied);
    assert.equal(emulator.asked.all.length, 0);
    const guarded = guardedFetch({ teacher: 't', allow: [], now: Date.now });
    await assert.rejects(guarded(new Request(emulator.url)), denied);
    await emulator.stop();
  });

  it('a key is wanted where the provider wants one', async () => {
    const config = { name: 'first', kind: 'openai', model: 'gpt-4o-2024-08-06' } as const;
    await assert.rejects(
      createTeacher({ config, egressAllow: ['api.openai.com'] }),
      error => error instanceof TeacherError && error.code === 'TEACHER_DENIED',
    );
  });
});
