/** If this fails, a model is shipped with graphs that were not exported together, or an export's figures are misread. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { tableOf } from '../../src/commands/distill-export.ts';
import { buildModel } from '../../src/distill/build-model.ts';
import { corpusHash } from '../../src/distill/corpus.ts';
import { type ExportReport, parseExport } from '../../src/distill/export-report.ts';
import { loadModel, sha256Of } from '../../src/model/manifest.ts';
import { here } from '../support/here.ts';
import { MODEL_DIRECTORY, ROOT } from '../support/model.ts';
import { temporaryFolder } from '../support/temporary.ts';

const folder = temporaryFolder('export');
const exported = join(folder, 'export');
const corpus = join(folder, 'corpus');
const graph = readFileSync(join(MODEL_DIRECTORY, 'model.int8.onnx'));
const figures = (share: number, tokensPerSecond: number, ratioToFp32: number) => ({
  bytes: graph.length,
  sha256: sha256Of(graph),
  parity: {
    windows: 40,
    pieces: 9000,
    meanAbsoluteLogitDifference: 0.03,
    maxAbsoluteLogitDifference: 0.4,
    decisionAgreement: { medication: share, disease: 1 },
  },
  speed: { tokensPerSecond, ratioToFp32 },
});
const report: ExportReport = {
  onnxruntime: '1.32.0',
  threads: 1,
  rounds: 5,
  graphs: {
    fp16: { file: 'model.fp16.onnx', ...figures(1, 5000, 0.94) },
    int8: { file: 'model.int8.onnx', ...figures(0.998, 10_000, 1.93) },
  },
};

/** An export as the trainer leaves one; any graph does for float16 where only its place matters. @returns the rows of its dev notes. */
function makeExport(): string[] {
  mkdirSync(exported, { recursive: true });
  for (const name of ['model.int8.onnx', 'tokenizer.json']) cpSync(join(MODEL_DIRECTORY, name), join(exported, name));
  writeFileSync(join(exported, 'model.fp16.onnx'), graph);
  const { heads, corpusHeads, specialTokens } = loadModel(MODEL_DIRECTORY).manifest;
  writeFileSync(
    join(exported, 'heads.json'),
    JSON.stringify({ served: heads.map(each => each.task), corpus: corpusHeads, specialTokens }),
  );
  const data = ['teacher/notes.jsonl', 'text/unlabelled.jsonl'].map(file => ({ file, sha256: sha256Of(file) }));
  writeFileSync(join(exported, 'run.json'), JSON.stringify({ data }));
  writeFileSync(join(exported, 'export.json'), JSON.stringify(report));
  mkdirSync(join(corpus, 'teacher'), { recursive: true });
  const notes = readFileSync(join(ROOT, 'test/data/quality/teacher-dev.jsonl'), 'utf8').split('\n');
  const rows = notes.filter(line => line !== '' && line.length < 3000);
  writeNotes(rows);
  return rows;
}

function writeNotes(rows: readonly string[]): void {
  writeFileSync(join(corpus, 'teacher/notes.jsonl'), `${rows.join('\n')}\n`);
}

const build = (out: string, precisions?: readonly ('fp16' | 'fp32')[], progress = (_: string) => {}): Promise<void> =>
  buildModel({
    exportDirectory: exported,
    corpusDirectory: corpus,
    outDirectory: join(folder, out),
    name: 'made',
    version: '1.0.0',
    command: 'test',
    workers: 1,
    ...(precisions === undefined ? {} : { precisions }),
    progress,
  });

