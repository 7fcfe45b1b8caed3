/** If these fail, a kind of teacher that the configuration names cannot be made, or is asked about tasks that it does not know. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { createTeacher, type TeacherConfig } from '../../src/teachers/create-teacher.ts';
import { TeacherError } from '../../src/teachers/teacher-error.ts';
import { bioportalEmulator } from '../emulators/bioportal.ts';
import { gated, KEY, stageOf, TEXT, tidied } from './support.ts';

const llm = { name: 'first', apiKey: KEY } as const;
const azure = { deployment: 'd', apiVersion: '2024-10-21', baseUrl: 'https://x.example/openai' } as const;

const KINDS: readonly (readonly [TeacherConfig, provider: string, host: string | null])[] = [
  [{ ...llm, kind: 'openai', model: 'gpt-4o-2024-08-06' }, 'openai', 'api.openai.com'],
  [{ ...llm, kind: 'azure', model: 'gpt-4o-2024-08-06', ...azure }, 'x.example', 'x.example'],
  [{ ...llm, kind: 'gemini', model: 'gemini-2.5-flash' }, 'gemini', 'generativelanguage.googleapis.com'],
  [{ ...llm, kind: 'bioportal' }, 'bioportal', 'data.bioontology.org'],
  [{ ...llm, kind: 'bioportal', baseUrl: 'https://x.example' }, 'x.example', 'x.example'],
  [{ name: 'first', kind: 'dictionary' }, 'dictionary', null],
];

describe('one factory for all kinds', () => {
  for (const [config, provider, host] of KINDS) {
    it(`${config.kind} at ${host ?? 'home'}`, async () => {
      const teacher = await createTeacher({ config, egressAllow: host === null ? [] : [host] });
      assert.deepEqual(
        [teacher.name, teacher.provider, teacher.host, teacher.tasks.toSorted()],
        ['first', provider, host, ['disease', 'medication', 'symptom']],
      );
      const one = await createTeacher({ config: { ...config, tasks: ['symptom'] }, egressAllow: [host ?? 'none'] });
      assert.deepEqual(one.tasks, ['symptom']);
      if (host !== null) await assert.rejects(createTeacher({ config, egressAllow: [] }), { code: 'EGRESS_DENIED' });
    });
  }

  it('refuses a key that no header can hold, at once, and does not show it', async () => {
    const own = { kind: 'openai', model: 'own', price: { input: 0, output: 0 }, baseUrl: 'https://x.example' } as const;
    for (const [config, , host] of [...KINDS, [{ ...llm, ...own }, '', 'x.example'] as const]) {
      if (config.kind === 'dictionary') continue;
      for (const apiKey of [`${KEY}\n`, `${KEY} ${KEY}`, `${KEY}…`]) {
        const creating = createTeacher({ config: { ...config, apiKey }, egressAllow: [host ?? ''] });
        await assert.rejects(creating, error => {
          assert.ok(error instanceof TeacherError && !error.message.includes(KEY));
          return error.code === 'TEACHER_DENIED';
        });
      }
    }
  });

  it('all but the dictionary need a key, where the provider wants one', async () => {
    for (const [config, , host] of KINDS) {
      if (config.kind === 'dictionary') continue;
      const creating = createTeacher({ config: { ...config, apiKey: '' }, egressAllow: [host ?? ''] });
      await assert.rejects(creating, { code: 'TEACHER_DENIED' });
    }
  });

  it('an unlisted model may answer as much as was configured', async () => {
    const wanted = { model: 'gpt-5-mini-2025-08-07', contextTokens: 400_000, maxOutputTokens: 16_384 } as const;
    const sent: unknown[] = [];
    const server = createServer((request, response) => {
      const body: Buffer[] = [];
      request.on('data', (chunk: Buffer) => body.push(chunk));
      request.on('end', () => {
        sent.push(JSON.parse(Buffer.concat(body).toString('utf8')).max_completion_tokens);
        response.writeHead(503).end();
      });
    });
    await new Promise<void>(resolve => server.unref().listen(0, '127.0.0.1', resolve));
    const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const config = { ...llm, ...wanted, kind: 'openai', baseUrl, price: { input: 1, output: 2 } } as const;
    const teacher = await createTeacher({ config, egressAllow: ['127.0.0.1'] });
    const [request] = teacher.plan(gated(TEXT), 'medication');
    assert.ok(request);
    await assert.rejects(teacher.ask(request, new AbortController().signal), { code: 'TEACHER_FAILED' });
    server.close();
    server.closeAllConnections();
    assert.deepEqual([request.atMost.outputTokens, sent], [16_384, [16_384]]);
  });

  it('refuses more output than the model gives, instead of lowering it', async () => {
    const price = { input: 1, output: 2 };
    for (const [wanted, message] of [
      [{ model: 'gpt-4o-2024-08-06', maxOutputTokens: 16_385 }, /16385 is more than 16384, all that gpt-4o-2024-08-06/],
      [
        { model: 'own', price, maxOutputTokens: 2_049 },
        /2049 is more than 2048, a quarter of its contextTokens \(8192\)/,
      ],
      [{ model: 'own', price, contextTokens: 40_000, maxOutputTokens: 10_001 }, /10001 is more than 10000, a quarter/],
    ] as const) {
      const config = { ...llm, kind: 'openai', ...wanted } as const;
      const egressAllow = ['api.openai.com'];
      await assert.rejects(createTeacher({ config, egressAllow }), { name: 'RangeError', message });
      const less = { ...config, maxOutputTokens: wanted.maxOutputTokens - 1 };
      const [request] = (await createTeacher({ config: less, egressAllow })).plan(gated(TEXT), 'medication');
      assert.equal(request?.atMost.outputTokens, less.maxOutputTokens);
    }
  });

  it('a task that a teacher does not know is refused at once', async () => {
    for (const kind of ['bioportal', 'dictionary'] as const) {
      const config = { ...llm, kind, tasks: ['dosage'] };
      await assert.rejects(createTeacher({ config, egressAllow: ['data.bioontology.org'] }), RangeError);
    }
  });

  it('each finds the medication of a note', async () => {
    const emulator = await tidied(bioportalEmulator({ apiKey: KEY }));
    const { teacher, emulator: openai } = await stageOf('openai');
    const bioportal = { ...llm, kind: 'bioportal', baseUrl: `${emulator.url}/` } as const;
    const teachers = [
      teacher,
      await createTeacher({ config: bioportal, egressAllow: ['127.0.0.1'] }),
      await createTeacher({ config: { name: 'd', kind: 'dictionary' }, egressAllow: [] }),
    ];
    for (const one of teachers) {
      const [request] = one.plan(gated(TEXT), 'medication');
      assert.ok(request);
      const { quotes } = await one.ask(request, new AbortController().signal);
      assert.ok(
        quotes.some(({ text }) => text === 'lisinopril'),
        one.provider,
      );
    }
    await emulator.stop();
    await openai.stop();
  });
});
