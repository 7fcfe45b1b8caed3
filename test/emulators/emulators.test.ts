/** If this fails, the emulated providers are kinder or less steady than the real ones, and what is shown with them means nothing. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it, type TestContext } from 'node:test';
import { createTeacher } from '../../src/teachers/create-teacher.ts';
import { frame } from '../../src/teachers/frame.ts';
import { instructionsFor } from '../../src/teachers/prompts.ts';
import { REPLY_SCHEMA } from '../../src/teachers/reply.ts';
import { GOLD, gated, KEY, MODELS, stageOf, TEXT, tidied } from '../teachers/support.ts';
import { FAULTS, Faults } from './faults.ts';
import { Gold, INVENTED, readGold } from './gold.ts';
import { openAiEmulator } from './openai.ts';

const DEMO = join(import.meta.dirname, '../data/demo');

const good = {
  model: 'gpt-4o-2024-08-06',
  store: false,
  messages: [
    { role: 'system', content: instructionsFor('disease') },
    { role: 'user', content: frame(TEXT) },
  ],
  max_tokens: 100,
  response_format: { type: 'json_schema', json_schema: { name: 'mentions', strict: true, schema: REPLY_SCHEMA } },
};

async function post(url: string, body: object, key = KEY) {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body: JSON.stringify(body) });
  const json = (await response.json()) as { error?: { code?: string; param?: string } };
  return { status: response.status, ...json.error };
}

describe('the emulated OpenAI refuses what the real one does, and what would cost privacy', () => {
  const asUser = { messages: [{ ...good.messages[0], role: 'user' }, good.messages[1]] };
  const o1 = { ...good, ...asUser, model: 'o1-mini-2024-09-12', max_tokens: undefined, response_format: undefined };
  const wrong: readonly (readonly [what: string, body: object, status: number, code?: string])[] = [
    ['a request as it should be', good, 200],
    ['a request to o1-mini as it should be', { ...o1, max_completion_tokens: 100 }, 200],
    ['store not false', { ...good, store: true }, 400],
    ['store left out', { ...good, store: undefined }, 400],
    ['no schema', { ...good, response_format: undefined }, 400],
    ['a schema that is not strict', { ...good, response_format: { type: 'json_object' } }, 400],
    ['an unknown parameter', { ...good, top_k: 3 }, 400],
    ['another model', { ...good, model: 'gpt-9' }, 404, 'model_not_found'],
    ['max_tokens for o1-mini', { ...o1, max_tokens: 100 }, 400, 'unsupported_parameter'],
    ['temperature for o1-mini', { ...o1, temperature: 0.01 }, 400, 'unsupported_parameter'],
    ['a system message for o1-mini', { ...o1, messages: good.messages }, 400, 'unsupported_value'],
    ['a schema for o1-mini', { ...o1, response_format: good.response_format }, 400],
    ['max_tokens for gpt-5-mini', { ...good, model: 'gpt-5-mini' }, 400, 'unsupported_parameter'],
    [
      'a note that is not in its frame',
      { ...good, messages: [good.messages[0], { role: 'user', content: TEXT }] },
      400,
    ],
    [
      'a frame with another tag',
      { ...good, messages: [good.messages[0], { role: 'user', content: frame(TEXT).replace(TEXT, 'x') }] },
      400,
    ],
  ];

  for (const [what, body, status, code] of wrong) {
    it(`${what}: ${status}`, async () => {
      const emulator = await tidied(openAiEmulator({ gold: new Gold(GOLD), apiKey: KEY, models: MODELS }));
      const got = await post(emulator.url, body);
      assert.equal(got.status, status);
      if (code !== undefined) assert.equal(got.code, code);
      assert.equal(emulator.asked.all.length, status === 200 ? 1 : 0);
      await emulator.stop();
    });
  }

  it('a wrong key: 401', async () => {
    const emulator = await tidied(openAiEmulator({ gold: new Gold(GOLD), apiKey: KEY, models: MODELS }));
    assert.equal((await post(emulator.url, good, 'other')).code, 'invalid_api_key');
    await emulator.stop();
  });
});

describe('gold and noise', () => {
  const demo = readGold({ notes: join(DEMO, 'notes.jsonl'), labels: join(DEMO, 'labels.jsonl') });

  it('the demo has labels for 140 of its 264 notes, every quote in its note', () => {
    assert.equal(demo.length, 264);
    const labelled = demo.filter(({ quotes }) => Object.keys(quotes).length > 0);
    assert.equal(labelled.length, 140);
    for (const { text, quotes } of labelled) {
      for (const quote of Object.values(quotes).flat()) assert.ok(text.includes(quote));
    }
  });

  it('a section gets the mentions inside it, in order', () => {
    const gold = new Gold(GOLD);
    assert.deepEqual(gold.quotes(TEXT, 'medication'), ['lisinopril', 'ASA']);
    assert.deepEqual(gold.quotes(TEXT.slice(20), 'medication'), ['ASA']);
    assert.deepEqual(gold.quotes('another note with gout', 'disease'), []);
  });

  it('noise keeps its rates, and is the same in every run and order', () => {
    const all = (gold: Gold) => demo.map(({ text }) => gold.quotes(text, 'symptom'));
    const truth = all(new Gold(demo)).flat().length;
    const noise = { drop: 0.2, invent: 0.1, seed: 7 };
    const noisy = all(new Gold(demo, noise));
    assert.deepEqual(
      noisy.toReversed(),
      demo.toReversed().map(({ text }) => new Gold(demo, noise).quotes(text, 'symptom')),
    );
    const invented = noisy.flat().filter(quote => quote.startsWith(INVENTED)).length;
    const kept = noisy.flat().length - invented;
    assert.ok(Math.abs(kept / truth - 0.8) < 0.04, `kept ${kept} of ${truth}`);
    assert.ok(Math.abs(invented / truth - 0.1) < 0.04, `invented ${invented} for ${truth}`);
    assert.notDeepEqual(all(new Gold(demo, { ...noise, seed: 8 })), noisy);
  });
});

describe('faults', () => {
  it('come by schedule, then by seeded rates', () => {
    const faults = new Faults({ schedule: ['hang', 'none'], rates: { cut: 0.25, 'error-500': 0.25 }, seed: 3 });
    assert.deepEqual([faults.next(), faults.next()], ['hang', 'none']);
    const drawn = Array.from({ length: 2000 }, () => faults.next());
    for (const fault of ['cut', 'error-500'] as const) {
      const share = drawn.filter(one => one === fault).length / drawn.length;
      assert.ok(Math.abs(share - 0.25) < 0.04, `${fault} ${share}`);
    }
    faults.set({ rates: { cut: 0.25, 'error-500': 0.25 }, seed: 3 });
    assert.deepEqual(
      Array.from({ length: 2000 }, () => faults.next()),
      drawn,
    );
    assert.throws(() => faults.set({ schedule: ['explode' as 'none'] }), RangeError);
    assert.throws(() => faults.set({ about: { x: ['explode' as 'none'] } }), RangeError);
    faults.set({ about: { 'Note 1': ['cut', 'slam'] }, schedule: ['hang'] });
    const texts = ['in Note 1', 'another', 'in Note 1', 'in Note 1', 'another'];
    assert.deepEqual(
      texts.map(text => faults.next(text)),
      ['cut', 'hang', 'slam', 'none', 'none'],
    );
    assert.equal(new Set(FAULTS).size, FAULTS.length);
  });

  it('change while the server runs, and what it saw can be asked', async () => {
    const { emulator, teacher } = await stageOf('gemini');
    const [request] = teacher.plan(gated(TEXT), 'disease');
    assert.ok(request);
    const signal = new AbortController().signal;
    const plan = (body: string) => fetch(`${emulator.url}/__faults`, { method: 'POST', body });
    assert.equal((await plan('{"schedule": ["error-500"]}')).status, 200);
    await assert.rejects(teacher.ask(request, signal));
    assert.equal((await plan('{"schedule": ["explode"]}')).status, 400);
    await teacher.ask(request, signal);
    await teacher.ask(request, signal);
    const seen = await (await fetch(`${emulator.url}/__asked`)).json();
    assert.deepEqual(seen, { simulated: true, ...emulator.asked.summary() });
    assert.equal(emulator.asked.summary().requests, 3);
    assert.equal(emulator.asked.summary().billedTwice, 1);
    await emulator.stop();
  });
});

describe('the program of emulators', () => {
  const start = async (t: TestContext) => {
    const files = ['--notes', join(DEMO, 'notes.jsonl'), '--labels', join(DEMO, 'labels.jsonl')];
    const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), ...files, '--openai-key', KEY]);
    t.after(() => child.kill('SIGKILL'));
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    return { child, said: JSON.parse(line) as Record<string, string>, line };
  };

  it('says where it listens, answers, and goes when its input ends', async t => {
    const { child, said, line } = await start(t);
    assert.ok(line.includes('"simulated":true') && !line.includes(KEY));
    const config = {
      name: 'first',
      kind: 'openai',
      model: 'gpt-4o-mini-2024-07-18',
      baseUrl: said.openaiUrl ?? '',
      apiKey: KEY,
    } as const;
    const teacher = await createTeacher({ config, egressAllow: ['127.0.0.1'] });
    const notes = readGold({ notes: join(DEMO, 'notes.jsonl'), labels: join(DEMO, 'labels.jsonl') });
    const note = notes.find(({ quotes }) => (quotes.medication?.length ?? 0) > 2);
    assert.ok(note);
    const [request] = teacher.plan(gated(note.text), 'medication');
    assert.ok(request);
    const { quotes } = await teacher.ask(request, new AbortController().signal);
    assert.deepEqual(
      quotes.map(({ text }) => text),
      note.quotes.medication,
    );
    const bioportal = {
      name: 'second',
      kind: 'bioportal',
      baseUrl: said.bioportalUrl ?? '',
      apiKey: 'simulated',
    } as const;
    const second = await createTeacher({ config: bioportal, egressAllow: ['127.0.0.1'] });
    const [asked] = second.plan(gated(note.text), 'medication');
    assert.ok(asked);
    const answer = await second.ask(asked, new AbortController().signal);
    assert.ok(answer.quotes.length > 0 && answer.quotes.every(({ text }) => note.text.includes(text)));
    assert.deepEqual(await (await fetch(`${said.bioportalControl}/__asked`)).json(), {
      simulated: true,
      requests: 1,
      inputTokens: 0,
      outputTokens: 0,
      closedEarly: 0,
      billedTwice: 0,
    });
    child.stdin.end();
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  });

  it('goes on SIGTERM', async t => {
    const { child } = await start(t);
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  });
});