describe('an export', { timeout: 120_000 }, () => {
  it('becomes a model of int8 alone, or with the graphs that are asked for', async () => {
    makeExport();
    await build('small');
    const small = loadModel(join(folder, 'small')).manifest;
    assert.deepEqual(small.graphs, { int8: 'model.int8.onnx' });
    assert.deepEqual(Object.keys(small.files).sort(), ['model.int8.onnx', 'tokenizer.json']);
    await build('both', ['fp16']);
    const both = loadModel(join(folder, 'both')).manifest;
    assert.deepEqual(both.graphs, { int8: 'model.int8.onnx', fp16: 'model.fp16.onnx' });
    assert.deepEqual(both.files['model.fp16.onnx'], { sha256: sha256Of(graph), bytes: graph.length });
    assert.deepEqual(both.heads, small.heads);
  });

  it('fits no threshold on a dev note in which a test note stands, and says which it left out', async () => {
    const [first = '', ...rest] = makeExport();
    writeNotes(rest);
    await build('rest');
    const { id, ...row } = JSON.parse(first) as { id: string };
    writeNotes([first, ...rest, JSON.stringify({ ...row, id: 'copy', split: 'test' })]);
    await build('fair');
    const fair = loadModel(join(folder, 'fair')).manifest;
    const alone = loadModel(join(folder, 'rest')).manifest;
    assert.deepEqual(fair.heads, alone.heads);
    const file = 'teacher/notes.jsonl';
    const fitted = { file, split: 'dev', sha256: corpusHash(corpus, file), leftOut: [id] };
    assert.deepEqual(fair.training.fitted, fitted);
    writeNotes([first, ...rest]);
    await build('all');
    const all = loadModel(join(folder, 'all')).manifest;
    assert.notDeepEqual(all.heads, alone.heads, 'the note would have moved them');
    assert.deepEqual((all.training.fitted as { leftOut?: unknown }).leftOut, []);
  });

  it('is no model until its heads are calibrated, and leaves the one that stood there until then', async () => {
    makeExport();
    const die = (line: string): void => {
      if (!line.includes('calibrating')) return;
      throw new Error('killed');
    };
    await assert.rejects(build('cut', undefined, die), /killed/);
    assert.deepEqual(
      readdirSync(folder).filter(name => name.startsWith('cut')),
      [],
    );
    const out = join(folder, 'kept');
    cpSync(MODEL_DIRECTORY, out, { recursive: true });
    const before = loadModel(out).identity;
    await assert.rejects(build('kept', undefined, die), /killed/);
    assert.deepEqual([loadModel(out).identity, existsSync(join(out, '.building'))], [before, false]);
    const seen: unknown[] = [];
    await build('kept', undefined, line => {
      if (line.includes('calibrating')) seen.push(loadModel(out).identity);
    });
    assert.deepEqual(seen, [before], 'it serves on while another is built');
    const { identity, heads } = loadModel(out);
    assert.equal(identity.name, 'made');
    assert.ok(heads.every(each => each.temperature !== 1));
    // nothing that was measured of the other is left, in case that this one never will be
    assert.deepEqual(readdirSync(out).sort(), ['manifest.json', 'model.int8.onnx', 'tokenizer.json']);
  });

  it('is refused where a graph was not asked for, or was exchanged', async () => {
    makeExport();
    await assert.rejects(build('lacks', ['fp32']), {
      code: 'EXPORT_INVALID',
      message: /has no fp32: export it as well/,
    });
    writeFileSync(join(exported, 'model.fp16.onnx'), 'another');
    await assert.rejects(build('changed', ['fp16']), {
      code: 'EXPORT_INVALID',
      message: /model\.fp16\.onnx is not the graph that .*export\.json describes/,
    });
    writeFileSync(join(exported, 'export.json'), '{"graphs": {"fp64": {}}}');
    await assert.rejects(build('odd', ['fp16']), { code: 'EXPORT_INVALID', message: /export anew/ });
  });

  it('is refused where what the trainer says of itself is torn, naming the file', async () => {
    for (const torn of ['heads.json', 'run.json']) {
      makeExport();
      writeFileSync(join(exported, torn), '{"served": ["CANARY');
      await assert.rejects(build('torn'), (error: Error & { code?: string }) => {
        assert.deepEqual([error.code, error.message.includes(torn)], ['EXPORT_INVALID', true]);
        assert.doesNotMatch(error.message, /CANARY/);
        return true;
      });
    }
    assert.equal(existsSync(join(folder, 'torn')), false);
  });

  it('is refused where a graph that no gate will run decides otherwise than the trained model', async () => {
    makeExport();
    const { fp16, int8 } = report.graphs;
    assert.ok(fp16 !== undefined && int8 !== undefined);
    const parity = { ...fp16.parity, decisionAgreement: { medication: 1, disease: 0.5 } };
    const write = (graphs: ExportReport['graphs']): void =>
      writeFileSync(join(exported, 'export.json'), JSON.stringify({ ...report, graphs }));
    write({ int8, fp16: { ...fp16, parity } });
    await assert.rejects(build('unlike', ['fp16']), {
      code: 'EXPORT_INVALID',
      message: /export\.json: fp16 decides .* for 50\.000 % of word pieces \(disease\), at least 99 % are needed/,
    });
    assert.equal(existsSync(join(folder, 'unlike')), false);
    write({ int8: { ...int8, parity }, fp16 });
    await build('judged', ['fp16']);
    assert.ok(existsSync(join(folder, 'judged/manifest.json')), 'int8 is judged on documents');
  });

  it('is shown as a table, parity and speed of each graph', () => {
    const page = tableOf(parseExport(JSON.stringify(report), 'export.json'));
    assert.match(page, /on 40 windows of dev notes \(9000 word pieces\)/);
    const megabytes = (graph.length / 1e6).toFixed(1);
    assert.ok(page.includes(`\n| fp16 | ${megabytes} | 0.03 | 0.4 | 100.00 %, 100.00 % | 5000 | 0.94 |\n`), page);
    assert.match(page, /^\| int8 \| .* \| 99\.80 %, 100\.00 % \| 10000 \| 1\.93 \|$/m);
    assert.throws(() => parseExport('{', 'x.json'), { code: 'EXPORT_INVALID', message: /x\.json: not JSON/ });
  });

  it('is refused in a precision that there is none of', async () => {
    const options = ['--run', folder, '--out', folder, '--corpus', folder, '--precision', 'fp32,int4'];
    const { code, stderr } = await here(['distill', 'export', ...options]);
    assert.equal(code, 2);
    assert.match(stderr, /some of fp32, fp16 and int8 are needed/);
  });
});
