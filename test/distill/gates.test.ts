/** If this fails, a gate lets a worse model through, or keeps a good one out. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { dataGate, leakageGate } from '../../src/distill/data-gates.ts';
import {
  calibrationGate,
  f1Gate,
  likelihoodGate,
  lineOf,
  routingGate,
  sizeGate,
  speedGate,
  unjudged,
} from '../../src/distill/gates.ts';
import { type TrainingData, trainingDataOf } from '../../src/distill/training-data.ts';
import type { Counts } from '../../src/evaluation/counts.ts';

const counts = fc.record({ tp: fc.nat(30), fp: fc.nat(10), fn: fc.nat(10) });
const documents = fc.array(counts, { minLength: 6, maxLength: 40 });
/** Where there is nothing to compare with. */
const LEAST = 0.3;
const documentsOf = (size: number, each: (i: number) => Counts): Counts[] =>
  Array.from({ length: size }, (_, i) => each(i));

describe('F1 gate', () => {
  it('lets pass what is equal or better on every document', () => {
    fc.assert(
      fc.property(documents, fc.infiniteStream(fc.nat(5)), (serving, found) => {
        assert.ok(f1Gate('symptom', serving, serving, LEAST).passed);
        const better = serving.map(each => {
          const more = Math.min(each.fn, found.next().value as number);
          return { tp: each.tp + more, fp: each.fp, fn: each.fn - more };
        });
        assert.ok(f1Gate('symptom', better, serving, LEAST).passed);
      }),
      { numRuns: 20 },
    );
  });

  it('refuses what is worse on every document, and not what is worse on one of many', () => {
    const serving = documentsOf(30, () => ({ tp: 10, fp: 1, fn: 1 }));
    const worse = documentsOf(30, () => ({ tp: 9, fp: 1, fn: 2 }));
    const verdict = f1Gate('symptom', worse, serving, LEAST);
    assert.ok(!verdict.passed && (verdict.figures.upperBound as number) < 0);
    assert.match(
      lineOf(verdict),
      /^FAIL {2}f1 symptom: token F1 \.857, serving \.909: worse beyond chance \(95 % bound .* −\.0/,
    );
    assert.ok(f1Gate('symptom', [...worse.slice(0, 1), ...serving.slice(1)], serving, LEAST).passed);
  });

  it('is one-sided: a bound of 95 %, not of 97.5 %', () => {
    // of thirty documents: 0.9^30 = 4 % of resamples hold none of three, and 13 % none of two
    const serving = documentsOf(30, () => ({ tp: 10, fp: 1, fn: 1 }));
    const three = f1Gate(
      'symptom',
      serving.map((each, i) => (i < 3 ? { tp: 0, fp: 1, fn: 11 } : each)),
      serving,
      LEAST,
    );
    const two = f1Gate(
      'symptom',
      serving.map((each, i) => (i < 2 ? { tp: 0, fp: 1, fn: 11 } : each)),
      serving,
      LEAST,
    );
    assert.deepEqual([three.passed, two.passed], [false, true]);
  });

  it('refuses a lost head, judged or not', () => {
    const some = documentsOf(6, () => ({ tp: 1, fp: 0, fn: 0 }));
    const lost = /^FAIL {2}f1 disease: the candidate has no head for it; the serving model has/;
    assert.match(lineOf(f1Gate('disease', undefined, some, LEAST)), lost);
    assert.match(lineOf(f1Gate('disease', undefined, undefined, LEAST)), lost);
  });

  it('wants a floor where no serving model has the task', () => {
    const found = (tp: number): string => lineOf(f1Gate('disease', [{ tp, fp: 0, fn: 17 - tp }], undefined, LEAST));
    assert.match(found(0), /^FAIL {2}f1 disease: token F1 \.000, at least 0\.3, .*no serving model has the task/);
    assert.match(found(2), /^FAIL .* \.211/);
    assert.match(found(3), /^pass .* \.300/);
  });

  it('refuses a task that is not judged, unless that is allowed', () => {
    assert.match(
      lineOf(unjudged('disease', false)),
      /^FAIL {2}f1 disease: not judged: .*--allow-unjudged is not given$/,
    );
    assert.match(lineOf(unjudged('disease', true)), /^pass .*\(allowed by --allow-unjudged\)$/);
  });
});

describe('likelihood gate', () => {
  const lossesOf = (size: number, nats: (i: number) => number) =>
    Array.from({ length: size }, (_, i) => ({ nats: nats(i), words: 100, inside: 10 }));
  const serving = lossesOf(30, i => 2 + (i % 3));

  it('refuses probabilities that are worse on every document, and not on one of many', () => {
    const worse = lossesOf(30, i => 3 + (i % 3));
    const verdict = likelihoodGate('symptom', worse, serving);
    assert.ok(!verdict.passed && (verdict.figures.lowerBound as number) > 0);
    assert.match(
      lineOf(verdict),
      /^FAIL {2}likelihood symptom: NLL 0\.0400 nats a word, serving 0\.0300: worse beyond chance \(95 % bound .* \+\.0100, 30/,
    );
    assert.ok(likelihoodGate('symptom', [...worse.slice(0, 1), ...serving.slice(1)], serving).passed);
    for (const fine of [serving, lossesOf(30, i => 1 + (i % 3))])
      assert.ok(likelihoodGate('symptom', fine, serving).passed);
  });

  it('is one-sided: a bound of 95 %', () => {
    // as of F1: of thirty documents 4 % of resamples hold none of three, and 13 % none of two
    const worseOn = (count: number) =>
      likelihoodGate(
        'symptom',
        serving.map((each, i) => (i < count ? { ...each, nats: 90 } : { ...each, nats: each.nats - 1e-3 })),
        serving,
      ).passed;
    assert.deepEqual([worseOn(3), worseOn(2)], [false, true]);
  });

  it('refuses what is no number, and is not led astray by documents without words', () => {
    // which resamples hold one is chance: so over many sizes
    for (let size = 6; size < 40; size++) {
      const [before, better] = [lossesOf(size, () => 2), lossesOf(size - 1, () => 1)];
      const broken = [...better, { nats: Number.NaN, words: 100, inside: 10 }];
      assert.equal(likelihoodGate('symptom', broken, before).passed, false);
      assert.equal(likelihoodGate('symptom', broken, undefined).passed, false);
      const empty = Array.from({ length: size }, () => ({ nats: 0, words: 0, inside: 0 }));
      const [few, good] = [
        [...before.slice(0, 2), ...empty],
        [...better.slice(0, 2), ...empty],
      ];
      assert.deepEqual(
        [likelihoodGate('symptom', good, few).passed, likelihoodGate('symptom', few, good).passed],
        [true, false],
      );
    }
  });

  it('wants a first model to know more than the base rate', () => {
    // a tenth is Inside: .325 nats a word
    assert.match(
      lineOf(
        likelihoodGate(
          'symptom',
          lossesOf(6, () => 32),
          undefined,
        ),
      ),
      /^pass .* NLL 0\.3200 nats a word, at most that of the base rate, 0\.3251 \(no serving model has the task/,
    );
    assert.equal(
      likelihoodGate(
        'symptom',
        lossesOf(6, () => 33),
        undefined,
      ).passed,
      false,
    );
  });
});

describe('the other gates', () => {
  const words = { words: 100, eceUndecided: 0.5 };

  it('have their limits inside', () => {
    for (const [ece, passed] of [
      [0.03, true],
      [0.0301, false],
      [Number.NaN, false],
    ] as const)
      assert.equal(calibrationGate({ task: 'symptom', ece, ...words }, 0.03).passed, passed);
    for (const [bytes, passed] of [
      [30e6, true],
      [30e6 + 1, false],
    ] as const)
      assert.equal(sizeGate(bytes, 30e6).passed, passed);
  });

  it('compare speeds by the median of ratios, so that one slow round decides nothing', () => {
    const round = (servingSeconds: number | null, candidateSeconds: number) => ({
      tokens: 900,
      servingSeconds,
      candidateSeconds,
    });
    const { passed, figures } = speedGate([round(1, 1), round(1, 50), round(9, 10)], 0.9);
    assert.deepEqual([passed, figures.ratio, figures.candidate], [true, 0.9, 90]);
    assert.equal(speedGate([round(1, 2), round(1, 1), round(1, 1.2)], 0.9).passed, false);
    assert.equal(speedGate([round(1, 1), round(1, 2)], 0.75).figures.ratio, 0.75);
    assert.match(lineOf(speedGate([round(null, 3)], 0.9)), /^pass {2}speed: 300 tokens\/s \(no serving model/);
  });

  it('keep thresholds that the serving model has', () => {
    const of = (...tasks: string[]) => new Map(tasks.map(task => [task, [0.01, 0.1, 0.5]]));
    assert.ok(
      routingGate(null, null).passed &&
        routingGate(of('a', 'b'), of('a')).passed &&
        routingGate(of('a'), null).passed &&
        routingGate(of('a'), of('a')).passed,
    );
    assert.match(
      lineOf(routingGate(of('a'), of('a', 'b'))),
      /^FAIL {2}routing: .* has them for b: measure them with 'clinstream distill doubt --corpus CORPUS --model \S+ --write'$/,
    );
    assert.equal(routingGate(null, of('a')).passed, false);
  });

  it('keep the rates that the serving model escalates by', () => {
    const of = (...rates: number[]) => new Map([['a', rates]]);
    const serving = of(0.01, 0.1, 0.5);
    const fewer = routingGate(of(0.02, 0.1, 0.5), serving);
    assert.match(
      lineOf(fewer),
      /^FAIL {2}routing: .* those of a for rates of 0\.02 to 0\.5, not of 0\.01 to 0\.5: measure them .* dev notes/,
    );
    assert.deepEqual(fewer.figures, { candidate: { a: [0.02, 0.5] }, serving: { a: [0.01, 0.5] } });
    assert.equal(routingGate(of(0.01, 0.1, 0.3), serving).passed, false);
    assert.ok(routingGate(of(0.005, 0.6), serving).passed, 'between measured rates the threshold is interpolated');
  });

  it('want the data that trained the candidate, and say what is not looked at', () => {
    const data = (...found: TrainingData['files'][number]['found'][]): TrainingData => ({
      files: found.map((each, i) => ({ file: `gold/${i}.jsonl`, sha256: 'a', found: each })),
      unlabelled: [],
      earlier: [],
    });
    assert.ok(dataGate(data('same', 'same'), false).passed);
    assert.match(
      lineOf(dataGate(data('same', 'another'), false)),
      /^FAIL .*the corpus is not the one that trained it: gold\/1\.jsonl differ$/,
    );
    assert.match(lineOf(dataGate(data('missing'), false)), /^FAIL .*lacks gold\/0\.jsonl, which trained it$/);
    assert.match(lineOf(dataGate(null, false)), /^FAIL .*does not say what trained/);
    for (const each of [data('another'), data('missing'), null])
      assert.match(lineOf(dataGate(each, true)), /^pass .*\(allowed by --allow-other-data\)$/);
    const more = { ...data('same'), unlabelled: ['text/a.jsonl.gz'] };
    assert.match(lineOf(dataGate(more, false)), /^pass .*unlabelled text is not looked at: text\/a\.jsonl\.gz$/);
  });

  const none = { fitted: false, leftOut: [], earlier: [] };

  it('say of which earlier models nobody knows here what they had learnt from', () => {
    const run = {
      data: [{ file: 'teacher/notes.jsonl', sha256: 'a' }],
      start: { name: 'first', version: '1.2.0', graph: 'a' },
      keptStart: 0.3,
      softTeachers: [{ name: 'second', version: '1.0.0' }],
      softTeacher: { name: 'third', version: '2.0.0' },
    };
    const of = (run: object): TrainingData => {
      const training = { data: [{ file: 'teacher/notes.jsonl', sha256: 'a' }], run };
      const data = trainingDataOf({ training }, [], 'no such corpus');
      assert.ok(data !== null);
      return data;
    };
    const { earlier } = of(run);
    const unseen =
      'what first 1.2.0 (start, 0.3 kept), second 1.0.0 (soft teacher), third 2.0.0 (soft teacher) had learnt from is not looked at';
    const clean = { leaks: [], empty: 0, trainDocuments: 5 };
    for (const { says, figures } of [dataGate(of(run), true), leakageGate(clean, 20, 0.5, { ...none, earlier })]) {
      assert.ok(says.endsWith(`; ${unseen}`), says);
      assert.deepEqual(figures.earlier, earlier);
    }
    const trained = { ...run, start: null, keptStart: 0, softTeachers: [], softTeacher: null };
    for (const each of [trained, { data: run.data }]) assert.deepEqual(of(each).earlier, []);
    assert.match(
      dataGate(of({ ...trained, start: run.start }), true).says,
      /; what first 1\.2\.0 \(start\) had learnt/,
    );
  });

  it('list leaks by id, and not all of them', () => {
    const leak = (i: number) => ({
      ...{ id: `d${i}`, share: 0.75, in: 1 + i },
      ...{ trainId: 't', file: 'gold/x.jsonl', most: i === 0 ? 0.75 : 0.5 },
    });
    const leaks = Array.from({ length: 12 }, (_, i) => leak(i));
    const line = lineOf(leakageGate({ leaks, empty: 1, trainDocuments: 5 }, 20, 0.5, none));
    assert.match(
      line,
      /^FAIL {2}leakage: 12 of 20 .*: d0 \(75 % of it in t of gold\/x\.jsonl\), d1 \(75 % of it in 2 documents, 50 % of it in t of .* and 2 more \(1 without words\)$/,
    );
    assert.match(lineOf(leakageGate({ leaks: [], empty: 0, trainDocuments: 5 }, 20, 0.5, none)), /^pass .*dev$/);
  });

  it('say where the documents are those that temperatures and thresholds were fitted on', () => {
    const { passed, says, figures } = leakageGate({ leaks: [], empty: 0, trainDocuments: 5 }, 20, 0.5, {
      ...none,
      fitted: true,
    });
    assert.deepEqual([passed, figures.fitted], [true, true]);
    assert.match(says, /fitted on these very documents, the teacher's dev notes$/);
  });

  it('say which dev notes are not looked at since the candidate says that it was not fitted on them', () => {
    const leftOut = ['d1', 'd2'];
    const { says, figures } = leakageGate({ leaks: [], empty: 0, trainDocuments: 5 }, 20, 0.5, { ...none, leftOut });
    assert.match(says, /; not fitted on, by what the candidate says: d1, d2$/);
    assert.deepEqual(figures.leftOut, leftOut);
  });
});
