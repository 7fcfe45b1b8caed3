/** If this fails, the table of clinstream beside language models can no longer be made, or shows as measured what is not. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readRows } from '../../src/distill/corpus.ts';
import { Gold } from '../emulators/gold.ts';
import { openAiEmulator } from '../emulators/openai.ts';
import { clinstream } from '../support/cli.ts';
import { ROOT } from '../support/model.ts';
import { temporaryFolder } from '../support/temporary.ts';

const RESULTS = join(ROOT, 'benchmarks/results');
const documents = readRows(join(ROOT, 'test/data/quality/teacher-dev.jsonl'), 'dev').slice(0, 3);

/** The cells of the row of that name. */
function row(stdout: string, name: string): string[] {
  const line = stdout.split('\n').find(each => each.startsWith(`| ${name} `));
  assert.ok(line !== undefined, `${name} is missing in ${stdout}`);
  return line
    .split('|')
    .slice(1, -1)
    .map(cell => cell.trim());
}

describe('bench llm', { timeout: 120_000 }, () => {
  it('labels what is simulated and what is published, compares the former with nothing, and writes nothing unasked', async () => {
    const before = readdirSync(RESULTS);
    const args = ['bench', 'llm', '--simulated', '--rounds', '1', '--times', '2', '--notes', '3'];
    const { code, stdout, stderr } = await clinstream(args);
    assert.equal(code, 0, stderr);
    const [, figures, perNote, perSecond, , usd, ...rest] = row(stdout, 'clinstream');
    assert.equal(figures, 'measured');
    assert.ok(Number(perNote) > 0 && Number(perSecond) > 0 && usd?.startsWith('$'));
    assert.deepEqual(rest.slice(0, 3), ['', '', ''], 'it is not compared with itself');
    for (const score of rest.slice(3)) assert.match(score, /^(1|\.\d{3})/);
    assert.equal(rest.length, 6, 'F1 of the three tasks');
    const [, simulated, seconds, , , , ...none] = row(stdout, 'simulated-gpt-4o-mini');
    assert.equal(simulated, 'simulated');
    assert.match(seconds ?? '', /^\([\d.]+\)$/);
    assert.deepEqual(none, ['', '', '', '', '', '']);
    assert.deepEqual(row(stdout, 'GPT-4o').slice(1, 6), ['published', '1.66', '0.602', '1.66', '$0.0159']);
    assert.match(stdout, /Simulated: an emulator on this machine/);
    assert.deepEqual(readdirSync(RESULTS), before);
    for (const { text } of documents) {
      for (const line of text.split('\n').filter(each => each.length > 30))
        assert.ok(!stdout.includes(line) && !stderr.includes(line), 'no text of a note is said');
    }
  });

  it('asks a server of one’s own live, on notes of one’s own, and keeps the audit trail', async () => {
    const cwd = temporaryFolder('bench-llm');
    const quotes = ({ text, entities }: (typeof documents)[number], task: string): string[] =>
      entities.filter(each => each.type === task).map(({ start, end }) => Array.from(text).slice(start, end).join(''));
    const gold = documents.map(document => ({
      text: document.text,
      quotes: Object.fromEntries(['medication', 'disease', 'symptom'].map(task => [task, quotes(document, task)])),
    }));
    const emulator = await openAiEmulator({ gold: new Gold(gold, { drop: 0.5 }), apiKey: null, models: ['local'] });
    try {
      const teacher = { name: 'mine', kind: 'openai', model: 'local', baseUrl: `${emulator.url}/v1` };
      writeFileSync(
        join(cwd, 'clinstream.config.json'),
        JSON.stringify({
          escalation: { teachers: [{ ...teacher, price: { input: 0, output: 0 } }] },
          egress: { allow: ['127.0.0.1'] },
        }),
      );
      writeFileSync(
        join(cwd, 'gold.jsonl'),
        documents.map(each => `${JSON.stringify({ ...each, split: 'test' })}\n`).join(''),
      );
      const args = ['bench', 'llm', '--teacher', 'mine', '--rounds', '1', '--times', '1', '--gold', 'gold.jsonl'];
      const refused = await clinstream(args, { cwd });
      assert.equal(refused.code, 2);
      assert.match(refused.stderr, /--deidentified/);
      const { code, stdout, stderr } = await clinstream([...args, '--deidentified', 'by hand'], { cwd });
      assert.equal(code, 0, stderr);
      const [, figures, , , , usd, slower, , dearer, medication] = row(stdout, 'mine');
      assert.equal(figures, 'measured');
      assert.match(slower ?? '', /×$/);
      assert.match(usd ?? '', /^\$0\.0/, 'a model on this machine costs what the machine does');
      assert.match(dearer ?? '', /×$/);
      assert.match(medication ?? '', /clinstream on the same 3/);
      assert.match(stdout, /Asked live/);
      const [state] = readdirSync(join(cwd, '.clinstream/bench-llm'));
      const audit = readFileSync(join(cwd, '.clinstream/bench-llm', state ?? '', 'audit.jsonl'), 'utf8');
      assert.ok(audit.trim().split('\n').length >= 9, 'three tasks of three notes');
    } finally {
      await emulator.stop();
    }
  });
});
