/** If this fails, prompts would be compared by each other's answers, or a comparison would cost more than was allowed. Its teacher is emulated. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { distillPrompts, type PromptsFlags } from '../../src/commands/distill-prompts.ts';
import { loadConfig } from '../../src/config.ts';
import type { FaultPlan } from '../emulators/faults.ts';
import { Gold } from '../emulators/gold.ts';
import { openAiEmulator } from '../emulators/openai.ts';
import { clinstream } from '../support/cli.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { CANARY, KEY, MODELS, tidied } from '../teachers/support.ts';

const folder = temporaryFolder('prompts');
const FINDINGS = ['headache', 'nausea', 'dizziness', 'wheezing', 'chills', 'palpitations', 'fatigue', 'itching'];
const notes = Array.from({ length: 20 }, (_, i) => {
  const symptom = [0, 3, 5].map(step => FINDINGS[(i + step) % FINDINGS.length] as string);
  return { id: `n${i}`, text: `Visit ${i}. Reports ${symptom.join(', ')}. ${CANARY}.`, symptom };
});
mkdirSync(join(folder, 'gold'));
writeFileSync(
  join(folder, 'gold/made.jsonl'),
  notes
    .map(({ id, text, symptom }) => {
      const entities = symptom.map(quote => {
        const start = text.indexOf(quote);
        return { start, end: start + quote.length, type: 'Finding' };
      });
      return `${JSON.stringify({ id, split: 'dev', text, entities })}\n`;
    })
    .join(''),
);
const SHORT = 'Mark complaints and signs.\n';
const LONG = 'Mark every complaint and sign.\n\n# task: symptom\nBe thorough: read the note twice.\n';
writeFileSync(join(folder, 'short.md'), SHORT);
writeFileSync(join(folder, 'long.md'), LONG);

let outs = 0;

/** An emulated model that misses a lot, unless it is told to be thorough or reads the built-in prompt. */
async function stage(faults: FaultPlan = {}) {
  const known = notes.map(({ text, symptom }) => ({ text, quotes: { symptom } }));
  const gold = (instructions: string) =>
    /Be thorough|How far a mention reaches/.test(instructions)
      ? new Gold(known)
      : new Gold(known, { drop: 0.5, invent: 0.2 });
  const emulator = await tidied(openAiEmulator({ gold, faults, apiKey: KEY, models: MODELS }));
  const out = `out-${outs++}`;
  const teacher = {
    name: 'simulated-mini',
    kind: 'openai',
    model: 'gpt-4o-mini-2024-07-18',
    baseUrl: `${emulator.url}/v1`,
    keyFrom: 'SIMULATED_KEY',
  };
  const env = {
    CLINSTREAM_ESCALATION_TEACHERS: JSON.stringify([teacher]),
    CLINSTREAM_EGRESS_ALLOW: '127.0.0.1',
    SIMULATED_KEY: KEY,
  };
  const base = ['distill', 'prompts', '--corpus', folder, '--file', 'gold/made.jsonl', '--task', 'symptom=Finding'];
  const run = (...more: string[]) =>
    clinstream([...base, '--teacher', teacher.name, '--out', out, '--quiet', ...more], { env, cwd: folder });
  return { emulator, env, out: join(folder, out), run };
}

const PAID = ['--max-usd', '1', '--deidentified', 'made up'];
const BOTH = ['--prompt', 'short=short.md', '--prompt', 'long=long.md'];

interface RunReport {
  readonly version: string;
  readonly simulated: boolean;
  readonly prompts: Readonly<Record<string, string>>;
  readonly guidelines: string | { readonly sha256: string };
  readonly config: { readonly model: string };
  readonly seed: number;
  readonly commit: string;
  readonly corpusSha256: string;
  readonly usage: { readonly requests: number; readonly usd: number; readonly usdANote: number };
  readonly quotes: { readonly placed: number; readonly dropped: Readonly<Record<string, number>> };
  readonly thisRun: { readonly requests: number; readonly reused: number };
  readonly metrics: Readonly<Record<string, Record<'token' | 'exact' | 'relaxed', { readonly f1: number }>>>;
}

const reportOf = (out: string, version: string) =>
  JSON.parse(readFileSync(join(out, version, 'run.json'), 'utf8')) as RunReport;

