/** If this fails, the same question gets another key and is paid for again, or a budget is asked for less than will be spent. */
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { sha256 } from '../../src/teachers/frame.ts';
import { CodePointIndex } from '../../src/text/code-points.ts';
import { gated, stageOf, TEXT } from './support.ts';

const LONG = 'Takes lisinopril 💊 daily.\r\nDenies chest pain.\n'.repeat(900);

describe('planning', () => {
  it('sends nothing, and says the same every time', async () => {
    const { teacher, emulator, config, egressAllow } = await stageOf('openai');
    const { createTeacher } = await import('../../src/teachers/create-teacher.ts');
    const again = await createTeacher({ config, egressAllow });
    assert.deepEqual(teacher.plan(gated(LONG), 'symptom'), teacher.plan(gated(LONG), 'symptom'));
    assert.deepEqual(teacher.plan(gated(LONG), 'symptom'), again.plan(gated(LONG), 'symptom'));
    assert.equal(emulator.asked.all.length, 0);
    await emulator.stop();
  });

  it('cuts a long note into sections whose text and hash are those of the code points', async () => {
    const { teacher, emulator } = await stageOf('gemini');
    const index = new CodePointIndex(LONG);
    const requests = teacher.plan(gated(LONG), 'disease');
    assert.ok(requests.length > 3);
    assert.equal(requests.at(-1)?.section.end, index.length);
    for (const { section, text, key } of requests) {
      assert.equal(text, index.slice(section.start, section.end));
      assert.equal(key.textSha256, sha256(text));
      assert.ok(section.end - section.start <= 12_000);
    }
    await emulator.stop();
  });

  it('needs no request for an empty or blank note', async () => {
    const { teacher, emulator } = await stageOf('openai');
    assert.deepEqual(teacher.plan(gated(''), 'disease'), []);
    assert.deepEqual(teacher.plan(gated(' \r\n\t'), 'disease'), []);
    await emulator.stop();
  });

  it('never promises less than is used, for scripts that cost a token a byte too', async () => {
    const { teacher, emulator } = await stageOf('openai');
    for (const text of [TEXT, '患者は頭痛を訴える。', '💊'.repeat(500)]) {
      const [request] = teacher.plan(gated(text), 'symptom');
      assert.ok(request);
      assert.ok(request.atMost.inputTokens > Buffer.byteLength(text));
      assert.equal(request.atMost.outputTokens, 4096);
      const usd = (request.atMost.inputTokens * 0.15 + 4096 * 0.6) / 1e6;
      assert.ok(Math.abs(request.atMost.usd - usd) < 1e-12);
    }
    await emulator.stop();
  });

  it('asks smaller sections of a model that holds less', async () => {
    const { teacher, emulator } = await stageOf('openai', {
      config: { model: 'small', price: { input: 0, output: 0 }, contextTokens: 4096 },
    });
    const requests = teacher.plan(gated(LONG), 'symptom');
    assert.ok(requests.every(({ section }) => section.end - section.start <= 1024));
    assert.ok(requests.every(({ atMost }) => atMost.outputTokens === 1024));
    await emulator.stop();
  });

  for (const provider of ['openai', 'gemini'] as const) {
    it(`a signal that lives long does not gather listeners of ${provider}`, async () => {
      const { teacher, emulator } = await stageOf(provider);
      const { signal } = new AbortController();
      const [request] = teacher.plan(gated(TEXT), 'symptom');
      assert.ok(request);
      for (let i = 0; i < 3; i++) await teacher.ask(request, signal);
      assert.equal(getEventListeners(signal, 'abort').length, 0);
      await emulator.stop();
    });
  }
});
