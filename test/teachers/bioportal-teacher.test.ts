/** If these fail, notes go where they may not, keys show up in addresses, offsets shift, or the breaker is told the wrong thing. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { ground } from '../../src/escalation/ground.ts';
import { type BioportalOptions, BioportalTeacher } from '../../src/teachers/bioportal-teacher.ts';
import type { Reply, TeacherRequest } from '../../src/teachers/teacher.ts';
import { TeacherError } from '../../src/teachers/teacher-error.ts';
import { gate } from '../../src/text/privacy-gate.ts';
import { BioportalEmulator } from '../emulators/bioportal.ts';
import type { BioportalFault } from '../emulators/bioportal-faults.ts';
import { noteOf } from './note-of.ts';

const KEY = 'secret-key-of-the-test';
const NOTE = 'Ménière 😀 ß: history of pneumonia,\r\nPNEUMONIA again; took aspirin for headaches. naïve\u2014患 fever';
const NOW = Date.UTC(2026, 0, 1);

let emulator: BioportalEmulator;
before(async () => {
  emulator = await BioportalEmulator.start({ apiKey: KEY });
});
after(() => emulator.stop());
beforeEach(() => {
  emulator.fault = null;
  emulator.seen.length = 0;
});

const teacherOf = (options: Partial<BioportalOptions> = {}): BioportalTeacher =>
  new BioportalTeacher({
    apiKey: KEY,
    egressAllow: [emulator.host],
    baseUrl: emulator.url,
    now: () => NOW,
    ...options,
  });
const requestOf = (teacher: BioportalTeacher, task: string, text = NOTE): TeacherRequest => {
  const [request] = teacher.plan(gate(noteOf(text)), task);
  assert.ok(request !== undefined);
  return request;
};
const ask = (task: string, teacher = teacherOf(), signal = new AbortController().signal): Promise<Reply> =>
  teacher.ask(requestOf(teacher, task), signal);

describe('BioPortal teacher, against a wire-true emulator', () => {
  it('gives places that grounding verifies to the last code point, with codes', async () => {
    for (const [task, wanted] of [
      ['disease', ['pneumonia', 'PNEUMONIA']],
      ['medication', ['aspirin']],
      ['symptom', ['headaches', 'fever']],
    ] as const) {
      const { quotes, usage } = await ask(task);
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
    const [quote] = (await ask('disease')).quotes;
    assert.equal(quote?.codes?.[0]?.system, 'SNOMEDCT');
  });

  it('does not depend on the unit that the service counts in', async () => {
    for (const unit of ['code-point', 'utf-16', 'byte'] as const) {
      const other = await BioportalEmulator.start({ apiKey: KEY, unit });
      try {
        const teacher = teacherOf({ egressAllow: ['127.0.0.1'], baseUrl: other.url });
        assert.deepEqual((await ask('disease', teacher)).quotes, (await ask('disease')).quotes, unit);
      } finally {
        await other.stop();
      }
    }
  });

  it('asks once, by POST, with the key in the header only', async () => {
    await ask('symptom');
    assert.equal(emulator.seen.length, 1);
    const [{ url, form }] = emulator.seen as [(typeof emulator.seen)[0]];
    assert.equal(url, '/annotator');
    assert.ok(![...form.values()].some(value => value.includes(KEY)));
    assert.equal(form.get('ontologies'), 'SNOMEDCT');
    assert.equal(form.get('semantic_types'), 'T033,T184');
    assert.equal(form.get('longest_only'), 'true');
    assert.equal(form.get('text')?.length, [...NOTE].length, 'one character for each code point');
  });

  it('plans sections that cover the note, and none for nothing', () => {
    const teacher = teacherOf();
    assert.deepEqual(teacher.plan(gate(noteOf('')), 'disease'), []);
    assert.deepEqual(teacher.plan(gate(noteOf(' \r\n 😀')), 'disease'), []);
    assert.throws(() => teacher.plan(gate(noteOf('x')), 'dosage'), RangeError);
    const long = Array.from({ length: 3_000 }, (_, i) => `fever and 😀 chills ${i}; `).join('');
    const requests = teacher.plan(gate(noteOf(long)), 'symptom');
    assert.ok(requests.length > 2);
    const points = [...long];
    requests.forEach(({ section, text }, i) => {
      assert.equal(text, points.slice(section.start, section.end).join(''));
      if (i > 0) assert.ok(section.start < (requests[i - 1] as TeacherRequest).section.end, 'neighbours overlap');
    });
    assert.equal(requests[0]?.section.start, 0);
    assert.equal(requests.at(-1)?.section.end, points.length);
    assert.equal(new Set(requests.map(request => request.key.textSha256)).size, requests.length);
    assert.equal(emulator.seen.length, 0, 'planning sends nothing');
  });

  const faults: readonly (readonly [string, BioportalFault, string, Partial<TeacherError>])[] = [
    [
      '429 with seconds',
      { kind: 'status', status: 429, headers: { 'retry-after': '7' } },
      'TEACHER_BUSY',
      { retryAfterMs: 7_000, fault: 'busy' },
    ],
    [
      '429 with a date',
      { kind: 'status', status: 429, headers: { 'retry-after': new Date(NOW + 5_000).toUTCString() } },
      'TEACHER_BUSY',
      { retryAfterMs: 5_000 },
    ],
    ['429 without', { kind: 'status', status: 429 }, 'TEACHER_BUSY', { retryAfterMs: undefined as never }],
    ['500', { kind: 'status', status: 500 }, 'TEACHER_FAILED', { fault: 'provider', retryable: true }],
    ['503', { kind: 'status', status: 503 }, 'TEACHER_FAILED', { fault: 'provider' }],
    ['403', { kind: 'status', status: 403 }, 'TEACHER_DENIED', { fault: 'setup', retryable: false }],
    ['404', { kind: 'status', status: 404 }, 'MODEL_UNKNOWN', { fault: 'setup' }],
    ['413', { kind: 'status', status: 413 }, 'REQUEST_REJECTED', { fault: 'reply' }],
    [
      'a redirect',
      { kind: 'status', status: 302, headers: { location: 'http://127.0.0.1:9/' } },
      'EGRESS_DENIED',
      { fault: 'setup' },
    ],
    ['half an answer', { kind: 'cut' }, 'TEACHER_HUNG_UP', { fault: 'provider' }],
    ['a closed connection', { kind: 'reset' }, 'TEACHER_HUNG_UP', { fault: 'provider' }],
    ['no JSON', { kind: 'body', body: 'history of pneumonia' }, 'REPLY_NOT_JSON', { fault: 'reply' }],
    ['another schema', { kind: 'body', body: '{"errors":["pneumonia"]}' }, 'REPLY_WRONG_SCHEMA', { fault: 'reply' }],
    ['shifted offsets', { kind: 'shifted', by: 3 }, 'REPLY_WRONG_SCHEMA', { fault: 'reply' }],
    ['offsets outside', { kind: 'shifted', by: 1_000_000 }, 'REPLY_WRONG_SCHEMA', { fault: 'reply' }],
  ];
  for (const [name, fault, code, properties] of faults) {
    it(`${name}: ${code}, asked once, and not a word of the note`, async () => {
      emulator.fault = fault;
      const error = await ask('disease').then(
        () => undefined,
        (cause: unknown) => cause,
      );
      assert.ok(error instanceof TeacherError, String(error));
      assert.equal(error.code, code);
      for (const [key, value] of Object.entries(properties)) assert.equal(error[key as keyof TeacherError], value, key);
      assert.equal(emulator.seen.length, 1);
      assert.doesNotMatch(everythingOf(error), /pneumonia|secret-key/i);
    });
  }

  it('drops only what the text does not confirm', async () => {
    const [quote] = (await ask('medication')).quotes;
    const place = (from: number, to: number, text: string) => ({ from, to, text, matchType: 'PREF' });
    const at = quote?.at as { start: number; end: number };
    emulator.fault = {
      kind: 'body',
      body: JSON.stringify([
        {
          annotatedClass: {
            '@id': 'http://purl.bioontology.org/ontology/RXNORM/1191',
            links: { ontology: 'https://x/ontologies/RXNORM' },
          },
          annotations: [
            place(at.start + 1, at.end, 'ASPIRIN'),
            place(1, 7, 'ASPIRIN'),
            place(0, 0, ''),
            place(9, 5, ''),
          ],
        },
      ]),
    };
    assert.deepEqual((await ask('medication')).quotes, [
      { text: 'aspirin', at, codes: [{ system: 'RXNORM', code: '1191', display: '1191' }] },
    ]);
  });

  it('takes nothing found for an answer', async () => {
    emulator.fault = { kind: 'body', body: '[]' };
    assert.deepEqual((await ask('disease')).quotes, []);
  });

  for (const fault of [{ kind: 'hang' }, { kind: 'crawl', everyMs: 5 }] as const) {
    it(`closes the connection when the signal aborts: ${fault.kind}`, async () => {
      const own = await BioportalEmulator.start({ apiKey: KEY });
      own.fault = fault;
      const teacher = teacherOf({ egressAllow: ['127.0.0.1'], baseUrl: own.url });
      const giveUp = new AbortController();
      const answer = ask('disease', teacher, giveUp.signal);
      await own.asked();
      giveUp.abort();
      await assert.rejects(answer, { code: 'TEACHER_TIMEOUT', fault: 'provider' });
      await own.abandoned();
      await own.stop();
    });
  }

  it('says that nobody is there', async () => {
    const server = createServer();
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise(resolve => server.close(resolve));
    const teacher = teacherOf({ egressAllow: ['127.0.0.1'], baseUrl: `http://127.0.0.1:${port}` });
    await assert.rejects(ask('disease', teacher), { code: 'TEACHER_UNREACHABLE', fault: 'provider' });
  });

  it('is refused a wrong key', async () => {
    await assert.rejects(ask('disease', teacherOf({ apiKey: 'wrong' })), { code: 'TEACHER_DENIED' });
  });

  it('sends nothing to a host that is not allowed', async () => {
    const denied = { code: 'EGRESS_DENIED' };
    assert.throws(() => teacherOf({ egressAllow: [] }), denied);
    assert.throws(() => teacherOf({ egressAllow: ['data.bioontology.org'] }), denied);
    assert.throws(
      () => teacherOf({ egressAllow: ['example.org'], baseUrl: 'http://example.org' }),
      denied,
      'plain HTTP',
    );
    assert.throws(() => teacherOf({ apiKey: ' ' }), { code: 'TEACHER_DENIED' });
    const allow = [emulator.host];
    const teacher = teacherOf({ egressAllow: allow });
    allow.length = 0;
    await assert.rejects(ask('disease', teacher), denied, 'asked again before each request');
    assert.equal(emulator.seen.length, 0);
    assert.equal(
      new BioportalTeacher({ apiKey: KEY, egressAllow: ['data.bioontology.org'] }).host,
      'data.bioontology.org',
    );
  });
});

/** Message, details, stack and the whole chain of causes. */
function everythingOf(error: Error): string {
  const cause = error.cause instanceof Error ? everythingOf(error.cause) : '';
  return `${error.message} ${error.stack} ${JSON.stringify(error)} ${cause}`;
}