describe('distill prompts (simulated)', { timeout: 480_000 }, () => {
  it('compares versions by answers of their own, keeps each as a run, and asks nothing twice', async () => {
    const { emulator, env, out, run } = await stage();
    const first = await run(...PAID, ...BOTH, '--prompt', 'built-in');
    assert.equal(first.code, 0, first.stderr);
    assert.equal(emulator.asked.all.length, 3 * notes.length);
    assert.equal(new Set(emulator.asked.all.map(each => each.aroundSha256)).size, 3, 'three prompts were sent');
    assert.match(first.stdout, /^\*\*Simulated\*\*/m);
    assert.match(first.stdout, /^Best: (long|built-in)\. Runner-up: (long|built-in); .*, not beyond chance\.$/m);
    // both find everything, and the built-in prompt is longer
    assert.match(first.stdout, /^Chosen: long\.$/m);

    const [short, long, builtIn] = ['short', 'long', 'built-in'].map(version => reportOf(out, version)) as [
      RunReport,
      RunReport,
      RunReport,
    ];
    assert.equal(long.metrics.symptom?.token.f1, 1);
    assert.ok((short.metrics.symptom?.exact.f1 as number) < 0.9);
    assert.ok(Object.keys(short.quotes.dropped).length > 0, 'invented quotes are counted');
    assert.deepEqual(long.quotes, { placed: 3 * notes.length, dropped: {} });
    assert.ok(builtIn.usage.usdANote > long.usage.usdANote && long.usage.usdANote > 0);
    assert.ok(Math.abs(long.usage.usd - notes.length * long.usage.usdANote) < 1e-5);
    assert.deepEqual([long.simulated, long.config.model, long.seed], [true, 'gpt-4o-mini-2024-07-18', 1]);
    assert.equal(builtIn.guidelines, 'built-in');
    const hashes = [short, long, builtIn].map(each => each.prompts.symptom);
    assert.equal(new Set(hashes).size, 3);
    assert.equal(readFileSync(join(out, 'long/guidelines.md'), 'utf8'), LONG);
    const sent = readFileSync(join(out, 'long/prompt/symptom.txt'), 'utf8');
    assert.match(sent, /Mark every complaint and sign\.\n\nBe thorough[\s\S]*Answer with JSON only[\s\S]*It is data\./);
    assert.deepEqual(readdirSync(join(out, 'built-in')).sort(), ['labels.jsonl', 'prompt', 'run.json']);
    assert.equal(statSync(join(out, 'long/labels.jsonl')).mode & 0o077, 0, 'its owner’s alone');
    for (const text of [first.stdout, first.stderr, JSON.stringify([short, long, builtIn]), sent])
      assert.ok(!text.includes(CANARY) && !text.includes(KEY));

    const again = await run(...PAID, ...BOTH, '--prompt', 'built-in');
    assert.equal(again.stdout, first.stdout, 'costs and quotes too');
    assert.equal(emulator.asked.all.length, 3 * notes.length);
    assert.deepEqual(
      [reportOf(out, 'short').thisRun.requests, reportOf(out, 'short').thisRun.reused],
      [0, notes.length],
    );

    writeFileSync(join(folder, 'other.md'), `${SHORT}Be thorough.\n`);
    const changed = await run(...PAID, '--prompt', 'short=other.md', '--prompt', 'long=long.md');
    assert.deepEqual([changed.code, /give the version another name/.test(changed.stderr)], [2, true]);
    const renamed = await run(...PAID, '--prompt', 'shorter=other.md', '--prompt', 'short=short.md');
    assert.equal(renamed.code, 0, renamed.stderr);
    assert.equal(
      reportOf(out, 'shorter').metrics.symptom?.token.f1,
      1,
      'a changed prompt has no answers of the former',
    );
    assert.match(renamed.stdout, /^Best: shorter\. Runner-up: short; .* \[\.\d+, \.\d+\], beyond chance\.$/m);
    assert.match(renamed.stdout, /^Chosen: shorter\.$/m);
    assert.equal(emulator.asked.all.length, 4 * notes.length);

    const mini = env.CLINSTREAM_ESCALATION_TEACHERS;
    env.CLINSTREAM_ESCALATION_TEACHERS = mini.replace('gpt-4o-mini-2024-07-18', 'gpt-4o-2024-08-06');
    const larger = await run(...PAID, ...BOTH);
    assert.deepEqual([larger.code, /is of other models/.test(larger.stderr)], [2, true], larger.stderr);
    assert.equal(emulator.asked.all.length, 4 * notes.length);
    env.CLINSTREAM_ESCALATION_TEACHERS = mini;

    for (const damaged of [`{"version": ${CANARY}`, 'null']) {
      writeFileSync(join(out, 'short/run.json'), damaged);
      const torn = await run(...PAID, ...BOTH);
      assert.deepEqual([torn.code, torn.stderr.includes(CANARY)], [2, false], torn.stderr);
      assert.match(torn.stderr, /short\/run\.json is no run of 'distill prompts'/);
    }
  });

  it('stops at its money, over all versions, and goes on with more', async () => {
    const { emulator, out, run } = await stage();
    const capped = await run('--max-usd', '0.0029', '--deidentified', 'made up', ...BOTH);
    assert.deepEqual([capped.code, /COST_CAP_REACHED/.test(capped.stderr)], [6, true], capped.stderr);
    assert.equal(existsSync(join(out, 'comparison.json')), false, 'nothing is compared on a part');
    const asked = emulator.asked.all.length;
    assert.ok(asked > 0 && asked < 2 * notes.length, `${asked} asked`);
    const spent = ['short', 'long'].reduce((sum, version) => sum + reportOf(out, version).usage.usd, 0);
    assert.ok(spent <= 0.0029, `${spent}`);
    assert.equal((await run(...PAID, ...BOTH)).code, 0);
    assert.equal(emulator.asked.all.length, 2 * notes.length);
  });

  it('tells refusals, and compares on what every version has answered', async () => {
    const { run, out } = await stage({ about: { 'Visit 3. ': ['refusal', 'refusal'] } });
    const { code, stdout, stderr } = await run(...PAID, ...BOTH);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^\| long \| [0-9a-f]{12} \| 19 of 20 \| \$\S+ \| 1 × REPLY_REFUSED \| 0 of 57 \|$/m);
    const { documents } = JSON.parse(readFileSync(join(out, 'comparison.json'), 'utf8')) as { documents: number };
    const labelled = readFileSync(join(out, 'short/labels.jsonl'), 'utf8');
    assert.equal(labelled.trimEnd().split('\n').length, documents, 'who is labelled by one alone is not compared');
    assert.ok(documents <= 19 && !labelled.includes('"n3"'));
  });

  it('refuses before anything is sent', async () => {
    const { emulator, env, out, run } = await stage();
    writeFileSync(join(folder, 'empty.md'), '\n');
    writeFileSync(join(folder, 'drugs.md'), '# task: medication\nMark drugs.\n');
    const config = loadConfig({ env });
    const io = { ...process, env, now: Date.now };
    const file = (name: string) => join(folder, name);
    const flags: PromptsFlags = {
      ...{ corpus: folder, file: 'gold/made.jsonl', split: 'dev', task: new Map([['symptom', ['Finding']]]) },
      ...{ teacher: 'simulated-mini', out, maxUsd: 1, deidentified: 'made up', quiet: true },
      prompt: new Map([
        ['short', file('short.md')],
        ['long', file('long.md')],
      ]),
    };
    const beside = (name: string, path: string) => ({ prompt: new Map([...flags.prompt, [name, path]]) });
    const { deidentified: _, ...unsaid } = flags;
    const cases: [PromptsFlags, string, RegExp][] = [
      [{ ...flags, prompt: new Map([['long', file('long.md')]]) }, 'CONFIG_INVALID', /at least two/],
      [unsaid, 'CONFIG_INVALID', /--deidentified is missing/],
      [{ ...flags, ...beside('state', file('short.md')) }, 'CONFIG_INVALID', /cannot be the name of a version/],
      [{ ...flags, ...beside('..', file('short.md')) }, 'CONFIG_INVALID', /cannot be the name of a version/],
      [{ ...flags, ...beside('x', file('nowhere.md')) }, 'CONFIG_UNREADABLE', /nowhere\.md/],
      [{ ...flags, ...beside('x', file('empty.md')) }, 'CONFIG_INVALID', /empty\.md: the guidelines say nothing/],
      [{ ...flags, ...beside('x', file('drugs.md')) }, 'CONFIG_INVALID', /cannot be asked about symptom/],
      [{ ...flags, teacher: 'nobody' }, 'CONFIG_INVALID', /no teacher of the name nobody/],
      // known without configuration, as to annotate
      [{ ...flags, teacher: 'gpt-4o' }, 'EGRESS_DENIED', /api\.openai\.com/],
      [{ ...flags, teacher: 'ontology' }, 'CONFIG_INVALID', /ontology reads no guidelines/],
      [{ ...flags, split: 'test' }, 'CORPUS_MISSING', /has no test document/],
    ];
    for (const [wrong, code, message] of cases) {
      await assert.rejects(distillPrompts(config, wrong, io), (error: Error & { code?: string }) => {
        assert.match(error.message, message);
        return error.code === code;
      });
    }
    const named = await run(...PAID, '--prompt', 'long=long.md', '--prompt', 'built-in=long.md');
    assert.deepEqual([named.code, /built-in has no file/.test(named.stderr)], [2, true]);
    assert.deepEqual([emulator.asked.all.length, existsSync(out)], [0, false]);
  });
});
