/** If this fails, notes would go to a teacher that nobody asked for, or doubtful ones would stay, without a word. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Routing } from '../../src/model/routing.ts';
import { Router, type RouterOptions } from '../../src/tagging/router.ts';
import { type Evidence, EvidenceGatherer } from '../../src/text/evidence.ts';

const SHA256 = 'a'.repeat(64);
const RATES = [
  { rate: 0.1, threshold: 2 },
  { rate: 0.2, threshold: 1 },
  { rate: 0.5, threshold: 0.5 },
];
const ROUTING: Routing = {
  format: 1,
  model: { name: 'm', version: '1', sha256: SHA256 },
  tasks: {
    disease: { score: 'expected-errors', rates: RATES },
    symptom: { score: 'likeliest-miss', rates: [{ rate: 0.1, threshold: 0.3 }] },
  },
  measured: {},
};

/** Of a note in which nothing was found. */
function missing(...probabilities: number[]): Evidence {
  const gatherer = new EvidenceGatherer();
  for (const p of probabilities) gatherer.word(p, false);
  return gatherer.evidence();
}

/** 1.4 expected errors, and a likeliest miss of 0.4. */
const EVIDENCE = missing(0.4, 0.4, 0.4, 0.2);
const TAGGED = { tasks: ['disease', 'symptom', 'colour'].map(task => ({ task, evidence: EVIDENCE })) };

const doubtful = (rules: RouterOptions['rules'], routing: Routing | null = ROUTING): readonly string[] =>
  new Router({ routing, rules }).doubts(TAGGED).map(({ task }) => task);

describe('router', () => {
  it('gives the tasks above their threshold, with the score, its value and the threshold', () => {
    const rules = {
      disease: { rate: 0.2, teachers: ['one', 'other'] },
      symptom: { threshold: 0.35, teachers: [] },
    };
    const router = new Router({ routing: ROUTING, rules });
    const [disease, symptom, ...more] = router.doubts(TAGGED);
    assert.deepEqual(more, []);
    assert.deepEqual([disease?.task, disease?.score, disease?.threshold], ['disease', 'expected-errors', 1]);
    assert.ok(Math.abs((disease?.value ?? 0) - 1.4) < 1e-12);
    assert.deepEqual(symptom, { task: 'symptom', score: 'likeliest-miss', value: 0.4, threshold: 0.35 });
    assert.deepEqual([router.teachers('disease'), router.teachers('colour')], [['one', 'other'], []]);
  });

  it('keeps what is at the threshold, below it, or has no rule', () => {
    assert.deepEqual(doubtful({ disease: { rate: 0.1, teachers: [] } }), []);
    assert.deepEqual(doubtful({ symptom: { threshold: 0.4, teachers: [] } }), []);
    assert.deepEqual(doubtful({ disease: { rate: 0, teachers: ['x'] }, symptom: { teachers: ['x'] } }), []);
    assert.deepEqual(doubtful({}), []);
    assert.deepEqual(doubtful({}, null), []);
    assert.deepEqual(doubtful({ disease: { rate: 0, teachers: [] } }, null), []);
  });

  it('judges every task that the routing knows, also where none escalates', () => {
    const verdicts = new Router({ routing: ROUTING, rules: {} }).judge(TAGGED);
    assert.deepEqual(
      verdicts.map(({ task, threshold, escalates }) => [task, threshold, escalates]),
      [
        ['disease', null, false],
        ['symptom', null, false],
      ],
    );
  });

  it('escalates no less at a higher rate, and between measured rates lies between their thresholds', () => {
    const rate = fc.double({ min: 0.1, max: 0.5, noNaN: true });
    const thresholdAt = (value: number): number =>
      new Router({ routing: ROUTING, rules: { disease: { rate: value, teachers: [] } } }).judge(TAGGED)[0]
        ?.threshold as number;
    fc.assert(
      fc.property(rate, rate, (a, b) => {
        assert.ok(thresholdAt(Math.max(a, b)) <= thresholdAt(Math.min(a, b)) + 1e-12);
      }),
    );
    for (const { rate: measured, threshold } of RATES) assert.equal(thresholdAt(measured), threshold);
    assert.ok(Math.abs(thresholdAt(0.15) - 1.5) < 1e-12);
  });

  it('refuses rules that could not be kept, naming the task', () => {
    const cases: readonly (readonly [string, RegExp, RouterOptions])[] = [
      ['ROUTING_MISSING', /disease.*distill doubt/, { routing: null, rules: { disease: { rate: 0.1, teachers: [] } } }],
      ['ROUTE_INVALID', /colour.*disease, symptom/, { routing: ROUTING, rules: { colour: { teachers: [] } } }],
      ...[0.05, 0.6, -1, Number.NaN].map(
        rate =>
          [
            'ROUTE_INVALID',
            /disease.*0\.1 to 0\.5/,
            { routing: ROUTING, rules: { disease: { rate, teachers: [] } } },
          ] as const,
      ),
      [
        'ROUTE_INVALID',
        /disease.*give one/,
        { routing: ROUTING, rules: { disease: { rate: 0.1, threshold: 1, teachers: [] } } },
      ],
      [
        'ROUTE_INVALID',
        /disease.*no number/,
        { routing: ROUTING, rules: { disease: { threshold: Number.NaN, teachers: [] } } },
      ],
      [
        'ROUTE_INVALID',
        /disease.*'hunch'/,
        { routing: { ...ROUTING, tasks: { disease: { score: 'hunch', rates: RATES } } }, rules: {} },
      ],
    ];
    for (const [code, message, options] of cases) assert.throws(() => new Router(options), { code, message });
  });
});
