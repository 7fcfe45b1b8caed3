/** If this fails, memory would grow with the backlog, a record would overtake another, or reading would stand still for good. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Admission } from '../../src/core/admission.ts';

const settle = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

const cases = fc.record({
  records: fc.integer({ min: 1, max: 6 }),
  bytes: fc.integer({ min: 1, max: 40 }),
  sizes: fc.array(fc.nat(60), { minLength: 1, maxLength: 30 }),
  /** Which of those in hand leaves next. */
  leaving: fc.infiniteStream(fc.nat(5)),
});

describe('admission', () => {
  it('admits in order, as soon as there is room and never sooner', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ records, bytes, sizes, leaving }) => {
        const admission = new Admission({ records, bytes });
        const order: number[] = [];
        sizes.forEach((size, i) => void admission.enter({ records: 1, bytes: size }).then(() => order.push(i)));
        const gone = new Set<number>();
        for (;;) {
          await settle();
          assert.deepEqual(order, [...order.keys()], 'first come, first served');
          const inHand = order.filter(i => !gone.has(i));
          const held = inHand.reduce((sum, i) => sum + (sizes[i] as number), 0);
          assert.equal(admission.underWay.records, inHand.length);
          assert.ok(inHand.length === 1 || (inHand.length <= records && held <= bytes), 'within both limits, or alone');
          const next = sizes[order.length];
          assert.ok(
            next === undefined || inHand.length === records || (inHand.length > 0 && held + next > bytes),
            'nobody waits who would fit',
          );
          if (next === undefined) break;
          const leaver = inHand[leaving.next().value % inHand.length] as number;
          gone.add(leaver);
          admission.leave({ records: 1, bytes: sizes[leaver] as number });
        }
      }),
      { numRuns: 60 },
    );
  });

  it('admits one record beyond the limit alone, and none before its turn', async () => {
    const admission = new Admission({ records: 3, bytes: 10 });
    const admitted: string[] = [];
    const enter = (name: string, bytes: number): void =>
      void admission.enter({ records: 1, bytes }).then(() => admitted.push(name));
    enter('small', 4);
    enter('huge', 99);
    enter('tiny', 1);
    await settle();
    assert.deepEqual(admitted, ['small'], 'tiny would fit, and waits behind huge');
    admission.leave({ records: 1, bytes: 4 });
    await settle();
    assert.deepEqual([admitted, admission.underWay.records], [['small', 'huge'], 1]);
    admission.leave({ records: 1, bytes: 99 });
    await settle();
    assert.deepEqual([admitted.at(-1), admission.underWay.records], ['tiny', 1]);
  });
});
