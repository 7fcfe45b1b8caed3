/** If this fails, a worse model may come to serve, or a good one may not, or nobody can go back. Models and documents are real. */
import assert from 'node:assert/strict';
import { appendFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { before, describe, it } from 'node:test';
import { corpusHash } from '../../src/distill/corpus.ts';
import type { Limits } from '../../src/distill/gates.ts';
import { contentHash } from '../../src/distill/model-content.ts';
import { lockStore } from '../../src/distill/store-lock.ts';
import { loadModel, type Manifest, sha256Of } from '../../src/model/manifest.ts';
import { loadServing, readStore } from '../../src/model/store.ts';
import { clinstream } from '../support/cli.ts';
import { here } from '../support/here.ts';
import { MODEL_DIRECTORY } from '../support/model.ts';
import { makeCandidate, makeCorpus } from '../support/promotion.ts';
import { temporaryFolder } from '../support/temporary.ts';

const folder = temporaryFolder('promote');
const corpus = join(folder, 'corpus');
const gate = makeCorpus(corpus);
const made = (name: string, change?: (manifest: Manifest) => Partial<Manifest>): string =>
  makeCandidate(join(folder, name), corpus, change);
const good = made('good');
const other = made('other', () => ({ version: '1.0.1' }));
/** Finds next to nothing. */
const shy = made('shy', ({ heads }) => ({ heads: heads.map(head => ({ ...head, threshold: 0.999 })) }));
/** Calls drugs diseases, and diseases drugs. */
const swapped = made('swapped', ({ heads: [medication, disease, ...rest] }) => ({
  heads: [{ ...medication, task: 'disease' }, { ...disease, task: 'medication' }, ...rest] as Manifest['heads'],
}));

const run = (...args: string[]) => here(['distill', ...args]);
// how fast this machine is while other tests run decides nothing here
const promote = (candidate: string, store: string, ...more: string[]) =>
  run('promote', '--candidate', candidate, '--store', store, '--corpus', corpus, '--min-speed', '0', ...more);
const serves = (store: string): string | undefined => readStore(store)?.serving;
const contents = (store: string): string[] =>
  readdirSync(store, { recursive: true, encoding: 'utf8' })
    .filter(name => !name.startsWith('.lock'))
    .sort();

/** A store in which `good` was promoted, made once and copied. */
const begun = join(folder, 'begun');
let stores = 0;
const storeWithGood = (): string => {
  const store = join(folder, `store-${stores++}`);
  cpSync(begun, store, { recursive: true });
  return store;
};

describe('distill promote', { timeout: 300_000 }, () => {
  before(async () => {
    const args = ['--candidate', good, '--store', begun, '--corpus', corpus];
    const { code, stdout, stderr } = await clinstream(['distill', 'promote', ...args]);
    assert.equal(code, 0, `${stdout}${stderr}`);
    assert.match(
      stdout,
      /^pass {2}f1 disease: token F1 [01]?\.\d{3}, at least 0\.3, on \d+ documents \(no serving model has the task: absolute only\)$/m,
    );
    assert.match(stdout, /^pass {2}speed: \d+ tokens\/s \(no serving model: absolute only\)$/m);
  });

  it('puts a first model into a store, which may be named wherever a model may', async () => {
    const { name, version, sha256 } = loadModel(good).identity;
    assert.deepEqual(loadServing(begun).identity, loadModel(good).identity);
    assert.equal(serves(begun), `${name}-${version}-${contentHash(loadModel(good)).slice(0, 8)}`);
    const verified = await clinstream(['models', 'verify', '--model', begun]);
    const thresholds = sha256Of(readFileSync(join(good, 'routing.json')));
    assert.match(verified.stdout, new RegExp(`${sha256}.*self-check passed.*; routing\\.json: ${thresholds}`));
    const tagged = await clinstream(['tag', '--format', 'jsonl'], {
      input: 'Takes metformin.\n',
      env: { CLINSTREAM_MODEL: begun },
    });
    assert.match(tagged.stdout, /metformin/);
  });

  it('lets an equal model serve, and says from where, by what, and with which figures', async () => {
    const store = storeWithGood();
    const json = join(folder, 'equal.json');
    const { code, stdout, stderr } = await promote(other, store, '--json', json, '--rounds', '3');
    assert.equal(code, 0, `${stdout}${stderr}`);
    assert.match(stdout, /^pass {2}f1 symptom: token F1 (\.\d+), serving \1: not credibly worse .*\+\.000/m);
    assert.match(stdout, /^pass {2}speed: .*median of 3 rounds/m);
    assert.match(stdout, /^notes-minilm-1\.0\.1-\w{8} serves from now on\.$/m);
    assert.equal(loadServing(store).identity.version, '1.0.1');
    const [first, second] = readStore(store)?.history ?? [];
    assert.deepEqual([first?.change, second?.change, second?.from], ['promote', 'promote', other]);
    assert.match(second?.command ?? '', /promote --candidate other --store STORE --corpus CORPUS .*--rounds 3/);
    const report = JSON.parse(readFileSync(json, 'utf8'));
    assert.equal(report.passed, true);
    assert.deepEqual(second?.report?.gates, report.gates);
    assert.deepEqual(report.graphsNotRun, {});
    assert.ok(!JSON.stringify(report).includes(folder), 'a report names no folder of this machine');
    const again = await promote(other, store);
    assert.deepEqual([again.code, /serves already: nothing was changed/.test(again.stdout)], [0, true]);
    assert.equal(readStore(store)?.history.length, 2);
  });

  it('says which graphs it did not run, in its verdicts and for the record', async () => {
    const name = 'model.fp16.onnx';
    const both = made('both', ({ files, graphs }) => {
      const int8 = files[graphs.int8];
      assert.ok(int8 !== undefined);
      return { files: { ...files, [name]: int8 }, graphs: { ...graphs, fp16: name } };
    });
    cpSync(join(both, 'model.int8.onnx'), join(both, name));
    const store = storeWithGood();
    const { code, stdout, stderr } = await promote(both, store, '--max-mb', '60', '--rounds', '1');
    assert.equal(code, 0, `${stdout}${stderr}`);
    assert.match(stdout, /^note {2}graph fp16: no gate ran it, and a GPU would serve it$/m);
    assert.deepEqual(readStore(store)?.history.at(-1)?.report?.graphsNotRun, { fp16: name });
  });

  it('lets the serving model serve with other thresholds, which were judged', async () => {
    const store = storeWithGood();
    const retuned = join(folder, 'retuned');
    cpSync(good, retuned, { recursive: true });
    appendFileSync(join(retuned, 'routing.json'), '\n');
    const { code, stdout, stderr } = await promote(retuned, store);
    assert.equal(code, 0, `${stdout}${stderr}`);
    assert.match(stdout, /^notes-minilm-[\d.]+-\w{8} serves from now on\.$/m);
    const served = readFileSync(join(loadServing(store).directory, 'routing.json'), 'utf8');
    assert.equal(served, readFileSync(join(retuned, 'routing.json'), 'utf8'));
  });

  it('refuses a model that finds less, and one that confuses its heads, and changes nothing', async () => {
    const store = storeWithGood();
    const [before, whole] = [contents(store), readFileSync(join(store, 'serving.json'), 'utf8')];
    const json = join(folder, 'shy.json');
    const less = await promote(shy, store, '--json', json);
    assert.equal(less.code, 6, less.stdout);
    assert.match(less.stdout, /^FAIL {2}f1 medication: .*worse beyond chance/m);
    assert.match(less.stderr, /gates failed \(f1 medication, .*nothing was changed \[PROMOTION_REFUSED\]/);
    const report = JSON.parse(readFileSync(json, 'utf8'));
    assert.equal(report.passed, false);
    const { passed, figures } = report.gates[0];
    assert.ok(!passed && figures.upperBound < 0 && figures.candidate < figures.serving);
    const confused = await promote(swapped, store, '--dry-run');
    assert.equal(confused.code, 6);
    assert.match(confused.stderr, /\(f1 disease, f1 medication, .*\[PROMOTION_REFUSED\]/);
    assert.match(confused.stdout, /^FAIL {2}calibration disease/m);
    assert.deepEqual(contents(store), before);
    assert.equal(readFileSync(join(store, 'serving.json'), 'utf8'), whole);
  });

  it('refuses a model that is far too sure, though it finds the same and its ECE passes', async () => {
    const sure = made('sure', ({ heads }) => ({
      heads: heads.map(head => ({ ...head, temperature: head.temperature / 10 })),
    }));
    const { code, stdout, stderr } = await promote(sure, begun, '--dry-run');
    assert.equal(code, 6, stdout);
    assert.match(
      stdout,
      /^FAIL {2}likelihood symptom: NLL 0\.\d{4} nats a word, serving 0\.\d{4}: worse beyond chance/m,
    );
    assert.match(stdout, /^pass {2}calibration symptom/m);
    assert.match(stderr, / 1 of 14 gates failed \(likelihood symptom\)/);
    const opposite = made('opposite', ({ heads: [medication, ...rest] }) => ({
      heads: [medication, ...rest.toReversed()] as Manifest['heads'],
    }));
    const first = await promote(opposite, join(folder, 'opposite-store'), '--dry-run');
    assert.match(first.stdout, /^FAIL {2}likelihood disease: NLL .* at most that of the base rate/m);
  });

  it('refuses a first model that finds next to nothing, into an empty store', async () => {
    const store = join(folder, 'first');
    const json = join(folder, 'first.json');
    const { code, stdout, stderr } = await promote(shy, store, '--json', json);
    assert.equal(code, 6, stdout);
    assert.match(stdout, /^FAIL {2}f1 disease: token F1 \.[0-2]\d\d, at least 0\.3, /m);
    assert.match(stderr, /gates failed \(f1 disease, f1 symptom/);
    assert.equal(serves(store), undefined);
    const { limits, gates } = JSON.parse(readFileSync(json, 'utf8'));
    assert.deepEqual([limits.f1, gates[0].figures.least], [0.3, 0.3]);
    const low = await promote(shy, store, '--dry-run', '--min-f1', '0');
    assert.match(low.stdout, /^pass {2}f1 disease: token F1 \.[0-2]\d\d, at least 0, /m);
  });

  it('refuses to serve a task that was not judged, unless that is allowed, which the record says', async () => {
    const store = storeWithGood();
    const some = ['--task', 'disease=disease'];
    const refused = await promote(other, store, ...some);
    assert.equal(refused.code, 6, refused.stdout);
    assert.match(refused.stdout, /^FAIL {2}f1 medication: not judged/m);
    assert.match(refused.stderr, /\(f1 medication, f1 symptom\): nothing/);
    const first = await promote(good, join(folder, 'unjudged'), '--dry-run', ...some);
    assert.match(first.stderr, /\(f1 medication, f1 symptom\): nothing/);
    const allowed = await promote(other, store, ...some, '--allow-unjudged');
    assert.equal(allowed.code, 0, `${allowed.stdout}${allowed.stderr}`);
    assert.match(allowed.stdout, /^pass {2}f1 medication: not judged: .*\(allowed by --allow-unjudged\)$/m);
    const { command, report } = readStore(store)?.history.at(-1) ?? {};
    assert.match(command ?? '', / --allow-unjudged /);
    assert.equal((report?.limits as Limits | undefined)?.allowUnjudged, true);
  });

  it('refuses a model that is too slow, too large, or has lost a task or its thresholds', async () => {
    const narrow = made('narrow', ({ heads, selfCheck }) => ({
      heads: heads.map((head, i) => (i === 2 ? { ...head, task: 'finding' } : head)),
      selfCheck,
    }));
    const limited = await promote(
      narrow,
      begun,
      '--dry-run',
      '--min-speed',
      '1000',
      '--max-mb',
      '10',
      '--task',
      'disease=disease',
    );
    assert.equal(limited.code, 6);
    assert.match(limited.stderr, /\(f1 medication, f1 finding, f1 symptom, speed, size\): nothing/);
    assert.match(limited.stdout, /^FAIL {2}f1 symptom: the candidate has no head for it/m);
    const bare = join(folder, 'bare');
    cpSync(good, bare, { recursive: true, filter: path => !path.endsWith('routing.json') });
    const mute = await promote(bare, begun, '--dry-run');
    assert.match(mute.stdout, /^FAIL {2}routing: no routing\.json, and the serving model has them for medication/m);
  });

  it("refuses a model beside which another one's figures stand: they would be read as its own", async () => {
    const store = storeWithGood();
    const before = contents(store);
    const file = join(
      made('unmeasured', () => ({ version: '1.0.2' })),
      'metrics.json',
    );
    const metrics = JSON.parse(readFileSync(file, 'utf8')) as { model: object };
    const others = [
      JSON.stringify({ ...metrics, model: { ...metrics.model, sha256: 'f'.repeat(64) } }),
      JSON.stringify({ ...metrics, model: undefined }),
      '{',
    ];
    for (const text of others) {
      writeFileSync(file, text);
      const { code, stdout, stderr } = await promote(dirname(file), store, '--force', 'no reason is good enough');
      assert.deepEqual([code, stdout], [6, '']);
      assert.match(stderr, /metrics\.json holds figures of .*distill evaluate --corpus .*\[METRICS_INVALID\]/);
      assert.deepEqual(contents(store), before);
    }
    rmSync(file);
    assert.equal((await promote(dirname(file), store, '--dry-run')).code, 0, 'nobody has to measure it');
  });

  it('refuses a model that was trained on what judges it, naming ids and no text', async () => {
    const leaky = join(folder, 'leaky-corpus');
    const copied = gate[1] as (typeof gate)[number];
    makeCorpus(leaky, rows => [
      { ...copied, id: 'copy', split: 'train', text: copied.text.toUpperCase().replace(/\s+/g, '\n'), entities: [] },
      ...rows.slice(2, 3).map(row => ({
        ...row,
        id: 'part',
        split: 'train',
        text: row.text.slice(0, row.text.length / 3),
        entities: [],
      })),
    ]);
    const trained = makeCandidate(join(folder, 'leaky'), leaky);
    const { code, stdout, stderr } = await promote(trained, join(folder, 'never'), '--corpus', leaky, '--dry-run');
    assert.equal(code, 6);
    assert.match(
      stdout,
      /^FAIL {2}leakage: 1 of \d+ documents were trained or fitted on: .* \(100 % of it in copy of teacher\/notes\.jsonl\)$/m,
    );
    assert.ok(stdout.includes(copied.id));
    for (const line of copied.text.split('\n').filter(each => each.length > 20))
      assert.ok(!`${stdout}${stderr}`.toLowerCase().includes(line.toLowerCase()));
  });

  it('refuses a model whose temperatures and thresholds were fitted on what judges it, or says it plainly', async () => {
    const fitted = join(folder, 'fitted-corpus');
    const [first, ...rest] = makeCorpus(fitted, rows =>
      rows.map(row => ({ ...row, id: `dev-${row.id}`, split: 'dev' })),
    );
    const model = makeCandidate(join(folder, 'fitted'), fitted);
    const args = ['--corpus', fitted, '--dry-run'];
    const { code, stdout } = await promote(model, join(folder, 'never'), ...args);
    assert.equal(code, 6);
    const count = rest.length + 1;
    assert.match(
      stdout,
      new RegExp(`^FAIL {2}leakage: ${count} of ${count} documents were trained or fitted on: `, 'm'),
    );
    assert.ok(stdout.includes(`${first?.id} (100 % of it in dev-${first?.id} of teacher/notes.jsonl, dev)`), stdout);
    for (const file of ['teacher/notes.jsonl', './teacher/notes.jsonl']) {
      const itself = await promote(model, join(folder, 'never'), ...args, '--file', file, '--split', 'dev');
      assert.equal(itself.code, 0, itself.stdout);
      assert.match(itself.stdout, /^pass {2}leakage: .*fitted on these very documents, the teacher's dev notes$/m);
    }
  });

  it('believes what manifest and thresholds both say was not fitted on, of the corpus at hand alone', async () => {
    const fair = join(folder, 'fair-corpus');
    const [first, ...rest] = makeCorpus(fair, rows => rows.map(row => ({ ...row, id: `dev-${row.id}`, split: 'dev' })));
    const others = rest.map(({ id }) => `dev-${id}`);
    const fit = (leftOut: readonly string[]): object => ({
      ...{ file: 'teacher/notes.jsonl', split: 'dev', sha256: corpusHash(fair, 'teacher/notes.jsonl'), leftOut },
    });
    const leaksOf = async (name: string, byManifest: unknown, byThresholds: unknown): Promise<string | undefined> => {
      const data = [{ file: 'teacher/notes.jsonl', sha256: corpusHash(fair, 'teacher/notes.jsonl') }];
      const training = { data, fitted: byManifest };
      const model = makeCandidate(join(folder, name), fair, () => ({ training }), { fitted: byThresholds });
      const { stdout } = await promote(model, join(folder, 'never'), '--corpus', fair, '--dry-run');
      return /^(pass|FAIL) {2}leakage: .*$/m.exec(stdout)?.[0];
    };
    const all = fit([`dev-${first?.id}`, ...others]);
    const passes = await leaksOf('fair', all, all);
    assert.match(passes ?? '', /^pass .*; not fitted on, by what the candidate says: dev-/);
    const count = others.length + 1;
    const one = new RegExp(
      `^FAIL .* 1 of ${count} documents were .*: ${first?.id} \\(100 % of it in dev-${first?.id} `,
    );
    assert.match((await leaksOf('one', fit(others), all)) ?? '', one);
    assert.match((await leaksOf('one-by-thresholds', all, fit(others))) ?? '', one);
    const every = new RegExp(`^FAIL .* ${count} of ${count} documents were `);
    assert.match((await leaksOf('untold', all, undefined)) ?? '', every);
    assert.match((await leaksOf('of-another', all, { ...all, sha256: '0'.repeat(64) })) ?? '', every);
    const elsewhere = await promote(join(folder, 'of-another'), join(folder, 'never'), '--corpus', fair, '--dry-run');
    assert.match(
      elsewhere.stdout,
      /^FAIL {2}data: the corpus is not the one that trained it: teacher\/notes\.jsonl differ/m,
    );
    assert.match((await leaksOf('odd', { ...all, leftOut: 'all' }, all)) ?? '', every);
  });

  it('refuses to judge by a corpus that is not the one that trained it, unless that is allowed', async () => {
    const changed = join(folder, 'changed-corpus');
    makeCorpus(changed, () => [{ id: 'late', split: 'dev', text: 'Another note.', entities: [] }]);
    const refused = await promote(good, begun, '--corpus', changed, '--dry-run');
    assert.equal(refused.code, 6);
    assert.match(
      refused.stdout,
      /^FAIL {2}data: the corpus is not the one that trained it: teacher\/notes\.jsonl differ/m,
    );
    const allowed = await promote(good, begun, '--corpus', changed, '--dry-run', '--allow-other-data');
    assert.equal(allowed.code, 0);
    assert.match(allowed.stdout, /^pass {2}data: .* \(allowed by --allow-other-data\)$/m);
    const untold = made('untold', () => ({ training: {} }));
    const unknown = await promote(untold, begun, '--dry-run');
    assert.match(unknown.stdout, /^FAIL {2}data: the manifest does not say what trained the candidate/m);
  });

  it('promotes in spite of failed gates for a reason, which is kept, but never what is broken', async () => {
    const store = storeWithGood();
    const forced = await promote(shy, store, '--force', 'drill of 3 May');
    assert.equal(forced.code, 0, forced.stderr);
    assert.match(forced.stdout, /serves from now on, in spite of f1 medication/);
    assert.equal(readStore(store)?.history.at(-1)?.forced, 'drill of 3 May');
    const cut = join(folder, 'cut');
    cpSync(good, cut, { recursive: true });
    appendFileSync(join(cut, 'tokenizer.json'), ' ');
    const broken = await promote(cut, store, '--force', 'no reason is good enough');
    assert.deepEqual([broken.code, /MODEL_FILE_CHANGED/.test(broken.stderr)], [4, true]);
    const wrong = made('wrong', ({ selfCheck }) => ({
      selfCheck: { ...selfCheck, logits: selfCheck.logits.map(value => -value) },
    }));
    const failing = await promote(wrong, store, '--force', 'no reason is good enough');
    assert.deepEqual([failing.code, /MODEL_SELF_CHECK_FAILED/.test(failing.stderr)], [4, true]);
    assert.equal(loadServing(store).identity.sha256, loadModel(shy).identity.sha256);
  });

  it('is refused while another process changes the store', async () => {
    const store = storeWithGood();
    const lock = lockStore(store);
    const args = ['--candidate', other, '--store', store, '--corpus', corpus];
    const [busy, back] = await Promise.all([
      clinstream(['distill', 'promote', ...args]),
      clinstream(['distill', 'rollback', '--store', store]),
    ]);
    lock.release();
    for (const { code, stderr } of [busy, back]) {
      assert.equal(code, 6);
      assert.match(stderr, new RegExp(`process ${process.pid} is changing .*\\[STORE_BUSY\\]`));
    }
    assert.equal((await promote(other, store)).code, 0);
  });

  it('refuses options and documents that cannot be meant', async () => {
    const cases: readonly (readonly [number, RegExp, readonly string[]])[] = [
      [2, /give one of them/, ['--dry-run', '--force', 'why']],
      [2, /--force needs a reason/, ['--force', ' ']],
      [2, /at least one is needed/, ['--rounds', '0']],
      [2, /--min-f1.*a share from 0 to below 1 is needed/, ['--min-f1', '30']],
      [4, /is a model: a store is a folder of its own, .*STORE_INVALID/, ['--store', MODEL_DIRECTORY]],
      [4, /there is no model in .*MODEL_MISSING/, ['--candidate', folder]],
      [6, /0 documents cannot judge .*GATE_DATA_UNFIT/, ['--split', 'dev']],
      [6, /no mention of disease: .*GATE_DATA_UNFIT/, ['--task', 'disease=Disease']],
      [6, /--task desease is no task of either model .*GATE_DATA_UNFIT/, ['--task', 'desease=disease']],
      [6, /no file of documents can be read there \[CORPUS_MISSING\]/, ['--file', 'gold/none.jsonl']],
      [6, /5 documents mention medication, and at least 6 .*GATE_DATA_UNFIT/, ['--file', 'gold/few.jsonl']],
      [6, /gold\/twice\.jsonl: two test documents are .*CORPUS_ROW_INVALID/, ['--file', 'gold/twice.jsonl']],
    ];
    let mentioning = 0;
    const few = gate.map(row => {
      const some = row.entities.some(({ type }) => type === 'medication') && ++mentioning > 5;
      return some ? { ...row, entities: row.entities.filter(({ type }) => type !== 'medication') } : row;
    });
    mkdirSync(join(corpus, 'gold'), { recursive: true });
    for (const [name, rows] of Object.entries({ few, twice: [...gate, ...gate.slice(0, 1)] }))
      writeFileSync(join(corpus, `gold/${name}.jsonl`), rows.map(row => `${JSON.stringify(row)}\n`).join(''));
    const store = join(folder, 'untouched');
    for (const [code, message, more] of cases) {
      const result = await promote(good, store, ...more);
      assert.match(result.stderr, message);
      assert.equal(result.code, code, more.join(' '));
      assert.equal(serves(store), undefined);
    }
  });
});

describe('distill rollback', { timeout: 120_000 }, () => {
  it('goes back one by one to the first model, forward by name, and keeps the history', async () => {
    const store = storeWithGood();
    const first = serves(store) as string;
    assert.equal((await promote(other, store)).code, 0);
    const second = serves(store) as string;
    const back = await run('rollback', '--store', store);
    assert.equal(back.stdout, `${first} serves from now on, in place of ${second}.\n`);
    const further = await run('rollback', '--store', store);
    assert.equal(further.code, 6);
    assert.match(further.stderr, /is the first model .*\[ROLLBACK_REFUSED\]/);
    assert.match(
      (await run('rollback', '--store', store, '--to', first)).stderr,
      /serves already \[ROLLBACK_REFUSED\]/,
    );
    assert.match((await run('rollback', '--store', store, '--to', '..')).stderr, /never served .*\[ROLLBACK_REFUSED\]/);
    assert.equal((await run('rollback', '--store', store, '--to', second)).code, 0);
    assert.deepEqual(
      readStore(store)?.history.map(each => [each.change, each.folder]),
      [
        ['promote', first],
        ['promote', second],
        ['rollback', first],
        ['rollback', second],
      ],
    );
    appendFileSync(join(store, first, 'model.int8.onnx'), ' ');
    const damaged = await run('rollback', '--store', store);
    assert.deepEqual([damaged.code, /MODEL_FILE_CHANGED/.test(damaged.stderr)], [4, true]);
    assert.equal(serves(store), second);
  });

  it('is refused where nothing was promoted', async () => {
    const { code, stderr } = await run('rollback', '--store', join(folder, 'nowhere'));
    assert.equal(code, 6);
    assert.match(stderr, /nothing was ever promoted .*\[ROLLBACK_REFUSED\]/);
  });
});
