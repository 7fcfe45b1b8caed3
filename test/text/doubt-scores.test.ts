/** If this fails, notes would be escalated for the wrong reasons, and a note whose mentions were all missed would look certain. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DOUBT_SCORES, type DoubtScore, doubtScore, isDoubtScore } from '../../src/text/doubt-scores.ts';
import { type Evidence, EvidenceGatherer, expectedF1 } from '../../src/text/evidence.ts';

const THRESHOLD = 0.5;

/** Every found word is a span of its own. */
function evidenceOf(...probabilities: number[]): Evidence {
  const gatherer = new EvidenceGatherer();
  for (const p of probabilities) {
    gatherer.word(p, p >= THRESHOLD);
    if (p >= THRESHOLD) gatherer.span(p);
  }
  return gatherer.evidence();
}

function near(value: number, expected: number, what: string): void {
  assert.ok(Math.abs(value - expected) < 1e-12, `${what}: ${value} is not ${expected}`);
}

const probability = fc.double({ min: 0, max: 1, noNaN: true });
/** Scores that look at findings only: kept for comparison, and known to be blind. */
const BLIND: readonly DoubtScore[] = ['minimum-span', 'mean-span'];

describe('evidence', () => {
  it('sums what is right, wrong and missed', () => {
    const { words, right, wrong, missed, likeliestMiss, doubtful, spans, leastSpan } = evidenceOf(0.9, 0.6, 0.3, 0.01);
    assert.deepEqual([words, likeliestMiss, doubtful, spans, leastSpan], [4, 0.3, 3, 2, 0.6]);
    near(right, 1.5, 'E[TP]');
    near(wrong, 0.5, 'E[FP]');
    near(missed, 0.31, 'E[FN]');
  });

  it('expects the F1 of what was found, and of nothing the chance that there is nothing', () => {
    near(expectedF1(evidenceOf(0.9, 0.6, 0.3)), 3 / (3 + 0.5 + 0.3), 'found');
    near(expectedF1(evidenceOf(0.2, 0.4)), 0.8 * 0.6, 'nothing found');
    assert.equal(expectedF1(evidenceOf()), 1);
  });
});

describe('doubt scores', () => {
  const NOTE = evidenceOf(0.9, 0.6, 0.3, 0.01);
  const nats = (p: number): number => -p * Math.log(p) - (1 - p) * Math.log(1 - p);

  it('are what they say, by hand', () => {
    const loss = 1 - 3 / (3 + 0.81);
    const entropy = [0.9, 0.6, 0.3, 0.01].reduce((sum, p) => sum + nats(p), 0);
    const expected: Readonly<Record<DoubtScore, number>> = {
      'minimum-span': 0.4,
      'mean-span': 0.25,
      'expected-errors': 0.81,
      'expected-errors-per-word': 0.81 / 4,
      'expected-loss': loss,
      balanced: Math.sqrt(0.81 * loss),
      'excess-errors': 0.81 - (0.1 / 0.95) * 1.5,
      'any-error': -Math.log(0.9 * 0.6 * 0.7 * 0.99),
      entropy,
      'entropy-outside': nats(0.3) + nats(0.01),
      'entropy-per-word': entropy / 4,
      'likeliest-miss': 0.3,
      'doubtful-words': 3,
    };
    assert.deepEqual(Object.keys(expected).sort(), [...DOUBT_SCORES].sort());
    for (const name of DOUBT_SCORES) near(doubtScore(name, NOTE), expected[name], name);
  });

  it('see a probable miss in a note where nothing was found, but for the two that look at findings only', () => {
    for (const name of DOUBT_SCORES) {
      const [sure, unsure] = [doubtScore(name, evidenceOf(0.001, 0.001)), doubtScore(name, evidenceOf(0.001, 0.45))];
      if (BLIND.includes(name)) assert.equal(unsure, sure, name);
      else assert.ok(unsure > sure, name);
    }
  });

  it('are numbers for every note, even an empty one and one of certainties, which no score doubts', () => {
    fc.assert(
      fc.property(fc.array(probability, { maxLength: 50 }), probabilities => {
        const evidence = evidenceOf(...probabilities);
        for (const name of DOUBT_SCORES) assert.ok(Number.isFinite(doubtScore(name, evidence)), name);
      }),
    );
    for (const name of DOUBT_SCORES) {
      assert.ok(doubtScore(name, evidenceOf()) === 0, name);
      assert.ok(doubtScore(name, evidenceOf(0, 0, 0)) < 1e-9, name);
      assert.ok(doubtScore(name, evidenceOf(1, 0, 1)) < 1e-9, name);
    }
  });

  it('rise when a word gets more doubtful, for those that serve or might', () => {
    const names = ['expected-errors', 'balanced', 'excess-errors', 'any-error', 'entropy'] as const;
    const distance = fc.double({ min: 0.001, max: 0.49, noNaN: true });
    fc.assert(
      fc.property(fc.array(probability, { maxLength: 20 }), distance, distance, fc.boolean(), (rest, a, b, inside) => {
        const [closer, farther] = [Math.min(a, b), Math.max(a, b)];
        const at = (d: number): number => (inside ? 0.5 + d : 0.5 - d);
        for (const name of names) {
          const [more, less] = [closer, farther].map(d => doubtScore(name, evidenceOf(...rest, at(d))));
          assert.ok((more as number) >= (less as number) - 1e-9, `${name}: ${more} < ${less}`);
        }
      }),
    );
  });

  it('are known by name', () => {
    assert.ok(isDoubtScore('balanced'));
    assert.ok(!isDoubtScore('toString') && !isDoubtScore('hunch'));
  });
});
