/** If this fails, the way from teachers to the best of their subsets breaks somewhere between its commands. Its teachers are emulated. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { geminiEmulator } from '../emulators/gemini.ts';
import { Gold } from '../emulators/gold.ts';
import { openAiEmulator } from '../emulators/openai.ts';
import { clinstream } from '../support/cli.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { KEY, MODELS, tidied } from '../teachers/support.ts';

const folder = temporaryFolder('distill-way');
const FINDINGS = ['headache', 'nausea', 'dizziness', 'wheezing', 'chills', 'palpitations', 'fatigue', 'itching'];
const DRUGS = ['aspirin', 'metformin', 'lisinopril', 'colchicine'];
const notes = Array.from({ length: 24 }, (_, i) => {
  const symptom = [0, 3, 5].map(step => FINDINGS[(i + step) % FINDINGS.length] as string);
  const medication = [DRUGS[i % DRUGS.length] as string];
  return {
    id: `n${i}`,
    text: `Visit ${i}. Reports ${symptom.join(', ')}. Takes ${medication[0]} daily.`,
    symptom,
    medication,
  };
});
const gold = notes.map(({ id, text, symptom, medication }) => {
  const marked = (type: string) => (quote: string) => {
    const start = text.indexOf(quote);
    return { start, end: start + quote.length, type };
  };
  return { id, split: 'dev', text, entities: [...symptom.map(marked('Finding')), ...medication.map(marked('Drug'))] };
});
mkdirSync(join(folder, 'gold'));
writeFileSync(join(folder, 'gold/made.jsonl'), gold.map(row => `${JSON.stringify(row)}\n`).join(''));

describe('from teachers to the best of their subsets (simulated)', { timeout: 120_000 }, () => {
  it('annotates with three, and finds that two who miss different things are best together', async () => {
    const known = notes.map(({ text, symptom, medication }) => ({ text, quotes: { symptom, medication } }));
    const common = { apiKey: KEY, models: MODELS };
    const [first, second] = await Promise.all([
      tidied(openAiEmulator({ ...common, gold: new Gold(known, { drop: 0.4, seed: 1 }) })),
      tidied(geminiEmulator({ ...common, gold: new Gold(known, { drop: 0.4, seed: 2 }) })),
    ]);
    const keyFrom = 'SIMULATED_KEY';
    const env = {
      CLINSTREAM_ESCALATION_TEACHERS: JSON.stringify([
        { name: 'mini', kind: 'openai', model: 'gpt-4o-mini-2024-07-18', baseUrl: `${first.url}/v1`, keyFrom },
        { name: 'flash', kind: 'gemini', model: 'gemini-1.5-flash-002', baseUrl: second.url, keyFrom },
      ]),
      CLINSTREAM_EGRESS_ALLOW: '127.0.0.1',
      [keyFrom]: KEY,
    };
    const run = async (...args: string[]) => {
      const corpus = ['--corpus', folder, '--file', 'gold/made.jsonl'];
      const { code, stdout, stderr } = await clinstream(['distill', ...args, ...corpus], { env, cwd: folder });
      assert.equal(code, 0, stderr);
      return stdout;
    };
    const to = ['--out', 'labels', '--quiet', '--teacher'];
    const paid = ['--max-usd', '2', '--deidentified', 'made up'];
    await run('annotate', ...paid, ...to, 'mini', 'flash', '--task', 'symptom', 'medication');
    await run('annotate', ...to, 'dictionary', '--task', 'medication');
    const usdOf = (name: string): number =>
      JSON.parse(readFileSync(join(folder, `labels/${name}.run.json`), 'utf8')).usdInAll / notes.length;
    const annotators = ['mini', 'flash', 'dictionary'].flatMap(name => [
      ...['--annotator', `${name}=labels/${name}.jsonl`],
      ...['--cost', `${name}=${usdOf(name)}`],
    ]);
    const page = await run('select', ...annotators, '--task', 'symptom=Finding', '--task', 'medication=Drug');
    const [, symptom = '', medication = ''] = page.split(/^## /m);
    assert.match(symptom, /^\| 1 \| [^|]*mini \+ flash[^|]* \| union \|/m);
    assert.match(symptom, /Left out: dictionary, which marks none\.\nBest: .*, beyond chance\.$/m);
    // the dictionary knows all four drugs, and costs nothing
    assert.match(medication, /Chosen: dictionary, alone/);
    assert.ok(usdOf('mini') > 0 && usdOf('flash') > 0 && usdOf('dictionary') === 0);
  });
});
