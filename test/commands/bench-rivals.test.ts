/** If this fails, README compares clinstream with something that is not the same model, or finds something else. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { agreementOf } from '../../src/commands/bench/rivals/agreement.ts';
import type { Contender } from '../../src/commands/bench/rivals/contenders.ts';
import { javascriptFolder } from '../../src/commands/bench/rivals/environment.ts';
import { comparisonOf } from '../../src/commands/bench/rivals/report.ts';
import { benchRivals } from '../../src/commands/bench/rivals/rivals.ts';
import { cacheDirectory } from '../../src/commands/cache.ts';
import { loadConfig } from '../../src/config.ts';
import { clinstream } from '../support/cli.ts';
import { ROOT } from '../support/model.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { trainerPython } from '../support/trainer.ts';

const RESULT = join(ROOT, 'benchmarks/results/rivals.json');
const written = (): string | undefined => (existsSync(RESULT) ? readFileSync(RESULT, 'utf8') : undefined);
const { skip } = trainerPython();
const noJavascript = existsSync(javascriptFolder(cacheDirectory(process.env)))
  ? false
  : "SKIPPED: 'npm run -s clinstream -- bench rivals --rounds 0' installs the transformers.js that this is tested with (500 MB)";

interface Found {
  readonly spans: number;
  readonly differing: number;
  readonly notes: number;
}

/** What a run says of each rival's spans. */
async function run(rivals: string): Promise<Record<string, Found>> {
  const { code, stdout, stderr } = await clinstream([
    'bench',
    'rivals',
    ...words('--rounds 1 --notes 4 --rivals'),
    rivals,
  ]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^round 1, notes\/s: clinstream \d/);
  const lines = stdout.matchAll(/^(\S+): .* (\d+) spans, (\d+) of them or of clinstream's differ, in (\d+) notes/gm);
  return Object.fromEntries(
    [...lines].map(([, name = '', spans, differing, notes]) => [
      name,
      { spans: Number(spans), differing: Number(differing), notes: Number(notes) },
    ]),
  );
}

const words = (text: string): string[] => text.split(' ');

describe('bench rivals', { timeout: 600_000 }, () => {
  it('runs the same model in Python, and finds the same but for its arithmetic', { skip }, async () => {
    const before = written();
    const found = await run('transformers-pipeline,onnxruntime-loop,onnxruntime-batched');
    const loop = found['onnxruntime-loop'] as Found;
    assert.ok(loop.spans > 100, `${loop.spans} spans in four notes`);
    assert.deepEqual([loop.differing, loop.notes], [0, 0], 'one window at a time there is nothing to differ by');
    // float32 activations, and int8 ones scaled by a whole batch: a few words on the border fall to the other side
    for (const name of ['transformers-pipeline', 'onnxruntime-batched']) {
      const { spans, differing } = found[name] as Found;
      assert.ok(differing <= 0.1 * spans, `${name}: ${differing} of ${spans}`);
    }
    assert.equal(written(), before, 'nothing is written unless --write says so');
  });

  it('runs it in transformers.js, and finds the same', { skip: skip || noJavascript }, async () => {
    const { 'transformers-js': found } = await run('transformers-js');
    assert.ok((found?.spans ?? 0) > 100);
    assert.equal(found?.differing, 0);
  });

  it('measures nothing to be published while others are at work', async () => {
    const before = written();
    const io = { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, env: {}, now: Date.now };
    const options = { rounds: 1, notes: 1, workload: 'notes', rivals: [], write: true, loadAverage: 1e3 } as const;
    await assert.rejects(benchRivals(loadConfig({ env: {} }), options, io), { code: 'MACHINE_BUSY', retryable: true });
    assert.equal(written(), before);
  });

  it('says what is missing where there is no Python, and knows its rivals', async () => {
    const empty = temporaryFolder('no-python');
    const none = await clinstream(['bench', 'rivals'], { env: { PATH: empty, XDG_CACHE_HOME: empty } });
    assert.equal(none.code, 6);
    assert.match(none.stderr, /\[PYTHON_MISSING\]/);
    const unknown = await clinstream(['bench', 'rivals', '--rivals', 'spacy']);
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /spacy is none of transformers-pipeline, /);
  });
});

describe('the comparison of two contenders', () => {
  const found = (spans: Record<string, string[]>): ReadonlyMap<string, readonly string[]> =>
    new Map(Object.entries(spans));

  it('counts spans that only one has, and notes that only one answered', () => {
    const own = found({ a: ['symptom 0 5', 'disease 7 9'], b: [], c: ['symptom 1 2'] });
    const other = found({ a: ['symptom 0 5', 'disease 7 8'], b: [], d: [] });
    const { agreement, ...counts } = agreementOf(own, other);
    assert.deepEqual(counts, { spans: 2, differingSpans: 3, differingNotes: 3 });
    assert.equal(agreement, 2 / 5);
    assert.equal(agreementOf(found({ a: [] }), found({ a: [] })).agreement, 1);
  });

  it('takes the ratio within each round, and an interval over the rounds', () => {
    const turn = (seconds: number) => ({ seconds, spans: found({ a: [] }), versions: {} });
    const rounds = [1, 10, 2, 1, 3, 2].map(load => ({ clinstream: turn(load), rival: turn(3 * load) }));
    const rival: Contender = { name: 'rival', what: '', against: 'clinstream', turn: async () => turn(1) };
    const { ratio, notesPerSecond } = comparisonOf(rival, rounds, 12);
    assert.deepEqual(ratio, { of: 'clinstream', median: 3, interval: { low: 3, high: 3 } });
    assert.equal(notesPerSecond, 2, 'of 4, 0.4, 2, 4, 1.33 and 2');
    assert.equal(comparisonOf(rival, rounds.slice(0, 2), 12).ratio?.interval, null);
  });
});
