/** If this fails, a page of results would hide that answers changed, that the machine was busy, or what a ratio means. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type Comparison,
  inWords,
  type Round,
  ratiosOf,
  renderComparison,
} from '../../src/benchmark/compare-report.ts';
import { cpuFlags, int8Instructions, isBusy } from '../../src/benchmark/provenance.ts';
import { agreementOf, answerOf } from '../../src/benchmark/same-answers.ts';

const figures = (scale: number) => ({
  notesPerSecond: 40 * scale,
  tokensPerSecond: 20_000 * scale,
  cpuSecondsPerNote: 0.05 / scale,
  peakBytes: 300e6,
  startSeconds: Number.NaN,
});
const rounds: Round[] = Array.from({ length: 6 }, (_, i) => ({ A: figures(1), B: figures(1.1 + i / 100) }));
const version = (given: string) => ({
  ...{ given, commit: 'abc123', configuration: {}, versions: { 'onnxruntime-node': '1.30.0' }, deadLetters: 0 },
  model: { name: 'notes', version: '1.0.0', sha256: '0123456789abcdef' },
});
const result: Comparison = {
  ...{ command: 'npm run bench -- compare v1 v2', commit: 'abc123', date: '2026-11-25T00:00:00.000Z' },
  machine: {
    ...{ cpu: 'Some CPU', cores: 2, cpuFlags: ['avx2'], memoryBytes: 8e9, system: 'linux x64' },
    loadAverage: [0.2, 0.1, 0],
  },
  versions: { node: 'v24' },
  versionsCompared: { A: version('v1'), B: { ...version('v2'), configuration: { inference: { workers: 1 } } } },
  notesPerTurn: 264,
  tokensPerTurn: 100_000,
  rounds,
  ratios: ratiosOf(rounds),
  answers: { notes: 264, different: 0, unsteady: { A: 0, B: 0 } },
};

describe('comparison', () => {
  it('is told in words, with intervals', () => {
    const page = renderComparison(result);
    assert.match(page, /^# v2 over v1\n/);
    assert.match(page, /- B: `v2` \(abc123\), `\{"inference":\{"workers":1\}\}`; model notes 1\.0\.0/);
    assert.match(page, /\| notes\/s \| 40\.0 \| 45\.0 \| 1\.125 \| 1\.1\d\d to 1\.1\d\d \| faster \|/);
    assert.match(page, /\| CPU ms a note \| 50\.0 \| 44\.4 \| 0\.889 \| [^|]+ \| takes less CPU \|/);
    assert.match(page, /\| peak memory, MB \|.* 1\.000 to 1\.000 \| no difference that these rounds can tell \|/);
    assert.match(page, /\| start to ready, s \| – \| – \| – \| – \| not measured \|/);
    assert.match(page, /The entities of all 264 notes are the same\./);
    assert.match(page, /AB BA BA AB AB BA/);
    assert.doesNotMatch(page, /NaN|undefined|at work/);
  });

  it('says that answers differ, that a version is unsteady, and that the machine was busy', () => {
    const busy = { ...result.machine, loadAverage: [1, 1, 1] };
    const answers = { notes: 264, different: 3, unsteady: { A: 0, B: 2 } };
    const page = renderComparison({ ...result, machine: busy, answers });
    assert.match(
      page,
      /\*\*The entities differ in 3 of 264 notes\.\*\* B did not answer 2 notes the same way every time/,
    );
    assert.match(page, /1\.00, 1\.00, 1\.00\. \*\*Others were at work on the machine/);
    assert.deepEqual([isBusy(0.6, 2), isBusy(0.7, 2), isBusy(0.7, 4)], [false, true, false]);
  });

  it('calls a larger figure better only where it is', () => {
    assert.deepEqual(
      [inWords('notesPerSecond', 'less'), inWords('startSeconds', 'more'), inWords('peakBytes', 'more')],
      ['slower', 'slower to start', 'takes more memory'],
    );
    assert.match(inWords('notesPerSecond', 'too few rounds'), /6 are needed/);
  });
});

describe('answers', () => {
  const entity = (task: string, start: number, end: number) => ({ task, start, end });

  it('are the same in any order, and differ by task and place', () => {
    const one = answerOf([entity('disease', 4, 9), entity('medication', 1, 3)]);
    assert.equal(one, answerOf([entity('medication', 1, 3), entity('disease', 4, 9)]));
    assert.notEqual(one, answerOf([entity('disease', 4, 9), entity('symptom', 1, 3)]));
    assert.notEqual(one, answerOf([entity('disease', 4, 9), entity('medication', 1, 4)]));
  });

  it('are counted by note, in the worst round; a note that one did not answer differs', () => {
    const A = new Map([
      ['1', 'x'],
      ['2', 'y'],
    ]);
    const B = new Map([
      ['1', 'x'],
      ['3', 'y'],
    ]);
    assert.deepEqual(agreementOf([{ A, B: A }]), { notes: 2, different: 0, unsteady: { A: 0, B: 0 } });
    assert.deepEqual(
      agreementOf([
        { A, B: A },
        { A, B },
      ]),
      { notes: 2, different: 2, unsteady: { A: 0, B: 2 } },
    );
  });
});

describe('CPU flags', () => {
  it('are those that kernels choose by, on x64 and on ARM', () => {
    const x64 = 'model name\t: Some CPU\nflags\t\t: fpu sse4_1 avx2 avx512f avx512_vnni amx_int8 avx\nbugs\t\t:\n';
    assert.deepEqual(cpuFlags(x64), ['sse4_1', 'avx', 'avx2', 'avx512f', 'avx512_vnni', 'amx_int8']);
    assert.deepEqual(cpuFlags('Features\t: fp asimd asimddp i8mm\n'), ['asimd', 'asimddp', 'i8mm']);
    assert.deepEqual(cpuFlags(''), []);
    const fastest = [x64, 'flags : avx2 avx_vnni avx512_vnni', 'flags : fma avx2', 'Features : asimddp', ''];
    assert.deepEqual(
      fastest.map(cpuinfo => int8Instructions(cpuFlags(cpuinfo))),
      ['AMX', 'AVX-512 VNNI', 'AVX2', 'DOTPROD', ''],
    );
  });
});
